"""Code signing configurations: kept and shown; signatures are not checked."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.lambda_ import api
from cloudlet.emulator.services.lambda_.errors import conflict, not_found
from cloudlet.emulator.services.lambda_.names import find_function, read_name
from cloudlet.emulator.services.lambda_.paging import page
from cloudlet.emulator.services.lambda_.records import FUNCTIONS, SIGNING, Signing
from cloudlet.emulator.services.lambda_.times import iso_offset

DEFAULT_POLICIES = (("UntrustedArtifactOnDeployment", "Warn"),)


def shown(signing: Signing) -> dict[str, Any]:
    return {
        "CodeSigningConfigId": signing.config_id,
        "CodeSigningConfigArn": signing.arn,
        **signing.value,
        "LastModified": signing.modified,
    }


def require(call: Call, arn: str) -> Signing:
    parts = arn.split(":")
    found = SIGNING.get(call.tx, parts[4], parts[3], parts[-1]) if len(parts) > 6 else None
    if found is None:
        raise not_found(f"The Lambda code signing configuration {arn} can not be found.")
    return found


@read_write
def create_code_signing_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    value = {
        "AllowedPublishers": request["AllowedPublishers"],
        "CodeSigningPolicies": {**dict(DEFAULT_POLICIES), **(request.get("CodeSigningPolicies") or {})},
        "Description": request.get("Description", ""),
    }
    signing = Signing(
        call.account_id, call.region, f"csc-{call.ids.hex(17)}", value, iso_offset(call.now), request.get("Tags") or {}
    )
    SIGNING.put(call.tx, signing)
    return {"CodeSigningConfig": shown(signing)}


@read_only
def get_code_signing_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return {"CodeSigningConfig": shown(require(call, request["CodeSigningConfigArn"]))}


@read_write
def update_code_signing_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    signing = require(call, request["CodeSigningConfigArn"])
    given = {
        name: request[name]
        for name in ("AllowedPublishers", "CodeSigningPolicies", "Description")
        if request.get(name) is not None
    }
    signing = replace(signing, value={**signing.value, **given}, modified=iso_offset(call.now))
    SIGNING.put(call.tx, signing)
    return {"CodeSigningConfig": shown(signing)}


@read_write
def delete_code_signing_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    signing = require(call, request["CodeSigningConfigArn"])
    if any(function.signing_arn == signing.arn for function in FUNCTIONS.scan(call.tx, call.account_id, call.region)):
        raise conflict("The code signing configuration is attached to functions. Detach it from them first.")
    SIGNING.delete(call.tx, signing.account_id, signing.region, signing.config_id)
    return {}


@read_only
def list_code_signing_configs(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    found = [shown(signing) for signing in SIGNING.scan(call.tx, call.account_id, call.region)]
    return page(found, "CodeSigningConfigs", request, lambda config: config["CodeSigningConfigArn"])


@read_only
def list_functions_by_code_signing_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    signing = require(call, request["CodeSigningConfigArn"])
    functions = FUNCTIONS.scan(call.tx, call.account_id, call.region)
    arns = [{"arn": function.arn} for function in functions if function.signing_arn == signing.arn]
    answer = page(arns, "FunctionArns", request, lambda entry: entry["arn"])
    return {**answer, "FunctionArns": [entry["arn"] for entry in answer["FunctionArns"]]}


@read_write
def put_function_code_signing_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named, arn = read_name(call, request), request["CodeSigningConfigArn"]
    parts = arn.split(":")
    if len(parts) < 7 or SIGNING.get(call.tx, parts[4], parts[3], parts[-1]) is None:
        raise api.CodeSigningConfigNotFoundException(
            "The code signing configuration cannot be found. Check that the provided configuration is not deleted: "
            f"{arn}.",
            Type="User",
        )
    function = find_function(call, named)
    FUNCTIONS.put(call.tx, replace(function, signing_arn=arn))
    return {"CodeSigningConfigArn": arn, "FunctionName": function.name}


@read_only
def get_function_code_signing_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    function = find_function(call, read_name(call, request))
    if not function.signing_arn:
        return {}
    return {"CodeSigningConfigArn": function.signing_arn, "FunctionName": function.name}


@read_write
def delete_function_code_signing_config(call: Call, request: dict[str, Any]) -> None:
    function = find_function(call, read_name(call, request))
    FUNCTIONS.put(call.tx, replace(function, signing_arn=""))
