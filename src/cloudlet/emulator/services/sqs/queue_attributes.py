"""The attributes of queues: reading them, changing them, and what changing them means for the record."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.sqs import fifo, standard
from cloudlet.emulator.services.sqs.api import (
    GetQueueAttributesRequest,
    GetQueueAttributesResult,
    InvalidAttributeName,
    InvalidAttributeValue,
    SetQueueAttributesRequest,
    SetQueueAttributesResult,
)
from cloudlet.emulator.services.sqs.attributes import (
    DEFAULTS,
    FIFO_DEFAULTS,
    READABLE,
    check_redrive_allow_policy,
    check_throughput,
    checked_attributes,
    read_redrive_policy,
    redrive_is_allowed,
)
from cloudlet.emulator.services.sqs.errors import invalid_value
from cloudlet.emulator.services.sqs.jobs import keep_retention
from cloudlet.emulator.services.sqs.lengths import length
from cloudlet.emulator.services.sqs.lookup import milliseconds, queue_of
from cloudlet.emulator.services.sqs.records import MESSAGES, QUEUES, Queue

ALL = "All"
COUNTS = frozenset(
    {
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
    }
)
DEFAULT_KMS_REUSE_SECONDS = "300"


@read_only
def get_queue_attributes(call: Call, request: GetQueueAttributesRequest) -> GetQueueAttributesResult:
    queue = queue_of(call, request)
    names = request.get("AttributeNames", [])
    for name in names:
        if name != ALL and name not in READABLE:
            raise InvalidAttributeName(f"Unknown Attribute {name}.")
    if not names:
        return {}
    wanted = READABLE if ALL in names else frozenset(names)
    values = effective_attributes(queue)
    values["QueueArn"] = queue.arn
    values["CreatedTimestamp"] = str(queue.created_seconds)
    values["LastModifiedTimestamp"] = str(queue.modified_seconds)
    if wanted & COUNTS:
        values.update(counts(call, queue))
    found = {name: value for name, value in values.items() if name in wanted}
    return {"Attributes": found} if found else {}


def effective_attributes(queue: Queue) -> dict[str, str]:
    """What was set, and the defaults of what was not."""
    values = dict(DEFAULTS)
    if queue.fifo:
        values.update(FIFO_DEFAULTS)
    values.update(queue.attributes)
    if "KmsMasterKeyId" in values:
        values.setdefault("KmsDataKeyReusePeriodSeconds", DEFAULT_KMS_REUSE_SECONDS)
    return values


def counts(call: Call, queue: Queue) -> dict[str, str]:
    """Messages that can be received, that are delayed, and that are in flight."""
    now = milliseconds(call)
    kind = fifo if queue.fifo else standard
    in_flight, delayed = kind.invisible(call.tx, queue, now)
    visible = length(call.tx, queue.storage_id) - in_flight - delayed
    if call.settings.sqs_enable_message_retention_period and not queue.fifo:
        # not yet swept; a message that became visible longer ago than the retention was sent even earlier
        oldest = now - queue.retention_seconds * 1000
        visible -= sum(1 for _ in MESSAGES.scan(call.tx, queue.storage_id, to=(oldest,)))
    return {
        "ApproximateNumberOfMessages": str(max(visible, 0)),
        "ApproximateNumberOfMessagesDelayed": str(delayed),
        "ApproximateNumberOfMessagesNotVisible": str(in_flight),
    }


@read_write
def set_queue_attributes(call: Call, request: SetQueueAttributesRequest) -> SetQueueAttributesResult:
    queue = queue_of(call, request)
    given = request["Attributes"]
    if "FifoQueue" in given and (given["FifoQueue"].lower() == "true") != queue.fifo:
        if not queue.fifo:
            raise InvalidAttributeName("Unknown Attribute FifoQueue.")
        raise InvalidAttributeValue(
            "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
        )
    checked = checked_attributes(given, fifo=queue.fifo)
    if checked:
        changed = with_attributes(call, queue, checked)
        QUEUES.put(call.tx, replace(changed, modified_seconds=int(call.now)))
        if changed.retention_seconds != queue.retention_seconds:
            keep_retention(call, changed)
    return {}


def with_attributes(call: Call, queue: Queue, checked: Mapping[str, str]) -> Queue:
    """The queue with `checked` attributes over its own; nothing is written.

    Raises InvalidParameterValue and InvalidAttributeValue for what only shows together with other queues.
    """
    attributes = {**queue.attributes, **checked}
    if checked.get("KmsMasterKeyId"):
        attributes["SqsManagedSseEnabled"] = "false"
    elif checked.get("SqsManagedSseEnabled") == "true" and attributes.get("KmsMasterKeyId"):
        raise InvalidAttributeName(
            "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."
        )
    attributes = {name: value for name, value in attributes.items() if value}
    if queue.fifo:
        check_throughput(attributes)
    if checked.get("RedriveAllowPolicy"):
        check_redrive_allow_policy(checked["RedriveAllowPolicy"])
    target, count = queue.dead_letter_arn, queue.max_receive_count
    if "RedrivePolicy" in checked:
        target, count = redrive(call, queue, checked["RedrivePolicy"])
    values = {**DEFAULTS, **attributes}
    return replace(
        queue,
        attributes=attributes,
        visibility_timeout_seconds=int(values["VisibilityTimeout"]),
        delay_seconds=int(values["DelaySeconds"]),
        wait_seconds=int(values["ReceiveMessageWaitTimeSeconds"]),
        maximum_bytes=int(values["MaximumMessageSize"]),
        retention_seconds=int(values["MessageRetentionPeriod"]),
        dead_letter_arn=target,
        max_receive_count=count,
        content_based_deduplication=attributes.get("ContentBasedDeduplication") == "true",
        deduplicates_by_group=attributes.get("DeduplicationScope") == "messageGroup",
    )


def redrive(call: Call, queue: Queue, policy: str) -> tuple[str | None, int]:
    """The dead-letter queue's ARN and the receive count of a RedrivePolicy; (None, 0) for an empty one."""
    if not policy:
        return None, 0
    address, count = read_redrive_policy(policy)
    target = QUEUES.get(call.tx, address.account_id, address.region, address.name)
    if target is None or target.region != queue.region:
        raise invalid_value(policy, "RedrivePolicy", "Dead letter target does not exist.")
    if target.account_id != queue.account_id:
        raise invalid_value(policy, "RedrivePolicy", "Dead-letter target owner should be same as the source.")
    if target.fifo != queue.fifo:
        raise invalid_value(policy, "RedrivePolicy", "Dead-letter queue must be same type of queue as the source.")
    if not redrive_is_allowed(target.attributes.get("RedriveAllowPolicy"), queue.arn):
        raise invalid_value(policy, "RedrivePolicy", "Queue does not have permission to use this dead-letter queue.")
    return target.arn, count
