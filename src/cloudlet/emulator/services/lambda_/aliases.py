"""Aliases: names for versions, with a share of the invocations for a second one."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.lambda_ import api
from cloudlet.emulator.services.lambda_.errors import conflict, invalid, no_function, not_found, wrong_revision
from cloudlet.emulator.services.lambda_.names import Named, find_alias, find_function, read_name, version_of
from cloudlet.emulator.services.lambda_.paging import page
from cloudlet.emulator.services.lambda_.records import (
    ALIASES,
    INVOKE_CONFIGS,
    LATEST,
    POLICIES,
    PROVISIONED,
    URLS,
    Alias,
)


def shown(alias: Alias) -> dict[str, Any]:
    result: dict[str, Any] = {
        "AliasArn": alias.arn,
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    }
    if alias.weights:
        result["RoutingConfig"] = {"AdditionalVersionWeights": alias.weights}
    return result


def require(call: Call, named: Named, name: str) -> Alias:
    alias = find_alias(call, named, name)
    if alias is None:
        raise not_found(f"Cannot find alias arn: {named.arn}:{name}")
    return alias


def check_target(call: Call, named: Named, version: str, routing: dict[str, Any] | None) -> dict[str, float]:
    """The weights. Raises what AWS does of versions that are not there or cannot share."""
    if version_of(call, named, version) is None:
        raise no_function(f"{named.arn}:{version}")
    weights: dict[str, float] = (routing or {}).get("AdditionalVersionWeights") or {}
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    for other in weights:
        if other == version:
            raise invalid(
                f"Invalid function version {version}. Function version {version} is already included in routing "
                "configuration."
            )
        if LATEST in (version, other):
            raise api.InvalidParameterValueException(
                "$LATEST is not supported for an alias pointing to more than 1 version"
            )
        if version_of(call, named, other) is None:
            raise no_function(f"{named.arn}:{other}")
    return weights


@read_write
def create_alias(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named, name = read_name(call, request), request["Name"]
    weights = check_target(call, named, request["FunctionVersion"], request.get("RoutingConfig"))
    if find_alias(call, named, name) is not None:
        raise conflict(f"Alias already exists: {named.arn}:{name}")
    alias = Alias(
        named.account_id,
        named.region,
        named.name,
        name,
        request["FunctionVersion"],
        request.get("Description", ""),
        weights,
        call.ids.uuid(),
    )
    ALIASES.put(call.tx, alias)
    return shown(alias)


@read_only
def get_alias(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    return shown(require(call, named, request["Name"]))


@read_write
def update_alias(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    find_function(call, named)
    alias = find_alias(call, named, request["Name"])
    if alias is None:
        raise not_found(f"Alias not found: {named.arn}:{request['Name']}")
    if request.get("RevisionId") and request["RevisionId"] != alias.revision:
        raise wrong_revision()
    version = request.get("FunctionVersion", alias.version)
    routing = request.get("RoutingConfig", {"AdditionalVersionWeights": alias.weights})
    weights = check_target(call, named, version, routing)
    alias = replace(
        alias,
        version=version,
        description=request.get("Description", alias.description),
        weights=weights,
        revision=call.ids.uuid(),
    )
    ALIASES.put(call.tx, alias)
    return shown(alias)


@read_write
def delete_alias(call: Call, request: dict[str, Any]) -> None:
    """Deleting what is not there is fine."""
    named = read_name(call, request)
    key = (named.account_id, named.region, named.name)
    alias = find_alias(call, named, request["Name"])
    if alias is None:
        return
    ALIASES.delete(call.tx, *key, alias.name)
    POLICIES.delete(call.tx, alias.arn)
    for table in (INVOKE_CONFIGS, URLS, PROVISIONED):
        table.delete(call.tx, *key, alias.name)


@read_only
def list_aliases(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    find_function(call, named)
    wanted = request.get("FunctionVersion")
    found = [
        shown(alias)
        for alias in ALIASES.scan(call.tx, named.account_id, named.region, named.name)
        if wanted in (None, alias.version) or wanted in alias.weights
    ]
    return page(found, "Aliases", request, lambda alias: alias["Name"])
