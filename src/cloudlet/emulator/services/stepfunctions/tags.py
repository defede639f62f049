"""Tags of state machines and activities."""

from __future__ import annotations

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.stepfunctions.api import (
    ListTagsForResourceInput,
    ListTagsForResourceOutput,
    TagResourceInput,
    TagResourceOutput,
    TooManyTags,
    UntagResourceInput,
    UntagResourceOutput,
)
from cloudlet.emulator.services.stepfunctions.errors import no_such_resource
from cloudlet.emulator.services.stepfunctions.names import read
from cloudlet.emulator.services.stepfunctions.records import ACTIVITIES, MACHINES, Activity, Machine

MOST_TAGS = 50


def check_tags(tags: dict[str, str], arn: str = "") -> dict[str, str]:
    """Raises TooManyTags."""
    if len(tags) > MOST_TAGS:
        raise TooManyTags(f"Too many tags: '{arn}'", resourceName=arn)
    return tags


@read_write
def tag_resource(call: Call, request: TagResourceInput) -> TagResourceOutput:
    """Raises InvalidArn, ResourceNotFound, TooManyTags."""
    found = tagged(call, request["resourceArn"])
    given = {tag["key"]: tag.get("value", "") for tag in request["tags"]}
    write(call, found, check_tags({**found.tags, **given}, request["resourceArn"]))
    return {}


@read_write
def untag_resource(call: Call, request: UntagResourceInput) -> UntagResourceOutput:
    """Raises InvalidArn, ResourceNotFound."""
    found = tagged(call, request["resourceArn"])
    gone = set(request["tagKeys"])
    write(call, found, {key: value for key, value in found.tags.items() if key not in gone})
    return {}


@read_only
def list_tags_for_resource(call: Call, request: ListTagsForResourceInput) -> ListTagsForResourceOutput:
    """Raises InvalidArn, ResourceNotFound."""
    tags = tagged(call, request["resourceArn"]).tags
    return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}


def tagged(call: Call, text: str) -> Machine | Activity:
    arn = read(text, "stateMachine", "activity")
    if arn.qualifier:  # versions and aliases have no tags
        raise no_such_resource(text)
    key = (arn.account_id, arn.region, arn.name)
    found = MACHINES.get(call.tx, *key) if arn.kind == "stateMachine" else ACTIVITIES.get(call.tx, *key)
    if found is None:
        raise no_such_resource(text)
    return found


def write(call: Call, found: Machine | Activity, tags: dict[str, str]) -> None:
    if isinstance(found, Machine):
        MACHINES.put(call.tx, replace(found, tags=tags))
    else:
        ACTIVITIES.put(call.tx, replace(found, tags=tags))
