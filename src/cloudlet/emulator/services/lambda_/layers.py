"""Layers: packages that functions share, in versions."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.lambda_ import archives, permissions
from cloudlet.emulator.services.lambda_.errors import invalid, no_function, not_found, violation
from cloudlet.emulator.services.lambda_.paging import page
from cloudlet.emulator.services.lambda_.records import (
    LAYER_VERSIONS,
    LAYERS,
    POLICIES,
    Layer,
    LayerVersion,
    layer_version,
)
from cloudlet.emulator.services.lambda_.runtimes import KNOWN
from cloudlet.emulator.services.lambda_.times import iso_offset
from cloudlet.emulator.store import blobs

KEPT = ("Description", "LicenseInfo", "CompatibleRuntimes", "CompatibleArchitectures")
ARN = re.compile(r"arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):layer:([a-zA-Z0-9-_]+)(?::(\d+))?")


def place_of(call: Call, name: str) -> tuple[str, str, str]:
    """Account, region and name of a layer that is named by name or ARN."""
    found = ARN.fullmatch(name)
    if found is None:
        return call.account_id, call.region, name
    return found[2], found[1], found[3]


def require(call: Call, request: dict[str, Any], missing: str = "") -> LayerVersion:
    """Raises ResourceNotFoundException, and InvalidParameterValueException for a number that no version has."""
    number = request["VersionNumber"]
    if number < 1:
        raise invalid("Layer Version Cannot be less than 1")
    account_id, region, name = place_of(call, request["LayerName"])
    version = layer_version(call.tx, account_id, region, name, number)
    if version is None:
        arn = f"arn:aws:lambda:{region}:{account_id}:layer:{name}:{number}"
        raise not_found(missing.format(arn=arn) or "The resource you requested does not exist.")
    return version


def described(version: LayerVersion) -> dict[str, Any]:
    found = {
        "LayerVersionArn": version.arn,
        "Version": version.version,
        "Description": "",
        "CreatedDate": version.created,
        **version.value,
    }
    return {name: value for name, value in found.items() if value != [] or name.startswith("Compatible")}


def whole(call: Call, version: LayerVersion) -> dict[str, Any]:
    base = f"{call.settings.protocol}://{call.settings.localstack_host}"
    path = f"/_aws/lambda/layers/{version.account_id}/{version.region}/{version.layer}/{version.version}"
    content = {"Location": base + path, "CodeSha256": version.sha256, "CodeSize": version.size}
    return {**described(version), "LayerArn": version.layer_arn, "Content": content}


async def publish_layer_version(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    archive = await archives.fetch(call, request["Content"])
    if not archive.content:
        raise invalid("A layer is a ZIP file; a folder of the emulator's machine can be a function's code only.")
    account_id, region, name = place_of(call, request["LayerName"])
    with call.transaction() as tx:
        layer = LAYERS.get(tx, account_id, region, name) or Layer(account_id, region, name, 0)
        layer = replace(layer, last_version=layer.last_version + 1)
        LAYERS.put(tx, layer)
        version = LayerVersion(
            account_id,
            region,
            name,
            layer.last_version,
            blobs.link(tx, archive.content),
            archive.size,
            archive.sha256,
            iso_offset(call.now),
            {member: request[member] for member in KEPT if request.get(member) is not None},
        )
        LAYER_VERSIONS.put(tx, version)
    return whole(call, version)


def check_runtime(request: dict[str, Any]) -> None:
    wanted = request.get("CompatibleRuntime")
    if wanted is not None and wanted not in KNOWN:
        raise violation(wanted, "compatibleRuntime", f"Member must satisfy enum value set: [{', '.join(KNOWN)}]")


@read_only
def get_layer_version(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return whole(call, require(call, request))


@read_only
def get_layer_version_by_arn(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    found = ARN.fullmatch(request["Arn"])
    if found is None or not found[4]:
        raise violation(
            request["Arn"],
            "arn",
            "Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?"
            "-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)",
        )
    return whole(call, require(call, {"LayerName": request["Arn"].rpartition(":")[0], "VersionNumber": int(found[4])}))


@read_write
def delete_layer_version(call: Call, request: dict[str, Any]) -> None:
    """Deleting what is not there is fine. Functions that have the layer keep what they have loaded of it."""
    if request["VersionNumber"] < 1:
        raise invalid("Layer Version Cannot be less than 1")
    account_id, region, name = place_of(call, request["LayerName"])
    version = layer_version(call.tx, account_id, region, name, request["VersionNumber"])
    if version is None:
        return
    LAYER_VERSIONS.delete(call.tx, account_id, region, name, version.version)
    blobs.unlink(call.tx, version.blob_id)
    POLICIES.delete(call.tx, version.arn)


@read_only
def list_layer_versions(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    check_runtime(request)
    account_id, region, name = place_of(call, request["LayerName"])
    found = [
        described(version)
        for version in sorted(
            LAYER_VERSIONS.scan(call.tx, account_id, region, name), key=lambda version: -version.version
        )
        if fits(version, request)
    ]
    return page(found, "LayerVersions", request, lambda version: str(version["Version"]))


def fits(version: LayerVersion, request: dict[str, Any]) -> bool:
    runtime, architecture = request.get("CompatibleRuntime"), request.get("CompatibleArchitecture")
    return (not runtime or runtime in version.value.get("CompatibleRuntimes", ())) and (
        not architecture or architecture in version.value.get("CompatibleArchitectures", ())
    )


@read_only
def list_layers(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    check_runtime(request)
    latest: dict[str, LayerVersion] = {}
    for version in LAYER_VERSIONS.scan(call.tx, call.account_id, call.region):
        if fits(version, request):
            latest[version.layer] = version
    found = [
        {"LayerName": name, "LayerArn": version.layer_arn, "LatestMatchingVersion": described(version)}
        for name, version in latest.items()
    ]
    return page(found, "Layers", request, lambda layer: layer["LayerName"])


MISSING = "Layer version {arn} does not exist."


@read_write
def add_layer_version_permission(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    version = require(call, request, MISSING)
    statement: dict[str, Any] = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": permissions.principal_of(request["Principal"]),
        "Action": request["Action"],
        "Resource": version.arn,
    }
    if request["Action"] != "lambda:GetLayerVersion":
        raise violation(
            request["Action"], "action", "Member must satisfy regular expression pattern: lambda:GetLayerVersion"
        )
    if request.get("OrganizationId"):
        statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": request["OrganizationId"]}}
    return permissions.add(call, version.arn, statement, request.get("RevisionId"), "GetLayerPolicy")


@read_write
def remove_layer_version_permission(call: Call, request: dict[str, Any]) -> None:
    version = require(call, request, MISSING)
    permissions.remove(call, version.arn, request["StatementId"], request.get("RevisionId"), "GetLayerPolicy")


@read_only
def get_layer_version_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    version = require(call, request, MISSING)
    return permissions.shown(POLICIES.get(call.tx, version.arn), "No policy is associated with the given resource.")


@read_only
def read_layer(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Not AWS's: the package that `Content.Location` points to."""
    version = LAYER_VERSIONS.get(
        call.tx, call.account_id, call.region, request["LayerName"], int(request["VersionNumber"])
    )
    if version is None:
        raise no_function(request["LayerName"])
    return {"Content": blobs.read(call.tx, version.blob_id)}
