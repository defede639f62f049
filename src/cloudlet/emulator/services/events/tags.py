"""Tags of rules and buses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.eventing.arns import parse_arn
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.events.api import (
    ListTagsForResourceRequest,
    ListTagsForResourceResponse,
    TagResourceRequest,
    TagResourceResponse,
    UntagResourceRequest,
    UntagResourceResponse,
)
from cloudlet.emulator.services.events.errors import invalid, no_such_bus, no_such_rule, not_valid
from cloudlet.emulator.services.events.lookup import DEFAULT, Place, find_bus
from cloudlet.emulator.services.events.records import BUSES, RULES, Bus, Rule

MOST_TAGS = 50
Change = Callable[[dict[str, str]], dict[str, str]]


@read_only
def list_tags_for_resource(call: Call, request: ListTagsForResourceRequest) -> ListTagsForResourceResponse:
    """Raises ResourceNotFoundException, ValidationException."""
    found = tagged(call, request["ResourceARN"])
    return {"Tags": [{"Key": key, "Value": value} for key, value in found.tags.items()]}


@read_write
def tag_resource(call: Call, request: TagResourceRequest) -> TagResourceResponse:
    """Raises ResourceNotFoundException, ValidationException."""
    found = tagged(call, request["ResourceARN"])
    store(call, found, found.tags | tags_in(request))
    return {}


@read_write
def untag_resource(call: Call, request: UntagResourceRequest) -> UntagResourceResponse:
    """Raises ResourceNotFoundException, ValidationException."""
    found = tagged(call, request["ResourceARN"])
    store(call, found, {key: value for key, value in found.tags.items() if key not in request["TagKeys"]})
    return {}


def store(call: Call, found: Bus | Rule, tags: dict[str, str]) -> None:
    if len(tags) > MOST_TAGS:
        raise invalid(f"A resource can have at most {MOST_TAGS} tags.")
    if isinstance(found, Rule):
        RULES.put(call.tx, replace(found, tags=tags))
    else:
        BUSES.put(call.tx, replace(found, tags=tags))


def tagged(call: Call, arn_text: str) -> Bus | Rule:
    """Raises ResourceNotFoundException, ValidationException for what is no ARN of a rule or bus."""
    arn = parse_arn(arn_text)
    kind, _, path = arn.resource.partition("/") if arn is not None else ("", "", "")
    if arn is None or kind not in ("rule", "event-bus"):
        raise not_valid(arn_text, "Provided Arn is not in correct format.")
    if kind == "event-bus":
        bus = find_bus(call, Place(arn.account, arn.region, path))
        if bus is None:
            raise no_such_bus(path)
        return bus
    bus_name, _, name = path.rpartition("/")
    rule = RULES.get(call.tx, arn.account, arn.region, bus_name or DEFAULT, name)
    if rule is None:
        raise no_such_rule(name, bus_name or DEFAULT)
    return rule


def tags_in(request: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())}
