"""One execution inside one transaction: its frames and its history, and what is still to be done in it."""

from __future__ import annotations

from collections import ChainMap, deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from cloudlet.emulator.effects.jobs import enqueue
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.stepfunctions.asl import timestamps
from cloudlet.emulator.services.stepfunctions.asl.evaluation import Evaluation
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps, loads
from cloudlet.emulator.services.stepfunctions.asl.processing import is_jsonata
from cloudlet.emulator.services.stepfunctions.engine.frames import ENTER, Frame, decode, encode
from cloudlet.emulator.services.stepfunctions.records import (
    EVENTS,
    EXECUTIONS,
    FRAMES,
    ITEMS,
    PROGRESS,
    Event,
    Execution,
    FrameRecord,
    Progress,
)

REPEATABLE = frozenset({"Task", "Parallel", "Map"})  # states with Retry
LOG = "stepfunctions.log"


class Intent(NamedTuple):
    """Something that is to be done with a frame; `advance` says what each `action` means."""

    action: str
    frame_id: int
    value: Any = None


class Run:
    """`todo` is what is to be done in this transaction, `later` the frames whose next state another one enters."""

    def __init__(self, call: Call, execution: Execution) -> None:
        self.call = call
        self.tx = call.tx
        self.now = call.now
        self.execution = execution
        self.arn = execution.arn
        self.machine: dict[str, Any] = loads(execution.definition)
        self.todo: deque[Intent] = deque()
        self.later: list[int] = []
        self._frames: dict[int, Frame] = {}
        self._dropped: set[int] = set()
        progress = PROGRESS.get(self.tx, self.arn) or Progress(self.arn, 1, 0)
        self._next_event = progress.next_event
        self._next_frame = progress.next_frame
        self._logged: list[dict[str, Any]] = []

    @property
    def is_over(self) -> bool:
        return self.execution.status != "RUNNING"

    @property
    def events(self) -> int:
        """How many there are."""
        return self._next_event - 1

    # --- what is to be done

    def do(self, action: str, frame: Frame, value: Any = None) -> None:
        """Next: a thread goes on until it waits before another one's turn comes."""
        self.todo.appendleft(Intent(action, frame.frame_id, value))

    def do_after(self, action: str, frame: Frame, value: Any = None) -> None:
        """When everything else that can be done is done."""
        self.todo.append(Intent(action, frame.frame_id, value))

    # --- frames

    def find(self, frame_id: int) -> Frame | None:
        frame = self._frames.get(frame_id)
        if frame is None and frame_id not in self._dropped:
            record = FRAMES.get(self.tx, self.arn, frame_id)
            if record is None:
                return None
            frame = self._frames[frame_id] = decode(record.content)
        return frame

    def frame(self, frame_id: int) -> Frame:
        """One that has to be there."""
        frame = self.find(frame_id)
        if frame is None:
            raise LookupError(f"{self.arn} has no frame {frame_id}")
        return frame

    def new_frame(
        self,
        parent: Frame | None,
        index: int,
        scope: list[str | int],
        given: Any,
        last_event: int,
        map_item: dict[str, Any] | None = None,
    ) -> Frame:
        """A frame at the first state of the scope; it still has to be entered."""
        start = self.states_in(scope)["StartAt"]
        number = self._next_frame
        self._next_frame += 1
        parent_id = None if parent is None else parent.frame_id
        frame = Frame(number, parent_id, index, scope, start, ENTER, given, last_event, map_item=map_item)
        self._frames[number] = frame
        return frame

    def drop(self, frame: Frame) -> None:
        self._frames.pop(frame.frame_id, None)
        self._dropped.add(frame.frame_id)
        FRAMES.delete(self.tx, self.arn, frame.frame_id)

    def frames(self) -> list[Frame]:
        """All that there are."""
        stored = [record.frame_id for record in FRAMES.scan(self.tx, self.arn)]
        known = sorted({*stored, *self._frames} - self._dropped)
        return [self.frame(number) for number in known]

    # --- the definition

    def states_in(self, scope: list[str | int]) -> dict[str, Any]:
        found: Any = self.machine
        for part in scope:
            found = found[part]
        return found  # type: ignore[no-any-return]

    def state_of(self, frame: Frame) -> dict[str, Any]:
        state: dict[str, Any] = self.states_in(frame.scope)["States"][frame.state]
        return state

    def jsonata(self, state: dict[str, Any]) -> bool:
        return is_jsonata(state, self.machine)

    # --- evaluation

    def variables(self, frame: Frame) -> Mapping[str, Any]:
        """Those of the frame, in front of those of the frames around it."""
        maps = [frame.variables]
        while frame.parent is not None:
            frame = self.frame(frame.parent)
            maps.append(frame.variables)
        return ChainMap(*maps)

    def evaluation(self, frame: Frame) -> Evaluation:
        ids = self.call.ids
        context = self.context(frame)
        return Evaluation(
            frame.state, frame.entered_event, context, self.variables(frame), self.now, ids.uuid, ids.random
        )

    def context(self, frame: Frame) -> dict[str, Any]:
        """The context object ("Accessing execution data from the Context object")."""
        execution = self.execution
        state: dict[str, Any] = {"Name": frame.state, "EnteredTime": timestamps.written(frame.entered_at)}
        if self.state_of(frame)["Type"] in REPEATABLE:
            state["RetryCount"] = frame.retry_count
        found: dict[str, Any] = {
            "Execution": {
                "Id": execution.arn,
                "Input": loads(execution.input),
                "StartTime": timestamps.written(execution.started_at),
                "Name": execution.name,
                "RoleArn": execution.role_arn,
                "RedriveCount": execution.redrive_count,
            },
            "StateMachine": {"Id": execution.machine_arn, "Name": execution.machine},
            "State": state,
        }
        if execution.redriven_at is not None:
            found["Execution"]["RedriveTime"] = timestamps.written(execution.redriven_at)
        if frame.token:
            found["Task"] = {"Token": frame.token}
        item = self.map_item(frame)
        if item is not None:
            found["Map"] = {"Item": item}
        return found

    def map_item(self, frame: Frame) -> dict[str, Any] | None:
        """The innermost Map's item that this frame is inside of."""
        current: Frame | None = frame
        while current is not None:
            if current.map_item is not None:
                return current.map_item
            current = None if current.parent is None else self.frame(current.parent)
        return self.execution.map_item

    # --- history

    def note(self, frame: Frame, kind: str, details: dict[str, Any] | None = None, previous: int | None = None) -> int:
        """Write an event; the frame's next one follows it. Its id."""
        number = self.event(kind, frame.last_event if previous is None else previous, details)
        frame.last_event = number
        return number

    def event(self, kind: str, previous: int, details: dict[str, Any] | None = None) -> int:
        number = self._next_event
        self._next_event += 1
        if self.execution.type == "STANDARD":
            EVENTS.put(self.tx, Event(self.arn, number, previous, kind, self.now, details))
        if self.execution.logging is not None:
            self._logged.append(
                {"id": number, "previous": previous, "type": kind, "at": self.now, "details": details or {}}
            )
        return number

    # --- the end of the transaction

    def change(self, **members: Any) -> None:
        """Change the execution's record."""
        self.execution = replace(self.execution, **members)
        EXECUTIONS.put(self.tx, self.execution)

    def save(self) -> None:
        """What is over and cannot be redriven leaves nothing but its history."""
        if self.is_over and (self.execution.status == "SUCCEEDED" or self.execution.type == "EXPRESS"):
            self._forget_frames()
        else:
            for frame in self._frames.values():
                FRAMES.put(self.tx, FrameRecord(self.arn, frame.frame_id, encode(frame)))
        PROGRESS.put(self.tx, Progress(self.arn, self._next_event, self._next_frame))
        if self._logged:
            self.later_job(LOG, {"arn": self.arn, "events": dumps(self._logged)}, self.now)

    def _forget_frames(self) -> None:
        for record in list(FRAMES.scan(self.tx, self.arn)):
            FRAMES.delete(self.tx, self.arn, record.frame_id)
        for item in list(ITEMS.scan(self.tx, self.arn)):
            ITEMS.delete(self.tx, self.arn, item.frame_id, item.index)

    def later_job(self, kind: str, payload: dict[str, Any], due: float, key: str | None = None) -> None:
        execution = self.execution
        enqueue(
            self.tx,
            kind,
            payload,
            due,
            self.call.ids,
            key=key,
            account_id=execution.account_id,
            region=execution.region,
        )
