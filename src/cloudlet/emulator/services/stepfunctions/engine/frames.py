"""Frames: where one thread of an execution stands. One for the execution, one for each branch and iteration that runs."""

from __future__ import annotations

from typing import Any

import msgspec

ENTER = "enter"  # the state is to be entered
WAIT = "wait"  # until a time, in a Wait state
RETRY = "retry"  # until a time, before the state is carried out again
TASK = "task"  # an integration is being called
CALLBACK = "callback"  # submitted: a token or another execution's end is waited for
ACTIVITY = "activity"  # a worker is waited for, or at work
PARTS = "parts"  # branches or iterations run
FAILED = "failed"  # here the execution ended; RedriveExecution goes on from here


class Group(msgspec.Struct):
    """The parts of a Parallel or Map state. `kind`: parallel, map or run (distributed). `following`: the first part
    that has not begun, and `following_event` the event that its first one names as previous. `active`: frames of the parts that run (`run`: item -> child's ARN is in ITEMS)."""

    kind: str
    total: int
    concurrency: int
    started_event: int
    following_event: int
    last_event: int
    following: int = 0
    done: int = 0
    failed: int = 0
    active: list[int] = msgspec.field(default_factory=list)
    tolerated_count: int = 0
    tolerated_percentage: float = 0.0
    map_run_arn: str = ""
    map_name: str = ""


class Task(msgspec.Struct):
    """An integration that is being called. `pattern`: "", sync or token; `kind`: how its events are named
    (lambda, activity, task). `early` is an outcome that came before the call itself had returned."""

    kind: str
    resource_type: str
    resource: str
    pattern: str
    arguments: Any
    token: str = ""
    heartbeat_seconds: float | None = None
    submitted: Any = None
    early: dict[str, Any] | None = None
    started: bool = False
    role_arn: str = ""


class Frame(msgspec.Struct):
    """`scope` leads from the whole definition to the object that holds `States`. `last_event` is what the next event
    names as its previous one. What is scheduled for an earlier `attempt` is ignored when it comes."""

    frame_id: int
    parent: int | None
    index: int
    scope: list[str | int]
    state: str
    phase: str
    input: Any
    last_event: int
    variables: dict[str, Any] = msgspec.field(default_factory=dict)
    map_item: dict[str, Any] | None = None
    attempt: int = 0
    entered_event: int = 0
    entered_at: float = 0.0
    retries: dict[str, int] = msgspec.field(default_factory=dict)
    retry_count: int = 0
    data: Any = None
    token: str = ""
    task: Task | None = None
    group: Group | None = None


ENCODER = msgspec.msgpack.Encoder()
DECODER = msgspec.msgpack.Decoder(Frame)


def encode(frame: Frame) -> bytes:
    return ENCODER.encode(frame)


def decode(content: bytes) -> Frame:
    return DECODER.decode(content)
