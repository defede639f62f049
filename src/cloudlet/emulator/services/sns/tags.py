"""Tags of topics."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.sns.api import (
    ListTagsForResourceRequest,
    ListTagsForResourceResponse,
    ResourceNotFoundException,
    TagLimitExceededException,
    TagResourceRequest,
    TagResourceResponse,
    UntagResourceRequest,
    UntagResourceResponse,
)
from cloudlet.emulator.services.sns.errors import invalid
from cloudlet.emulator.services.sns.records import TOPICS, Topic

MOST_TAGS = 50
LONGEST_KEY = 128
LONGEST_VALUE = 256


def tagged(call: Call, arn: str) -> Topic:
    """Raises ResourceNotFound."""
    topic = TOPICS.get(call.tx, arn)
    if topic is None:
        raise ResourceNotFoundException("Resource does not exist")
    return topic


@read_write
def tag_resource(call: Call, request: TagResourceRequest) -> TagResourceResponse:
    topic = tagged(call, request["ResourceArn"])
    keys = [tag["Key"] for tag in request["Tags"]]
    if len(set(keys)) != len(keys):
        raise invalid("Duplicated keys are not allowed.")
    tags = {**topic.tags, **{tag["Key"]: tag["Value"] for tag in request["Tags"]}}
    check_tags(tags)
    TOPICS.put(call.tx, replace(topic, tags=tags))
    return {}


@read_write
def untag_resource(call: Call, request: UntagResourceRequest) -> UntagResourceResponse:
    topic = tagged(call, request["ResourceArn"])
    removed = frozenset(request["TagKeys"])
    TOPICS.put(call.tx, replace(topic, tags={key: value for key, value in topic.tags.items() if key not in removed}))
    return {}


@read_only
def list_tags_for_resource(call: Call, request: ListTagsForResourceRequest) -> ListTagsForResourceResponse:
    tags = tagged(call, request["ResourceArn"]).tags
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def check_tags(tags: Mapping[str, str]) -> None:
    """Raises InvalidParameter, TagLimitExceeded."""
    if len(tags) > MOST_TAGS:
        raise TagLimitExceededException(
            f"Could not complete request: tag quota of per resource exceeded, the maximum is {MOST_TAGS}"
        )
    for key, value in tags.items():
        if not 1 <= len(key) <= LONGEST_KEY or len(value) > LONGEST_VALUE:
            raise invalid("Tags Reason: a key has 1 to 128 characters, a value 0 to 256")
