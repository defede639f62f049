"""Tags of queues."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.sqs.api import (
    ListQueueTagsRequest,
    ListQueueTagsResult,
    TagQueueRequest,
    TagQueueResult,
    UntagQueueRequest,
    UntagQueueResult,
)
from cloudlet.emulator.services.sqs.errors import InvalidParameterValue, MissingParameter
from cloudlet.emulator.services.sqs.lookup import queue_of
from cloudlet.emulator.services.sqs.records import QUEUES

MOST_TAGS = 50
LONGEST_KEY = 128
LONGEST_VALUE = 256


@read_write
def tag_queue(call: Call, request: TagQueueRequest) -> TagQueueResult:
    queue = queue_of(call, request)
    added = request.get("Tags")
    if not added:
        raise MissingParameter("The request must contain the parameter Tags.")
    tags = {**queue.tags, **added}
    check_tags(tags)
    QUEUES.put(call.tx, replace(queue, tags=tags))
    return {}


@read_write
def untag_queue(call: Call, request: UntagQueueRequest) -> UntagQueueResult:
    queue = queue_of(call, request)
    removed = frozenset(request["TagKeys"])
    if not removed:
        raise InvalidParameterValue(f"Tag keys must be between 1 and {LONGEST_KEY} characters in length.")
    QUEUES.put(call.tx, replace(queue, tags={key: value for key, value in queue.tags.items() if key not in removed}))
    return {}


@read_only
def list_queue_tags(call: Call, request: ListQueueTagsRequest) -> ListQueueTagsResult:
    tags = queue_of(call, request).tags
    return {"Tags": dict(tags)} if tags else {}


def check_tags(tags: Mapping[str, str]) -> None:
    """Raises InvalidParameterValue."""
    if len(tags) > MOST_TAGS:
        raise InvalidParameterValue(f"Too many tags added for queue. Maximum number of tags per queue is {MOST_TAGS}.")
    for key, value in tags.items():
        if not 1 <= len(key) <= LONGEST_KEY:
            raise InvalidParameterValue(f"Tag keys must be between 1 and {LONGEST_KEY} characters in length.")
        if len(value) > LONGEST_VALUE:
            raise InvalidParameterValue(f"Tag values must be between 0 and {LONGEST_VALUE} characters in length.")
