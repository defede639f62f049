"""Queues: creating, finding, listing, purging, deleting."""

from __future__ import annotations

import json
from collections.abc import Mapping

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.sqs.api import (
    CreateQueueRequest,
    CreateQueueResult,
    DeleteQueueRequest,
    DeleteQueueResult,
    GetQueueUrlRequest,
    GetQueueUrlResult,
    InvalidAttributeName,
    ListDeadLetterSourceQueuesRequest,
    ListDeadLetterSourceQueuesResult,
    ListQueuesRequest,
    ListQueuesResult,
    PurgeQueueInProgress,
    PurgeQueueRequest,
    PurgeQueueResult,
    QueueDeletedRecently,
    QueueNameExists,
)
from cloudlet.emulator.services.sqs.attributes import (
    FIFO_SUFFIX,
    check_queue_name,
    checked_attributes,
    same_value,
)
from cloudlet.emulator.services.sqs.errors import no_such_queue
from cloudlet.emulator.services.sqs.jobs import forget_retention, keep_retention, sweep_storage
from cloudlet.emulator.services.sqs.lengths import close, continue_in
from cloudlet.emulator.services.sqs.lookup import check_endpoint, milliseconds, queue_of, url_of
from cloudlet.emulator.services.sqs.paging import decode_token, encode_token, page_size
from cloudlet.emulator.services.sqs.queue_attributes import effective_attributes, with_attributes
from cloudlet.emulator.services.sqs.records import DELETIONS, GENERATION_BITS, QUEUES, Deletion, Queue
from cloudlet.emulator.services.sqs.tags import check_tags
from cloudlet.emulator.services.sqs.urls import QueueAddress, queue_arn

SECONDS_BETWEEN_PURGES = 60
SECONDS_BEFORE_REUSE = 60
IDENTITY_BYTES = 5  # with the generation's 16 bits this fits a key's 64


@read_write
def create_queue(call: Call, request: CreateQueueRequest) -> CreateQueueResult:
    """Raises QueueNameExists when the queue is there with other values of the given attributes."""
    check_endpoint(call)
    name = request["QueueName"]
    given = request.get("Attributes", {})
    fifo = is_fifo(name, given)
    check_queue_name(name, fifo)
    attributes = checked_attributes(given, fifo=fifo)
    existing = QUEUES.get(call.tx, call.account_id, call.region, name)
    if existing is not None:
        check_same(existing, attributes)
        return {"QueueUrl": url_of(call, existing)}
    check_not_deleted_recently(call, name)
    tags = request.get("tags", {})
    check_tags(tags)
    queue = with_attributes(call, new_queue(call, name, fifo, tags), attributes)
    QUEUES.put(call.tx, queue)
    keep_retention(call, queue)
    return {"QueueUrl": url_of(call, queue)}


def is_fifo(name: str, given: Mapping[str, str]) -> bool:
    """Raises InvalidAttributeName: FifoQueue may only be true, and only at creation."""
    value = given.get("FifoQueue")
    if value is None:
        return False
    if value.lower() != "true":
        raise InvalidAttributeName("Unknown Attribute FifoQueue.")
    return True


def new_queue(call: Call, name: str, fifo: bool, tags: dict[str, str]) -> Queue:
    now = int(call.now)
    return Queue(
        account_id=call.account_id,
        region=call.region,
        name=name,
        storage_id=int.from_bytes(call.ids.bytes(IDENTITY_BYTES), "big") << GENERATION_BITS,
        arn=queue_arn(call.partition, QueueAddress(call.region, call.account_id, name)),
        fifo=fifo,
        attributes={},
        tags=dict(tags),
        created_seconds=now,
        modified_seconds=now,
        visibility_timeout_seconds=0,
        delay_seconds=0,
        wait_seconds=0,
        maximum_bytes=0,
        retention_seconds=0,
        dead_letter_arn=None,
        max_receive_count=0,
        content_based_deduplication=False,
        deduplicates_by_group=False,
        purged_at=0,
    )


def check_same(existing: Queue, attributes: Mapping[str, str]) -> None:
    """Raises QueueNameExists."""
    current = effective_attributes(existing)
    for name, value in attributes.items():
        if not same_value(name, current.get(name, ""), value):
            raise QueueNameExists(
                f"A queue already exists with the same name and a different value for attribute {name}"
            )


def check_not_deleted_recently(call: Call, name: str) -> None:
    """Raises QueueDeletedRecently, where `SQS_DELAY_RECENTLY_DELETED` is on."""
    if not call.settings.sqs_delay_recently_deleted:
        return
    deletion = DELETIONS.get(call.tx, call.account_id, call.region, name)
    if deletion is None:
        return
    if milliseconds(call) - deletion.deleted_at < SECONDS_BEFORE_REUSE * 1000:
        raise QueueDeletedRecently(
            "You must wait 60 seconds after deleting a queue before you can create another with the same name."
        )
    DELETIONS.delete(call.tx, call.account_id, call.region, name)


@read_only
def get_queue_url(call: Call, request: GetQueueUrlRequest) -> GetQueueUrlResult:
    """Raises QueueDoesNotExist."""
    name = request["QueueName"]
    check_queue_name(name, name.endswith(FIFO_SUFFIX))
    account_id = request.get("QueueOwnerAWSAccountId") or call.account_id
    queue = QUEUES.get(call.tx, account_id, call.region, name)
    if queue is None:
        raise no_such_queue()
    return {"QueueUrl": url_of(call, queue)}


@read_only
def list_queues(call: Call, request: ListQueuesRequest) -> ListQueuesResult:
    """Queues of the account in the region, by name; 1,000 at most, or pages of `MaxResults`."""
    check_endpoint(call)
    size = page_size(request.get("MaxResults"))
    token = request.get("NextToken")
    found = list(
        QUEUES.scan(
            call.tx,
            call.account_id,
            call.region,
            starts_with=request.get("QueueNamePrefix", ""),
            after=(decode_token(token),) if token else None,
            limit=size + 1,
        )
    )
    result: ListQueuesResult = {}
    if found:
        result["QueueUrls"] = [url_of(call, queue) for queue in found[:size]]
    if len(found) > size and "MaxResults" in request:
        result["NextToken"] = encode_token(found[size - 1].name)
    return result


@read_only
def list_dead_letter_source_queues(
    call: Call, request: ListDeadLetterSourceQueuesRequest
) -> ListDeadLetterSourceQueuesResult:
    """Queues whose RedrivePolicy names this queue."""
    queue = queue_of(call, request)
    size = page_size(request.get("MaxResults"))
    token = request.get("NextToken")
    after = tuple(json.loads(decode_token(token))) if token else None
    sources = list(QUEUES.lookup(call.tx, "by_dead_letter_queue", queue.arn, after=after, limit=size + 1))
    result: ListDeadLetterSourceQueuesResult = {"queueUrls": [url_of(call, source) for source in sources[:size]]}
    if len(sources) > size and "MaxResults" in request:
        last = sources[size - 1]
        result["NextToken"] = encode_token(json.dumps([last.account_id, last.region, last.name]))
    return result


@read_write
def delete_queue(call: Call, request: DeleteQueueRequest) -> DeleteQueueResult:
    queue = queue_of(call, request)
    QUEUES.delete(call.tx, queue.account_id, queue.region, queue.name)
    close(call.tx, queue.storage_id)
    forget_retention(call, queue)
    sweep_storage(call, queue.storage_id)
    if call.settings.sqs_delay_recently_deleted:
        DELETIONS.put(call.tx, Deletion(queue.account_id, queue.region, queue.name, milliseconds(call)))
    return {}


@read_write
def purge_queue(call: Call, request: PurgeQueueRequest) -> PurgeQueueResult:
    """Gives the queue an empty storage; the old one is swept in the background, however much there is.

    Raises PurgeQueueInProgress, where `SQS_DELAY_PURGE_RETRY` is on.
    """
    queue = queue_of(call, request)
    now = milliseconds(call)
    if call.settings.sqs_delay_purge_retry and now - queue.purged_at < SECONDS_BETWEEN_PURGES * 1000:
        raise PurgeQueueInProgress(f"Only one PurgeQueue operation on {queue.name} is allowed every 60 seconds.")
    purged = replace(queue, storage_id=queue.storage_id + 1, purged_at=now)
    continue_in(call.tx, queue.storage_id, purged.storage_id)
    sweep_storage(call, queue.storage_id)
    QUEUES.put(call.tx, purged)
    return {}
