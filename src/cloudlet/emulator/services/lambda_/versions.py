"""Versions: what is published of `$LATEST` and never changes again."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.lambda_.errors import invalid, wrong_revision
from cloudlet.emulator.services.lambda_.names import find_function, find_version, read_name
from cloudlet.emulator.services.lambda_.paging import page
from cloudlet.emulator.services.lambda_.records import FUNCTIONS, LATEST, VERSIONS, Function, Version, fingerprint
from cloudlet.emulator.store import blobs

NOT_LISTED = frozenset(("State", "LastUpdateStatus", "RuntimeVersionConfig"))


@read_write
def publish_version(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Raises PreconditionFailedException and InvalidParameterValueException when `$LATEST` is not what was expected."""
    named = read_name(call, request)._replace(qualifier="")
    function, latest = find_function(call, named), find_version(call, named)
    if request.get("RevisionId") and request["RevisionId"] != latest.config["RevisionId"]:
        raise wrong_revision("GetFunction/GetAlias")
    wanted, current = request.get("CodeSha256"), latest.config["CodeSha256"]
    if wanted and wanted != current:
        raise invalid(
            f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({current}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )
    return publish(call, function, latest, request.get("Description")).config


def publish(call: Call, function: Function, latest: Version, description: str | None) -> Version:
    """A new version of what `$LATEST` is; the last one again when nothing has changed since."""
    key = (function.account_id, function.region, function.name)
    revision = fingerprint(latest.config)
    if latest.published_from == revision and function.last_version:
        before = VERSIONS.get(call.tx, *key, function.last_version)
        if before is not None:
            return before
    number = function.last_version + 1
    config = {
        **latest.config,
        "Version": str(number),
        "FunctionArn": f"{function.arn}:{number}",
        "RevisionId": call.ids.uuid(),
    }
    if description is not None:
        config["Description"] = description
    if config["SnapStart"]["ApplyOn"] == "PublishedVersions":
        config["SnapStart"] = {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    blob_id = blobs.link(call.tx, latest.blob_id) if latest.blob_id else ""
    version = Version(*key, str(number), config, blob_id, latest.code)
    VERSIONS.put(call.tx, version)
    VERSIONS.put(call.tx, replace(latest, published_from=revision))
    FUNCTIONS.put(call.tx, replace(function, last_version=number))
    return version


@read_only
def list_versions_by_function(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    find_function(call, named)
    found = []
    for version in VERSIONS.scan(call.tx, named.account_id, named.region, named.name):
        config = {name: value for name, value in version.config.items() if name not in NOT_LISTED}
        if version.version == LATEST:
            config["FunctionArn"] = f"{config['FunctionArn']}:{LATEST}"
        found.append(config)
    return page(found, "Versions", request, lambda config: config["Version"])
