"""What runs later: steps, timers, integrations, and the ends of child executions.

Each job names the frame and the attempt that it was made for; one that comes too late changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cloudlet.emulator.effects.jobs import JobHandler, RetryAfter, RetryPolicy
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps
from cloudlet.emulator.services.stepfunctions.engine import endings, map_runs, reports, starting, steps, tasks
from cloudlet.emulator.services.stepfunctions.engine.advance import ADVANCE, continued, opened
from cloudlet.emulator.services.stepfunctions.engine.frames import ENTER, PARTS, RETRY, TASK, WAIT, Frame, decode
from cloudlet.emulator.services.stepfunctions.engine.run import LOG, Run
from cloudlet.emulator.services.stepfunctions.integrations import item_readers, nested, result_writers, waiting
from cloudlet.emulator.services.stepfunctions.integrations.perform import Asked, perform
from cloudlet.emulator.services.stepfunctions.records import EXECUTIONS, FRAMES, Execution
from cloudlet.emulator.store.kv import Conflict

POLL = "stepfunctions.poll"
POLL_SECONDS = 1.0
MOST_CONFLICTS = 20
CONFLICT_SECONDS = 0.02
Payload = dict[str, Any]


@contextmanager
def at_frame(call: Call, payload: Payload, *phases: str) -> Iterator[tuple[Run, Frame] | None]:
    """The frame that a job is for; None when it has gone on without it."""
    with opened(call, payload["arn"]) as run:
        frame = None if run is None else run.find(payload["frame"])
        if run is None or frame is None or frame.attempt != payload["attempt"] or frame.phase not in phases:
            yield None
        else:
            yield run, frame


async def advance(call: Call, payload: Payload) -> None:
    with opened(call, payload["arn"]) as run:
        if run is not None:
            for number in reversed(payload["frames"]):
                frame = run.find(number)
                if frame is not None and frame.phase == ENTER:
                    run.do("enter", frame)


async def wake(call: Call, payload: Payload) -> None:
    with at_frame(call, payload, WAIT, RETRY) as found:
        if found is not None:
            found[0].do("woken", found[1])


async def expire_task(call: Call, payload: Payload) -> None:
    """The time for a task, or for its next heartbeat, is over."""
    with at_frame(call, payload, *TASK_PHASES) as found:
        if found is not None:
            run, frame = found
            run.do("settle", frame, {"timeout": payload["error"]})


async def expire(call: Call, payload: Payload) -> None:
    with opened(call, payload["arn"]) as run:
        if run is not None:
            endings.time_out(run)


# --- tasks

TASK_PHASES = ("task", "callback", "activity")


async def call_service(call: Call, payload: Payload) -> None:
    """Carry a task out, and go on with what came of it."""
    asked = waiting_task(call, payload)
    if asked is None:
        return
    outcome = await perform(call, asked)
    for attempt in range(MOST_CONFLICTS):
        try:
            settle(call, payload, outcome)
        except Conflict:  # another replica changed the execution: what was called must not be called again for that
            await asyncio.sleep(CONFLICT_SECONDS * attempt)
        else:
            return
    settle(call, payload, outcome)


def waiting_task(call: Call, payload: Payload) -> Asked | None:
    with call.transaction(read_only=True) as tx:
        execution = EXECUTIONS.get(tx, payload["arn"])
        record = FRAMES.get(tx, payload["arn"], payload["frame"])
    if execution is None or record is None or execution.status != "RUNNING":
        return None
    frame = decode(record.content)
    if frame.attempt != payload["attempt"] or frame.phase != TASK or frame.task is None:
        return None
    return asked_of(execution, frame)


def asked_of(execution: Execution, frame: Frame) -> Asked:
    task = frame.task
    assert task is not None
    return Asked(
        task.kind,
        task.resource_type,
        task.resource,
        task.pattern,
        task.arguments,
        frame.state,
        frame.entered_event,
        (execution.machine_arn, execution.arn),
        task.role_arn,
    )


def settle(call: Call, payload: Payload, outcome: dict[str, Any]) -> None:
    """Write down what came of a call; for `.sync`, arrange to hear of the end."""
    with at_frame(call, payload, TASK) as found:
        if found is None:
            return
        run, frame = found
        run.do("settle", frame, outcome)
        if "submitted" not in outcome or frame.task is None or frame.task.pattern != "sync":
            return
        if outcome.get("poll") is not None:
            run.later_job(POLL, {**payload, "question": outcome["poll"]}, run.now + POLL_SECONDS)
        elif frame.task.resource_type == "states":
            end = nested.listen(call, outcome["submitted"], [run.arn, frame.frame_id, frame.attempt])
            if end is not None:
                run.do_after("settle", frame, nested.outcome_of(end, frame.task.resource))


async def poll(call: Call, payload: Payload) -> None:
    """Ask whether a job of another service is done; again in a second when it is not."""
    asked = payload["question"]
    question = waiting.question(asked)
    with call.transaction(read_only=True) as tx:
        execution = EXECUTIONS.get(tx, payload["arn"])
    if execution is None or execution.status != "RUNNING":
        return
    try:
        answer = await call.reach(question.service, question.operation, asked["request"])
    except AwsError as error:
        outcome: dict[str, Any] = {"error": f"{question.service}.{error.code}", "cause": error.message}
    else:
        found = waiting.described(question, answer)
        status = waiting.at(waiting.at(answer, question.found), question.status)
        if status in question.bad:
            outcome = {"error": "States.TaskFailed", "cause": dumps(found)}
        elif status in question.good:
            outcome = {"result": found}
        else:
            raise RetryAfter(POLL_SECONDS)
    with at_frame(call, payload, "callback") as here:
        if here is not None:
            here[0].do("settle", here[1], outcome)


def gave_up(call: Call, payload: Payload, reason: str) -> None:
    """An integration that broke again and again fails its task."""
    with continued(call, payload["arn"]) as run:
        frame = None if run is None else run.find(payload["frame"])
        if run is not None and frame is not None and frame.attempt == payload["attempt"] and frame.task is not None:
            run.do("settle", frame, {"error": "States.TaskFailed", "cause": reason})


# --- children


async def child_ended(call: Call, payload: Payload) -> None:
    """An execution has ended that a task, or a Map run, waits for."""
    waiter = payload["waiter"]
    address = {"arn": waiter[0], "frame": waiter[1], "attempt": waiter[2]}
    with at_frame(call, address, PARTS, "callback", TASK) as found:
        if found is None:
            return
        run, frame = found
        if len(waiter) > 3:
            run.do("child_ended", frame, {"index": waiter[3], "arn": payload["child"]})
        elif frame.task is not None:
            child = EXECUTIONS.get(run.tx, payload["child"])
            if child is not None:
                run.do("settle", frame, nested.outcome_of(child, frame.task.resource))


async def start_child(call: Call, payload: Payload) -> None:
    with at_frame(call, payload, PARTS) as found:
        if found is not None:
            run, frame = found
            child = map_runs.child_of(run, frame, payload["index"])
            if child is not None:
                starting.begin(call, child)


async def abort_child(call: Call, payload: Payload) -> None:
    with opened(call, payload["arn"]) as run:
        if run is not None:
            run.change(waiter=None)
            endings.abort(run, None, None)


async def read_items(call: Call, payload: Payload) -> None:
    outcome = await item_readers.read(call, payload["asked"])
    with at_frame(call, payload, PARTS) as found:
        if found is not None:
            found[0].do("read_items", found[1], outcome)


async def write_results(call: Call, payload: Payload) -> None:
    with call.transaction(read_only=True) as tx:
        asked = result_writers.results_of(tx, payload)
    outcome = await result_writers.write(call, payload["arguments"], asked)
    with at_frame(call, payload, PARTS) as found:
        if found is not None:
            found[0].do("written", found[1], outcome)


RETRY_POLICY = RetryPolicy((0.5, 1.0, 2.0, 4.0))
HANDLERS = (
    JobHandler(ADVANCE, advance, RETRY_POLICY),
    JobHandler(steps.WAKE, wake, RETRY_POLICY),
    JobHandler(tasks.CALL, call_service, RETRY_POLICY, gave_up=gave_up),
    JobHandler(tasks.EXPIRE_TASK, expire_task, RETRY_POLICY),
    JobHandler(endings.EXPIRE, expire, RETRY_POLICY),
    JobHandler(POLL, poll, RETRY_POLICY, gave_up=gave_up),
    JobHandler(endings.TOLD, child_ended, RETRY_POLICY),
    JobHandler(map_runs.START, start_child, RETRY_POLICY),
    JobHandler(map_runs.ABORT, abort_child, RETRY_POLICY),
    JobHandler(map_runs.READ, read_items, RETRY_POLICY),
    JobHandler(map_runs.WRITE, write_results, RETRY_POLICY),
    JobHandler(endings.ANNOUNCE, reports.announce, RETRY_POLICY),
    JobHandler(LOG, reports.log, RETRY_POLICY),
)
