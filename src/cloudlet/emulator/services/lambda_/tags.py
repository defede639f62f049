"""Tags of functions, event source mappings and code signing configurations."""

from __future__ import annotations

import re
from collections.abc import Mapping as Words
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.lambda_.errors import invalid, no_function, not_found, violation
from cloudlet.emulator.services.lambda_.records import (
    FUNCTIONS,
    MAPPINGS,
    SIGNING,
    VERSIONS,
    Function,
    Mapping,
    Signing,
)

MOST_TAGS = 50
ARN = re.compile(
    r"arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):(function|event-source-mapping|code-signing-config|capacity-provider):([a-zA-Z0-9-_]+)(:.+)?"
)
NOUNS: Words[str, str] = MappingProxyType(
    {
        "event-source-mapping": "Event source mapping",
        "code-signing-config": "Code signing config",
        "capacity-provider": "Capacity provider",
    }
)
PATTERN = (
    r"arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|"
    r"[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[a-f0-9]{8}-"
    r"[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12})"
)


def find(call: Call, arn: str) -> Function | Mapping | Signing:
    """Raises ResourceNotFoundException, InvalidParameterValueException."""
    named = ARN.fullmatch(arn)
    if named is None:
        raise violation(arn, "resource", f"Member must satisfy regular expression pattern: {PATTERN}")
    region, account_id, kind, name, rest = named.groups()
    if kind == "function":
        if rest:
            raise invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
        function = FUNCTIONS.get(call.tx, account_id, region, name)
        if function is None:
            raise no_function(arn)
        return function
    table = MAPPINGS if kind == "event-source-mapping" else SIGNING
    found: Mapping | Signing | None = table.get(call.tx, account_id, region, name)
    if found is None:
        raise not_found(f"{NOUNS[kind]} not found: {arn}")
    return found


def put(call: Call, found: Function | Mapping | Signing, tags: dict[str, str]) -> None:
    changed = replace(found, tags=tags)
    if isinstance(changed, Function):
        FUNCTIONS.put(call.tx, changed)
        latest = VERSIONS.get(call.tx, changed.account_id, changed.region, changed.name, 0)
        if latest is not None:
            VERSIONS.put(call.tx, replace(latest, config={**latest.config, "RevisionId": call.ids.uuid()}))
    elif isinstance(changed, Mapping):
        MAPPINGS.put(call.tx, changed)
    else:
        SIGNING.put(call.tx, changed)


@read_write
def tag_resource(call: Call, request: dict[str, Any]) -> None:
    found = find(call, request["Resource"])
    if not request["Tags"]:
        raise invalid("An error occurred and the request cannot be processed.")
    tags = {**found.tags, **request["Tags"]}
    if len(tags) > MOST_TAGS:
        raise invalid("Number of tags exceeds resource tag limit.")
    put(call, found, tags)


@read_write
def untag_resource(call: Call, request: dict[str, Any]) -> None:
    keys = request.get("TagKeys")
    if not keys:
        raise violation(None, "tagKeys", "Member must not be null")
    found = find(call, request["Resource"])
    put(call, found, {key: value for key, value in found.tags.items() if key not in keys})


@read_only
def list_tags(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return {"Tags": find(call, request["Resource"]).tags}
