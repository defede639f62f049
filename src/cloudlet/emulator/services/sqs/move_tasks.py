"""Message move tasks: redriving what is in a dead-letter queue."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloudlet.emulator.effects.jobs import enqueue
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.sqs import fifo, standard
from cloudlet.emulator.services.sqs.api import (
    CancelMessageMoveTaskRequest,
    CancelMessageMoveTaskResult,
    ListMessageMoveTasksRequest,
    ListMessageMoveTasksResult,
    ResourceNotFoundException,
    StartMessageMoveTaskRequest,
    StartMessageMoveTaskResult,
    UnsupportedOperation,
)
from cloudlet.emulator.services.sqs.errors import InvalidParameterValue, invalid_value
from cloudlet.emulator.services.sqs.lengths import length
from cloudlet.emulator.services.sqs.lookup import milliseconds, queue_by_arn
from cloudlet.emulator.services.sqs.records import MOVE_TASKS, QUEUES, Message, MoveTask, Queue
from cloudlet.emulator.services.sqs.transfers import transfer, withdraw

if TYPE_CHECKING:
    from cloudlet.emulator.services.sqs.api import ListMessageMoveTasksResultEntry

MOVE = "sqs.move"
CHUNK = 100  # messages moved in one transaction where no rate is asked for
MOST_PER_SECOND = 500
MOST_RESULTS = 10
ACTIVE = frozenset({"RUNNING", "CANCELLING"})


@read_write
def start_message_move_task(call: Call, request: StartMessageMoveTaskRequest) -> StartMessageMoveTaskResult:
    """Raises ResourceNotFoundException, InvalidParameterValue."""
    source_arn = request["SourceArn"]
    destination_arn = request.get("DestinationArn", "")
    source = queue_by_arn(call, source_arn)
    if source is None:
        raise ResourceNotFoundException("The resource that you specified for the SourceArn parameter doesn't exist.")
    if QUEUES.find(call.tx, "by_dead_letter_queue", source_arn) is None:
        raise InvalidParameterValue("Source queue must be configured as a Dead Letter Queue.")
    if destination_arn and queue_by_arn(call, destination_arn) is None:
        raise ResourceNotFoundException(
            "The resource that you specified for the DestinationArn parameter doesn't exist."
        )
    if destination_arn == source_arn:
        raise InvalidParameterValue("Source queue arn and destination queue arn cannot be same")
    rate = request.get("MaxNumberOfMessagesPerSecond", 0)
    if "MaxNumberOfMessagesPerSecond" in request and not 1 <= rate <= MOST_PER_SECOND:
        raise invalid_value(rate, "MaxNumberOfMessagesPerSecond", "Must be between 1 and 500, if provided.")
    if any(task.status in ACTIVE for task in MOVE_TASKS.scan(call.tx, source_arn, reverse=True, limit=MOST_RESULTS)):
        raise InvalidParameterValue(
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
        )
    task = MoveTask(
        source_arn,
        milliseconds(call),
        call.ids.uuid(),
        destination_arn,
        "RUNNING",
        rate,
        0,
        length(call.tx, source.storage_id),
    )
    MOVE_TASKS.put(call.tx, task)
    schedule(call, task, call.now)
    return {"TaskHandle": task_handle(task)}


@read_only
def list_message_move_tasks(call: Call, request: ListMessageMoveTasksRequest) -> ListMessageMoveTasksResult:
    """The latest tasks of a source queue, newest first; one unless `MaxResults` says more."""
    source_arn = request["SourceArn"]
    if queue_by_arn(call, source_arn) is None:
        raise ResourceNotFoundException("The resource that you specified for the SourceArn parameter doesn't exist.")
    limit = request.get("MaxResults", 1)
    if not 1 <= limit <= MOST_RESULTS:
        raise invalid_value(limit, "MaxResults", "Must be between 1 and 10, if provided.")
    tasks = MOVE_TASKS.scan(call.tx, source_arn, reverse=True, limit=limit)
    return {"Results": [task_entry(task) for task in tasks]}


@read_write
def cancel_message_move_task(call: Call, request: CancelMessageMoveTaskRequest) -> CancelMessageMoveTaskResult:
    """Raises InvalidParameterValue, ResourceNotFoundException, UnsupportedOperation."""
    task_id, source_arn = read_task_handle(request["TaskHandle"])
    if queue_by_arn(call, source_arn) is None:
        raise ResourceNotFoundException("The resource that you specified for the SourceArn parameter doesn't exist.")
    task = next((task for task in MOVE_TASKS.scan(call.tx, source_arn, reverse=True) if task.task_id == task_id), None)
    if task is None:
        raise ResourceNotFoundException("Task does not exist.")
    if task.status != "RUNNING":
        raise UnsupportedOperation("Only active tasks can be cancelled.")
    MOVE_TASKS.put(call.tx, replace(task, status="CANCELLING"))
    return {"ApproximateNumberOfMessagesMoved": task.moved}


def task_handle(task: MoveTask) -> str:
    return b64encode(json.dumps({"taskId": task.task_id, "sourceArn": task.source_arn}).encode()).decode()


def read_task_handle(handle: str) -> tuple[str, str]:
    """Task id and source ARN. Raises InvalidParameterValue."""
    try:
        document = json.loads(b64decode(handle, validate=True))
        return str(document["taskId"]), str(document["sourceArn"])
    except (ValueError, KeyError, TypeError):
        raise invalid_value(handle, "TaskHandle", "Invalid task handle.") from None


def task_entry(task: MoveTask) -> ListMessageMoveTasksResultEntry:
    entry: ListMessageMoveTasksResultEntry = {
        "Status": task.status,
        "SourceArn": task.source_arn,
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "StartedTimestamp": task.started_at,
    }
    if task.status == "RUNNING":
        entry["TaskHandle"] = task_handle(task)
    if task.destination_arn:
        entry["DestinationArn"] = task.destination_arn
    if task.messages_per_second:
        entry["MaxNumberOfMessagesPerSecond"] = task.messages_per_second
    if task.failure:
        entry["FailureReason"] = task.failure
    return entry


def schedule(call: Call, task: MoveTask, due: float) -> None:
    payload = {"source_arn": task.source_arn, "started_at": task.started_at, "task_id": task.task_id}
    enqueue(call.tx, MOVE, payload, due, call.ids, key=task.task_id)


async def run_move_task(call: Call, payload: dict[str, Any]) -> None:
    """Move messages until none is visible; with a rate, one second's worth, and the next in a second."""
    while True:
        with call.transaction() as tx:
            task = MOVE_TASKS.get(tx, payload["source_arn"], payload["started_at"], payload["task_id"])
            if task is None or task.status not in ACTIVE:
                return
            task = advance(call, task)
            MOVE_TASKS.put(tx, task)
            if task.status != "RUNNING":
                return
            if task.messages_per_second:
                schedule(call, task, call.now + 1)
                return
        await asyncio.sleep(0)


def advance(call: Call, task: MoveTask) -> MoveTask:
    """Move the next messages; the task as it is then."""
    if task.status == "CANCELLING":
        return replace(task, status="CANCELLED")
    source = queue_by_arn(call, task.source_arn)
    if source is None:
        return failed(task, "AWS.SimpleQueueService.NonExistentQueue")
    now = milliseconds(call)
    limit = task.messages_per_second or CHUNK
    messages = visible(call, source, now, limit)
    moved = 0
    for message in messages:
        destination_arn = task.destination_arn or message.dead_letter_source
        if not destination_arn:
            return failed(replace(task, moved=task.moved + moved), "CouldNotDetermineMessageSource")
        destination = queue_by_arn(call, destination_arn)
        if destination is None:
            return failed(replace(task, moved=task.moved + moved), "AWS.SimpleQueueService.NonExistentQueue")
        withdraw(call.tx, source, message)
        transfer(call.tx, renewed(call, message, now), destination, now, dead_letter_source="")
        moved += 1
    status = "COMPLETED" if length(call.tx, source.storage_id) == 0 or not messages else "RUNNING"
    return replace(task, moved=task.moved + moved, status=status)


def renewed(call: Call, message: Message, now: int) -> Message:
    """Redriven messages are new ones with a new id and time ("Dead-letter queue redrive")."""
    return replace(
        message,
        message_id=call.ids.uuid(),
        sent_at=now,
        receive_count=0,
        received_elsewhere=0,
        first_received_at=0,
    )


def failed(task: MoveTask, reason: str) -> MoveTask:
    return replace(task, status="FAILED", failure=reason)


def visible(call: Call, queue: Queue, now: int, limit: int) -> list[Message]:
    if not queue.fifo:
        return standard.head(call.tx, queue, now, limit, None)
    return [
        message
        for group in fifo.ready_groups(call.tx, queue, now, limit)
        for message in fifo.group_head(call.tx, group, now, limit)
    ][:limit]
