"""Systems Manager: parameters as the parameter store keeps them, and the settings of the service.

Words of errors from recorded answers of AWS, the service's model and "AWS Systems Manager Parameter Store".
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError

NAME = re.compile(r"[A-Za-z0-9_.\-/]+\Z")
LEVELS = 15
STANDARD_BYTES, ADVANCED_BYTES = 4096, 8192
SECURE = "SecureString"
OF_MOTO = "kms:"  # how moto writes what is encrypted: kms:KEY:VALUE
PATHS = (
    'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of '
    "sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 "
    "symbols .-_"
)
PATH_NAMES = (
    "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "
    '"/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the '
    "following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if "
    'specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.'
)
TOO_LARGE = (
    "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, "
    "upgrade the parameter to use the advanced-parameter tier. For more information, see "
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
)
NO_RESOURCE = "The resource ID is not valid. Verify that you entered the correct ID and try again."
SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "/ssm/parameter-store/default-parameter-tier": "Standard",
        "/ssm/parameter-store/high-throughput-enabled": "false",
        "/ssm/automation/customer-script-log-destination": "",
        "/ssm/automation/customer-script-log-group-name": "",
        "/ssm/documents/console/public-sharing-permission": "Enable",
        "/ssm/managed-instance/activation-tier": "standard",
        "/ssm/managed-instance/default-ec2-instance-management-role": "",
        "/ssm/opsinsights/opscenter": "Disabled",
    }
)


def refuse(code: str, message: str = "") -> UnmodelledError:
    return UnmodelledError(code, message)


def plain_name(name: str) -> str:
    """Without ARN, version and label."""
    if name.startswith("arn:"):
        name = name.partition(":parameter")[2]
        name = name if name.count("/") > 1 else name.removeprefix("/")
    return name.partition(":")[0]


def is_reserved(name: str) -> bool:
    return name.startswith(("/aws/", "aws/"))


def check_path(name: str) -> None:
    """Raises ValidationException for what can be the name of no parameter."""
    if "//" in name or ("/" in name and not name.startswith("/")):
        raise refuse("ValidationException", PATHS)


def check_new_name(name: str) -> None:
    if name.lower().lstrip("/").startswith(("aws", "ssm")):
        return  # moto has the words for these
    if "/" in name and not name.startswith("/"):
        raise refuse("ValidationException", "Parameter name must be a fully qualified name.")
    if not NAME.match(name) or "//" in name or name.endswith("/"):
        raise refuse("ValidationException", PATHS)
    if name.count("/") > LEVELS:
        raise refuse(
            "HierarchyLevelLimitExceededException", f"A hierarchy can have a maximum of {LEVELS} levels: {name}"
        )


def key_of(name: str) -> str:
    """`/a` and `a` are one parameter, as they are one ARN."""
    stripped = name.removeprefix("/")
    return name if "/" in stripped else stripped


def known(backend: Any, name: str) -> list[Any]:
    """The versions of a parameter, the newest last. Raises ParameterNotFound, whose message is empty."""
    parameters, name = backend._parameters, key_of(name)
    found: list[Any] = parameters.get(name, [])
    if not found:
        parameters.pop(name, None)
        raise refuse("ParameterNotFound")
    return found


def put_parameter(asked: Asked) -> dict[str, Any]:
    request = asked.request
    name, value = request["Name"], request["Value"]
    check_new_name(name)
    changes = {"Tier": tier_of(request.get("Tier", "Standard"), value)} if request.get("Tier") else {}
    if len(value) > STANDARD_BYTES and not changes:
        raise refuse("ValidationException", TOO_LARGE)
    check_pattern(request.get("AllowedPattern"), value)
    if request.get("Type") == SECURE and request.get("KeyId"):
        check_key(asked, request["KeyId"])
    with asked.state() as backend:
        versions = backend._parameters.get(key_of(name), [])
        kind = request.get("Type")
        if versions and request.get("Overwrite") and kind not in (None, versions[-1].parameter_type):
            raise refuse(
                "HierarchyTypeMismatchException",
                f"Parameter Store does not support changing a parameter type in a hierarchy. {name} is of the type "
                f"{versions[-1].parameter_type}.",
            )
        return asked.proceed(**changes)


def tier_of(tier: str, value: str) -> str:
    if tier == "Intelligent-Tiering":
        tier = "Advanced" if len(value) > STANDARD_BYTES else "Standard"
    if tier == "Standard" and len(value) > STANDARD_BYTES:
        raise refuse("ValidationException", TOO_LARGE)
    if len(value) > ADVANCED_BYTES:
        raise refuse(
            "ValidationException",
            "Advanced tier parameters support a maximum parameter value of 8192 characters.",
        )
    return tier


def check_pattern(pattern: str | None, value: str) -> None:
    if not pattern:
        return
    try:
        fits = re.fullmatch(pattern, value)
    except re.error as error:
        raise refuse("InvalidAllowedPatternException", f"The regular expression {pattern} is not valid.") from error
    if fits is None:
        raise refuse(
            "ParameterPatternMismatchException",
            f"Parameter value, cannot be validated against allowedPattern: {pattern}",
        )


def check_key(asked: Asked, key: str) -> None:
    try:
        asked.other("kms", "DescribeKey", {"KeyId": key})
    except AwsError as error:
        raise refuse("InvalidKeyId", error.message) from error


def told(asked: Asked, parameter: dict[str, Any], selector: str = "") -> dict[str, Any]:
    """A parameter as it is sent: what stays encrypted really is."""
    value = parameter.get("Value")
    if isinstance(value, str) and parameter.get("Type") == SECURE and value.startswith(OF_MOTO):
        key, _, content = value.removeprefix(OF_MOTO).partition(":")
        parameter["Value"] = encrypted(asked, key, content, parameter.get("ARN", ""))
    if selector:
        parameter["Selector"] = selector
    return parameter


def encrypted(asked: Asked, key: str, content: str, arn: str) -> str:
    """What `kms.decrypt` opens with the parameter's ARN as its context."""
    if key.startswith("arn:"):
        key = key.rpartition("/")[2]
    request = {"KeyId": key, "Plaintext": content.encode(), "EncryptionContext": {"PARAMETER_ARN": arn}}
    try:
        blob = asked.other("kms", "Encrypt", request)["CiphertextBlob"]
    except AwsError as error:  # the key is gone or off
        raise refuse("InvalidKeyId", error.message) from error
    return b64encode(blob).decode()


def get_parameter(asked: Asked) -> dict[str, Any]:
    name = asked.request["Name"]
    plain = plain_name(name)
    if not is_reserved(plain.lstrip("/")):
        check_path(plain)
        with asked.state() as backend:
            known(backend, plain)
    try:
        result = asked.proceed()
    except AwsError as error:
        if error.code == "ParameterNotFound" and not is_reserved(plain):
            raise refuse("ParameterNotFound") from error
        raise
    selector = name.rpartition(plain)[2] if not name.startswith("arn:") else ""
    return {"Parameter": told(asked, result["Parameter"], selector)}


def get_parameters(asked: Asked) -> dict[str, Any]:
    for name in asked.request["Names"]:
        if not is_reserved(name.lstrip("/")) and not name.startswith("arn:"):
            check_path(name.partition(":")[0])
    result = asked.proceed()
    return {**result, "Parameters": [told(asked, found) for found in result["Parameters"]]}


def get_parameters_by_path(asked: Asked) -> dict[str, Any]:
    path = asked.request["Path"]
    if not path.startswith("/") or "//" in path:
        raise refuse("ValidationException", PATH_NAMES)
    result = asked.proceed()
    return {**result, "Parameters": [told(asked, found) for found in result["Parameters"]]}


def get_parameter_history(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        known(backend, plain_name(asked.request["Name"]))
    result = asked.proceed()
    call = asked.call
    for entry in result["Parameters"]:
        entry["LastModifiedUser"] = f"arn:{call.partition}:iam::{call.account_id}:root"
        arn = f"arn:{call.partition}:ssm:{call.region}:{call.account_id}:parameter/{entry['Name'].lstrip('/')}"
        secret = told(asked, {**entry, "ARN": arn})
        secret.pop("ARN")
        entry.update(secret)
    return result


def describe_parameters(asked: Asked) -> dict[str, Any]:
    call = asked.call
    with asked.state() as backend:
        for name in [name for name, versions in backend._parameters.items() if not versions]:
            del backend._parameters[name]
        result = asked.proceed()
    for entry in result["Parameters"]:
        entry["LastModifiedUser"] = f"arn:{call.partition}:iam::{call.account_id}:root"
    return result


def of_a_parameter(asked: Asked) -> dict[str, Any]:
    """DeleteParameter, LabelParameterVersion and UnlabelParameterVersion, of one that is there."""
    with asked.state() as backend:
        known(backend, plain_name(asked.request["Name"]))
        return asked.proceed()


def of_a_resource(asked: Asked) -> dict[str, Any]:
    """Tags: of what is there."""
    try:
        return asked.proceed()
    except AwsError as error:
        if error.code == "InvalidResourceId":
            raise refuse("InvalidResourceId", NO_RESOURCE) from error
        raise


# --- settings of the service


def setting_of(asked: Asked, backend: Any) -> dict[str, Any]:
    name, call = asked.request["SettingId"], asked.call
    if name.startswith("arn:"):
        name = "/" + name.partition(":servicesetting/")[2].lstrip("/")
    if name not in SETTINGS:
        raise refuse("ServiceSettingNotFound", f"The service setting {name} does not exist.")
    changed = getattr(backend, "settings", {}).get(name)
    value, changed_at = changed or (SETTINGS[name], call.now)
    return {
        "SettingId": name,
        "SettingValue": value,
        "LastModifiedDate": changed_at,
        "LastModifiedUser": f"arn:{call.partition}:iam::{call.account_id}:root" if changed else "System",
        "ARN": f"arn:{call.partition}:ssm:{call.region}:{call.account_id}:servicesetting{name}",
        "Status": "Customized" if changed else "Default",
    }


def get_service_setting(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        return {"ServiceSetting": setting_of(asked, backend)}


def update_service_setting(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        name = setting_of(asked, backend)["SettingId"]
        value = (asked.request["SettingValue"], asked.call.now)
        backend.settings = {**getattr(backend, "settings", {}), name: value}
    return {}


def reset_service_setting(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        name = setting_of(asked, backend)["SettingId"]
        backend.settings = {key: value for key, value in getattr(backend, "settings", {}).items() if key != name}
        return {"ServiceSetting": setting_of(asked, backend)}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "PutParameter": put_parameter,
        "GetParameter": get_parameter,
        "GetParameters": get_parameters,
        "GetParametersByPath": get_parameters_by_path,
        "GetParameterHistory": get_parameter_history,
        "DescribeParameters": describe_parameters,
        "DeleteParameter": of_a_parameter,
        "LabelParameterVersion": of_a_parameter,
        "UnlabelParameterVersion": of_a_parameter,
        "AddTagsToResource": of_a_resource,
        "RemoveTagsFromResource": of_a_resource,
        "ListTagsForResource": of_a_resource,
        "GetServiceSetting": get_service_setting,
        "UpdateServiceSetting": update_service_setting,
        "ResetServiceSetting": reset_service_setting,
    }
)
