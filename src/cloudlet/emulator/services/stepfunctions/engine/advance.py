"""The loop: takes what is to be done with the frames of an execution, until all of them wait or the execution is over.

with opened(call, arn) as run:          # None when the execution is over already
    if run is not None:
        run.do("enter", frame)          # carried out, with all that follows from it, when the block ends
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.stepfunctions.asl.failures import StateFailure
from cloudlet.emulator.services.stepfunctions.engine import endings, failing, groups, map_runs, steps, tasks
from cloudlet.emulator.services.stepfunctions.engine.frames import Frame
from cloudlet.emulator.services.stepfunctions.engine.run import Intent, Run
from cloudlet.emulator.services.stepfunctions.records import EXECUTIONS

ADVANCE = "stepfunctions.advance"
MOST_STATES = 100  # entered in one transaction; the next ones get one of their own


@contextmanager
def opened(call: Call, arn: str) -> Iterator[Run | None]:
    """A running execution in a transaction of its own, for jobs."""
    with call.transaction(), continued(call, arn) as run:
        yield run


@contextmanager
def continued(call: Call, arn: str) -> Iterator[Run | None]:
    """The same in the transaction that is open."""
    execution = EXECUTIONS.get(call.tx, arn)
    if execution is None or execution.status != "RUNNING":
        yield None
        return
    run = Run(call, execution)
    yield run
    drive(run)


def drive(run: Run) -> None:
    """Do what is to be done, and write down where that leads."""
    entered = 0
    while run.todo:
        intent = run.todo.popleft()
        frame = run.find(intent.frame_id)
        if frame is None:
            continue
        if intent.action == "enter":
            entered += 1
            if entered > MOST_STATES:
                run.later.append(frame.frame_id)
                continue
        perform(run, frame, intent)
    if run.later and not run.is_over:
        run.later_job(ADVANCE, {"arn": run.arn, "frames": list(run.later)}, run.now)
    run.save()


def perform(run: Run, frame: Frame, intent: Intent) -> None:
    """One step. A failure belongs to the frame's state, or to the state that the frame is a part of."""
    try:
        ACTIONS[intent.action](run, frame, intent.value)
    except StateFailure as failure:
        if intent.action in OF_PARENT and frame.parent is not None:
            frame = run.frame(frame.parent)
        run.do("failed", frame, failure)


def body(run: Run, frame: Frame, _value: Any) -> None:
    state = run.state_of(frame)
    kind = state["Type"]
    if kind == "Task":
        tasks.begin(run, frame)
    elif kind == "Parallel":
        groups.begin_parallel(run, frame)
    elif kind == "Map" and map_runs.is_distributed(state):
        map_runs.begin(run, frame)
    elif kind == "Map":
        groups.begin_map(run, frame)
    else:
        steps.carry_out(run, frame)


def scope_done(run: Run, frame: Frame, output: Any) -> None:
    if frame.parent is None:
        endings.succeed(run, frame, output)
    else:
        groups.part_done(run, frame, output)


def scope_failed(run: Run, frame: Frame, value: tuple[str | None, str | None]) -> None:
    if frame.parent is None:
        endings.fail(run, frame, *value)
    else:
        groups.part_failed(run, frame, *value)


OF_PARENT = frozenset({"scope_done", "scope_failed"})
ACTIONS: Mapping[str, Callable[[Run, Frame, Any], None]] = MappingProxyType(
    {
        "begin_part": lambda run, frame, _: groups.entered(run, frame),
        "enter": lambda run, frame, _: steps.enter(run, frame),
        "body": body,
        "settle": tasks.settle,
        "woken": lambda run, frame, _: steps.awake(run, frame),
        "child_ended": map_runs.child_ended,
        "read_items": map_runs.items_read,
        "written": map_runs.results_written,
        "failed": failing.handle,
        "scope_done": scope_done,
        "scope_failed": scope_failed,
    }
)
