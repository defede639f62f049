"""Functions: made, read, listed, changed, deleted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.lambda_ import archives
from cloudlet.emulator.services.lambda_.configurations import (
    CREATING,
    SETTLED,
    UPDATING,
    changed,
    created,
    network_of,
    stamped,
)
from cloudlet.emulator.services.lambda_.errors import conflict, invalid, no_function, violation, wrong_revision
from cloudlet.emulator.services.lambda_.names import (
    Named,
    find_alias,
    find_function,
    find_version,
    read_name,
    version_of,
)
from cloudlet.emulator.services.lambda_.paging import page
from cloudlet.emulator.services.lambda_.records import (
    ALIASES,
    FUNCTIONS,
    INVOKE_CONFIGS,
    LATEST,
    POLICIES,
    PROVISIONED,
    SIGNING,
    URLS,
    VERSIONS,
    Function,
    Version,
)
from cloudlet.emulator.services.lambda_.versions import publish
from cloudlet.emulator.store import blobs

MOST_TAGS = 50
LONGEST_NAME = 64
NEW_NAME = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
NOT_LISTED = frozenset(
    ("State", "StateReason", "StateReasonCode", "LastUpdateStatus", "LastUpdateStatusReason", "RuntimeVersionConfig")
)


async def create_function(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Raises ResourceConflictException, and InvalidParameterValueException for each thing that cannot be."""
    if not re.fullmatch(NEW_NAME, request["FunctionName"]):
        raise violation(
            request["FunctionName"], "functionName", f"Member must satisfy regular expression pattern: {NEW_NAME}"
        )
    named = read_name(call, request)
    if len(named.name) > LONGEST_NAME:
        raise invalid(
            f"1 validation error detected: Value '{named.name}' at 'functionName' failed to satisfy constraint: "
            f"Member must have length less than or equal to {LONGEST_NAME}"
        )
    check_new(request, named)
    network = await network_of(call, request.get("VpcConfig"))
    archive = await archives.fetch(call, request["Code"])
    with call.transaction() as tx:
        if FUNCTIONS.exists(tx, call.account_id, call.region, named.name):
            raise conflict(f"Function already exist: {named.name}")
        config = stamped(call, created(call, request, named.name))
        if network is not None and network["SubnetIds"]:
            config["VpcConfig"] = network
        config |= {"CodeSha256": archive.sha256, "CodeSize": archive.size, **SETTLED}
        signing = request.get("CodeSigningConfigArn", "")
        if signing and SIGNING.get(tx, call.account_id, call.region, signing.rpartition(":")[2]) is None:
            raise no_signing(signing)
        function = Function(
            call.account_id, call.region, named.name, tags=request.get("Tags") or {}, signing_arn=signing
        )
        FUNCTIONS.put(tx, function)
        blob_id = blobs.link(tx, archive.content) if archive.content else ""
        latest = Version(call.account_id, call.region, named.name, LATEST, config, blob_id, archive.source)
        VERSIONS.put(tx, latest)
        if request.get("Publish"):
            config = publish(call, function, latest, None).config
    answer = {name: value for name, value in config.items() if not name.startswith("LastUpdate")}
    # Becoming active is another revision, so the one of the answer is past at once.
    return answer if call.settings.lambda_synchronous_create else {**answer, **CREATING, "RevisionId": call.ids.uuid()}


def no_signing(arn: str) -> Exception:
    return invalid(f"The code signing configuration {arn} does not exist.")


def check_new(request: dict[str, Any], named: Named) -> None:
    image = request.get("PackageType") == "Image"
    if named.qualifier and named.qualifier != LATEST:
        raise invalid("The function name of a new function has no qualifier.")
    if len(request.get("Tags") or {}) > MOST_TAGS:
        raise invalid("Number of tags exceeds resource tag limit.")
    if image:
        if "ImageUri" not in request["Code"]:
            raise invalid("Please provide ImageUri when updating a function with packageType Image.")
        if request.get("Runtime") or request.get("Handler"):
            raise invalid(
                "Please don't provide Handler or Runtime or Layer when the intent is to create function with container image"
            )
    elif not request.get("Handler") or not request.get("Runtime"):
        raise invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")


@read_only
def get_function(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    function, version = find_function(call, named), find_version(call, named)
    result: dict[str, Any] = {"Configuration": shown(call, named, version), "Code": code_of(call, version)}
    if function.tags:
        result["Tags"] = function.tags
    if function.reserved is not None:
        result["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved}
    return result


@read_only
def get_function_configuration(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    return shown(call, named, find_version(call, named))


def shown(call: Call, named: Named, version: Version) -> dict[str, Any]:
    """The configuration, under the ARN by which it was asked for."""
    config = version.config
    if named.qualifier and (named.qualifier == LATEST or find_alias(call, named, named.qualifier) is not None):
        config = {**config, "FunctionArn": named.full_arn}
    return config


def code_of(call: Call, version: Version) -> dict[str, Any]:
    """Where the code can be had: from the emulator, without a signature."""
    if "ImageUri" in version.code:
        uri = version.code["ImageUri"]
        digest = version.config["CodeSha256"]
        resolved = f"{uri.rpartition(':')[0] or uri}@sha256:{digest}"
        return {"RepositoryType": "ECR", "ImageUri": uri, "ResolvedImageUri": resolved}
    base = f"{call.settings.protocol}://{call.settings.localstack_host}"
    path = f"/_aws/lambda/code/{version.account_id}/{version.region}/{version.function}/{version.version}"
    return {"RepositoryType": "S3", "Location": base + path.replace("$", "%24")}


@read_only
def list_functions(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    found = []
    for function in FUNCTIONS.scan(call.tx, call.account_id, call.region):
        for version in VERSIONS.scan(call.tx, call.account_id, call.region, function.name):
            if version.version == LATEST or request.get("FunctionVersion") == "ALL":
                config = version.config
                if request.get("FunctionVersion") == "ALL" and version.version == LATEST:
                    config = {**config, "FunctionArn": f"{config['FunctionArn']}:{LATEST}"}
                found.append(listed(config))
    return page(found, "Functions", request, lambda config: config["FunctionArn"])


def listed(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in NOT_LISTED}


@read_write
def delete_function(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    function = find_function(call, named)
    if named.qualifier == LATEST:
        raise invalid("$LATEST version cannot be deleted without deleting the function.")
    if named.qualifier:
        delete_version(call, named)
    else:
        delete_whole(call, function)
    call.after_commit(
        lambda: call.programs.forget(
            ("lambda", *function_key(named), named.qualifier or "")[: 5 if named.qualifier else 4]
        )
    )
    return {"StatusCode": 204}


def function_key(named: Named) -> tuple[str, str, str]:
    return named.account_id, named.region, named.name


def delete_version(call: Call, named: Named) -> None:
    key = function_key(named)
    if find_alias(call, named, named.qualifier) is not None:
        raise invalid("Deletion of aliases is not currently supported.")
    version = version_of(call, named, named.qualifier)
    if version is None:
        return  # deleting what is not there is fine
    pointing = [
        alias.name
        for alias in ALIASES.scan(call.tx, *key)
        if alias.version == version.version or version.version in alias.weights
    ]
    if pointing:
        raise conflict(f"Unable to delete version because the following aliases reference it: [{', '.join(pointing)}]")
    drop(call, version)


def drop(call: Call, version: Version) -> None:
    VERSIONS.delete(call.tx, version.account_id, version.region, version.function, version.order)
    if version.blob_id:
        blobs.unlink(call.tx, version.blob_id)
    POLICIES.delete(call.tx, f"{version.config['FunctionArn']}")


def delete_whole(call: Call, function: Function) -> None:
    key = (function.account_id, function.region, function.name)
    for version in list(VERSIONS.scan(call.tx, *key)):
        drop(call, version)
    for alias in list(ALIASES.scan(call.tx, *key)):
        ALIASES.delete(call.tx, *key, alias.name)
        POLICIES.delete(call.tx, alias.arn)
    for table in (INVOKE_CONFIGS, URLS, PROVISIONED):
        for setting in list(table.scan(call.tx, *key)):
            table.delete(call.tx, *key, setting.qualifier)
    FUNCTIONS.delete(call.tx, *key)


async def update_function_code(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    with call.transaction(read_only=True):
        latest = find_version(call, named._replace(qualifier=""))
    if latest.config["PackageType"] == "Image" and not request.get("ImageUri"):
        raise invalid("Please provide ImageUri when updating a function with packageType Image.")
    if latest.config["PackageType"] == "Zip" and request.get("ImageUri"):
        raise invalid("Please do not provide ImageUri when updating a function with packageType Zip.")
    archive = await archives.fetch(call, request)
    with call.transaction() as tx:
        function, latest = find_function(call, named), find_version(call, named._replace(qualifier=""))
        check_revision(request, latest.config)
        config = {**latest.config, "CodeSha256": archive.sha256, "CodeSize": archive.size}
        if request.get("Architectures"):
            config["Architectures"] = request["Architectures"]
        if request.get("DryRun"):
            return config
        config = stamped(call, config)
        if latest.blob_id:
            blobs.unlink(tx, latest.blob_id)
        blob_id = blobs.link(tx, archive.content) if archive.content else ""
        latest = replace(latest, config=config, blob_id=blob_id, code=archive.source)
        VERSIONS.put(tx, latest)
        if request.get("Publish"):
            config = publish(call, function, latest, None).config
        call.after_commit(lambda: call.programs.forget(("lambda", *function_key(named), LATEST)))
    return config if request.get("Publish") else updating(call, config)


async def update_function_configuration(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    network = await network_of(call, request.get("VpcConfig"))
    with call.transaction() as tx:
        latest = find_version(call, named._replace(qualifier=""))
        check_revision(request, latest.config)
        config = stamped(call, changed(call, request, latest.config))
        if network is not None:
            config["VpcConfig"] = network
        VERSIONS.put(tx, replace(latest, config=config))
        call.after_commit(lambda: call.programs.forget(("lambda", *function_key(named), LATEST)))
    return updating(call, config)


def updating(call: Call, config: dict[str, Any]) -> dict[str, Any]:
    """As it is answered first: with a state that passes, and the revision of that state."""
    return {**config, **UPDATING, "RevisionId": call.ids.uuid()}


def check_revision(request: dict[str, Any], config: Mapping[str, Any]) -> None:
    if request.get("RevisionId") and request["RevisionId"] != config["RevisionId"]:
        raise wrong_revision("GetFunction/GetAlias")


@read_only
def get_account_settings(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    functions = list(FUNCTIONS.scan(call.tx, call.account_id, call.region))
    size = sum(version.config["CodeSize"] for version in VERSIONS.scan(call.tx, call.account_id, call.region))
    limit = call.settings.lambda_limits_concurrent_executions
    return {
        "AccountLimit": {
            "TotalCodeSize": call.settings.lambda_limits_total_code_size,
            "CodeSizeUnzipped": call.settings.lambda_limits_code_size_unzipped,
            "CodeSizeZipped": call.settings.lambda_limits_code_size_zipped,
            "ConcurrentExecutions": limit,
            "UnreservedConcurrentExecutions": limit - sum(function.reserved or 0 for function in functions),
        },
        "AccountUsage": {"TotalCodeSize": size, "FunctionCount": len(functions)},
    }


@read_only
def read_code(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Not AWS's: the package that `Code.Location` points to."""
    named = read_name(call, request)
    version = version_of(call, named, named.qualifier or LATEST)
    if version is None or not version.blob_id:
        raise no_function(named.full_arn)
    return {"Content": blobs.read(call.tx, version.blob_id)}
