"""What a receipt handle allows: DeleteMessage, ChangeMessageVisibility, and their batches."""

from __future__ import annotations

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.sqs import fifo, standard
from cloudlet.emulator.services.sqs.api import (
    ChangeMessageVisibilityBatchRequest,
    ChangeMessageVisibilityBatchResult,
    ChangeMessageVisibilityRequest,
    ChangeMessageVisibilityResult,
    DeleteMessageBatchRequest,
    DeleteMessageBatchResult,
    DeleteMessageRequest,
    DeleteMessageResult,
)
from cloudlet.emulator.services.sqs.attributes import LONGEST_VISIBILITY
from cloudlet.emulator.services.sqs.batches import check_entries, run_entries
from cloudlet.emulator.services.sqs.errors import MissingParameter, invalid_value
from cloudlet.emulator.services.sqs.lookup import milliseconds, queue_of
from cloudlet.emulator.services.sqs.receipts import read_receipt
from cloudlet.emulator.services.sqs.records import Queue


@read_write
def delete_message(call: Call, request: DeleteMessageRequest) -> DeleteMessageResult:
    """A message that is gone already counts as deleted. Raises ReceiptHandleIsInvalid, InvalidParameterValue."""
    delete(call, queue_of(call, request), request["ReceiptHandle"])
    return {}


@read_write
def delete_message_batch(call: Call, request: DeleteMessageBatchRequest) -> DeleteMessageBatchResult:
    queue = queue_of(call, request)
    entries = request.get("Entries", [])
    check_entries(entries, "DeleteMessageBatchRequestEntry")
    return run_entries(entries, lambda entry: delete(call, queue, entry["ReceiptHandle"]))  # type: ignore[return-value]


def delete(call: Call, queue: Queue, handle: str) -> None:
    receipt = read_receipt(queue, handle)
    if queue.fifo:
        fifo.delete(call.tx, receipt, handle, milliseconds(call))
    else:
        standard.delete(call.tx, receipt)


@read_write
def change_message_visibility(call: Call, request: ChangeMessageVisibilityRequest) -> ChangeMessageVisibilityResult:
    """Raises ReceiptHandleIsInvalid, InvalidParameterValue."""
    change(call, queue_of(call, request), request["ReceiptHandle"], request.get("VisibilityTimeout"))
    return {}


@read_write
def change_message_visibility_batch(
    call: Call, request: ChangeMessageVisibilityBatchRequest
) -> ChangeMessageVisibilityBatchResult:
    queue = queue_of(call, request)
    entries = request.get("Entries", [])
    check_entries(entries, "ChangeMessageVisibilityBatchRequestEntry")
    return run_entries(  # type: ignore[return-value]
        entries, lambda entry: change(call, queue, entry["ReceiptHandle"], entry.get("VisibilityTimeout"))
    )


def change(call: Call, queue: Queue, handle: str, timeout_seconds: int | None) -> None:
    if timeout_seconds is None:
        raise MissingParameter("The request must contain the parameter VisibilityTimeout.")
    if not 0 <= timeout_seconds <= LONGEST_VISIBILITY:
        raise invalid_value(
            timeout_seconds, "VisibilityTimeout", "VisibilityTimeout must be an integer between 0 and 43200."
        )
    receipt = read_receipt(queue, handle)
    now = milliseconds(call)
    kind = fifo if queue.fifo else standard
    kind.change_visibility(call.tx, receipt, handle, now, now + timeout_seconds * 1000)
