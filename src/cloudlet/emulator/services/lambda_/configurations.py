"""Configurations of functions: checked as AWS checks them, defaults filled in, changes carried over.

A configuration is kept as FunctionConfiguration is answered; what only some answers have (the code's place, a state that
passes) is added where it is answered. Source: "CreateFunction", "UpdateFunctionConfiguration", "Lambda quotas".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.constraints import LAMBDA_RUNTIMES
from cloudlet.emulator.services.lambda_.errors import invalid, violation
from cloudlet.emulator.services.lambda_.records import layer_version
from cloudlet.emulator.services.lambda_.runtimes import RUNTIMES, SNAP_START
from cloudlet.emulator.services.lambda_.times import iso_offset

CREATING: Mapping[str, str] = MappingProxyType(
    {"State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating"}
)
UPDATING: Mapping[str, str] = MappingProxyType(
    {
        "LastUpdateStatus": "InProgress",
        "LastUpdateStatusReason": "The function is being created.",
        "LastUpdateStatusReasonCode": "Creating",
    }
)
SETTLED: Mapping[str, str] = MappingProxyType({"State": "Active", "LastUpdateStatus": "Successful"})
RESERVED_VARIABLES = frozenset(
    """_HANDLER _X_AMZN_TRACE_ID AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_DEFAULT_REGION AWS_EXECUTION_ENV
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_INITIALIZATION_TYPE
    AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_LAMBDA_RUNTIME_API AWS_REGION AWS_SECRET_ACCESS_KEY
    AWS_SECRET_KEY AWS_SESSION_TOKEN LAMBDA_RUNTIME_DIR LAMBDA_TASK_ROOT""".split()
)
MOST_LAYERS = 5
LONGEST_TIMEOUT_SECONDS = 900
COPIED = ("Description", "Handler", "MemorySize", "Role", "Runtime", "Timeout", "KMSKeyArn")
LAYER = re.compile(r"arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):layer:([a-zA-Z0-9-_]+):([0-9]+)")


def created(call: Call, request: dict[str, Any], name: str) -> dict[str, Any]:
    """The configuration of a new function, without what its code says."""
    image = request.get("PackageType") == "Image"
    config: dict[str, Any] = {
        "FunctionName": name,
        "FunctionArn": f"arn:aws:lambda:{call.region}:{call.account_id}:function:{name}",
        "Role": request["Role"],
        "Description": request.get("Description", ""),
        "Timeout": request.get("Timeout", 3),
        "MemorySize": request.get("MemorySize", 128),
        "Version": "$LATEST",
        "TracingConfig": request.get("TracingConfig") or {"Mode": "PassThrough"},
        "PackageType": request.get("PackageType", "Zip"),
        "Architectures": request.get("Architectures") or ["x86_64"],
        "EphemeralStorage": request.get("EphemeralStorage") or {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
    }
    if not image:
        config["Runtime"], config["Handler"] = request.get("Runtime"), request.get("Handler")
    check(call, request, config)
    apply(call, request, config, made=True)
    return config


def changed(call: Call, request: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    config = dict(before)
    check(call, request, config)
    for name in COPIED:
        if name in request:
            config[name] = request[name]
    apply(call, request, config, made=False)
    return config


def check(call: Call, request: dict[str, Any], config: Mapping[str, Any]) -> None:
    """What can be said of the request by itself."""
    runtime = request.get("Runtime")
    if runtime is not None and runtime not in RUNTIMES:
        listed = ", ".join(LAMBDA_RUNTIMES)
        raise invalid(
            f"Value {runtime} at 'runtime' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{listed}] or be a valid ARN"
        )
    if request.get("Timeout", 1) > LONGEST_TIMEOUT_SECONDS:
        raise violation(request["Timeout"], "timeout", "Member must have value less than or equal to 900")
    variables = (request.get("Environment") or {}).get("Variables") or {}
    reserved = sorted(RESERVED_VARIABLES & set(variables))
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > call.settings.lambda_limits_max_function_envvar_size_bytes:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {measured}"
        )
    snap = request.get("SnapStart") or {}
    kind = runtime or config.get("Runtime")
    if snap.get("ApplyOn") == "PublishedVersions" and kind not in SNAP_START:
        raise invalid(f"{kind} is not supported for SnapStart enabled functions.")
    if request.get("PackageType") == "Image" and snap:
        raise invalid("SnapStart is not supported for functions that are created from container images.")


def apply(call: Call, request: dict[str, Any], config: dict[str, Any], *, made: bool) -> None:
    """Members with structures of their own."""
    if "Environment" in request:
        config["Environment"] = {"Variables": (request["Environment"] or {}).get("Variables") or {}}
    for name in ("TracingConfig", "EphemeralStorage"):
        if request.get(name):
            config[name] = request[name]
    for name in ("FileSystemConfigs", "KMSKeyArn"):
        if name in request:
            config[name] = request[name]
            if not request[name]:
                del config[name]
    dead_letters = request.get("DeadLetterConfig")
    if dead_letters is not None:
        target = dead_letters.get("TargetArn")
        config["DeadLetterConfig"] = {"TargetArn": target}
        if not target:
            del config["DeadLetterConfig"]
    if request.get("SnapStart"):
        config["SnapStart"] = {"ApplyOn": request["SnapStart"].get("ApplyOn", "None"), "OptimizationStatus": "Off"}
    if request.get("LoggingConfig"):
        config["LoggingConfig"] = logging_of(request["LoggingConfig"], config)
    if "Layers" in request:
        config["Layers"] = layers_of(call, request["Layers"] or [])
        if not config["Layers"]:
            del config["Layers"]
    if "ImageConfig" in request and config["PackageType"] == "Image":
        config["ImageConfigResponse"] = {"ImageConfig": request["ImageConfig"]}
    if config.get("Runtime"):
        digest = hashlib.sha256(config["Runtime"].encode()).hexdigest()
        config["RuntimeVersionConfig"] = {"RuntimeVersionArn": f"arn:aws:lambda:{call.region}::runtime:{digest}"}


def logging_of(given: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """JSON logs have levels, text has none."""
    before = config["LoggingConfig"]
    merged = {**before, **given}
    if merged.get("LogFormat") == "JSON":
        merged.setdefault("ApplicationLogLevel", "INFO")
        merged.setdefault("SystemLogLevel", "INFO")
        return merged
    if given.get("ApplicationLogLevel") or given.get("SystemLogLevel"):
        raise invalid("You can only configure log levels when LogFormat is set to JSON.")
    return {name: value for name, value in merged.items() if not name.endswith("LogLevel")}


def layers_of(call: Call, arns: list[str]) -> list[dict[str, Any]]:
    """Raises InvalidParameterValueException for too many, two of one layer, and what is not there."""
    if len(arns) > MOST_LAYERS:
        raise invalid(f"Cannot reference more than {MOST_LAYERS} layers.")
    found: list[dict[str, Any]] = []
    seen: dict[str, str] = {}
    for arn in arns:
        named = LAYER.fullmatch(arn)
        if named is None:
            raise violation(
                f"[{', '.join(arns)}]",
                "layers",
                "Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have "
                "length greater than or equal to 1, Member must satisfy regular expression pattern: "
                "arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+, Member must not be null]",
            )
        region, account_id, name, version = named.groups()
        if region != call.region:
            raise invalid(
                f"Layers are not in the same region as the function. Layers are expected to be in region {call.region}."
            )
        layer = layer_version(call.tx, account_id, region, name, int(version))
        if layer is None:
            raise invalid(f"Layer version {arn} does not exist.")
        before = seen.setdefault(name, arn)
        if before != arn:
            raise invalid(
                "Two different versions of the same layer are not allowed to be referenced in the same function. "
                f"{before} and {arn} are versions of the same layer."
            )
        found.append({"Arn": arn, "CodeSize": layer.size})
    return found


async def network_of(call: Call, given: dict[str, Any] | None) -> dict[str, Any] | None:
    """`VpcConfig` as it is answered. Raises InvalidParameterValueException for subnets that are not there."""
    if given is None:
        return None
    subnets = given.get("SubnetIds") or []
    answer = {
        "SubnetIds": subnets,
        "SecurityGroupIds": given.get("SecurityGroupIds") or [],
        "VpcId": "",
        "Ipv6AllowedForDualStack": bool(given.get("Ipv6AllowedForDualStack")),
    }
    if not subnets:
        return answer
    if answer["SecurityGroupIds"]:
        try:
            await call.reach("ec2", "DescribeSecurityGroups", {"GroupIds": answer["SecurityGroupIds"]})
        except AwsError as error:
            named = re.search(r"sg-\w+", error.message)
            words = f"The security group '{named[0]}' does not exist" if named is not None else error.message
            raise invalid(
                f"Error occurred while DescribeSecurityGroups. EC2 Error Code: {error.code}. EC2 Error Message: {words}"
            ) from None
    try:
        found = await call.reach("ec2", "DescribeSubnets", {"SubnetIds": subnets})
    except AwsError as error:
        raise invalid(
            f"Error occurred while DescribeSubnets. EC2 Error Code: {error.code}. EC2 Error Message: {error.message}"
        ) from None
    answer["VpcId"] = found["Subnets"][0]["VpcId"]
    return answer


def stamped(call: Call, config: dict[str, Any]) -> dict[str, Any]:
    """With a new revision, modified now."""
    return {**config, "LastModified": iso_offset(call.now), "RevisionId": call.ids.uuid()}
