"""Reserved and provisioned concurrency. Provisioned environments are not kept ready: they are said to be."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.lambda_ import api
from cloudlet.emulator.services.lambda_.errors import conflict, invalid, no_function, not_found
from cloudlet.emulator.services.lambda_.names import Named, find_alias, find_function, read_name, version_of
from cloudlet.emulator.services.lambda_.paging import page
from cloudlet.emulator.services.lambda_.records import ALIASES, FUNCTIONS, LATEST, PROVISIONED, Setting
from cloudlet.emulator.services.lambda_.times import iso_seconds

PROVISIONING_SECONDS = 0.5


@read_write
def put_function_concurrency(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    function = find_function(call, named)
    wanted, settings = request["ReservedConcurrentExecutions"], call.settings
    others = sum(
        other.reserved or 0
        for other in FUNCTIONS.scan(call.tx, named.account_id, named.region)
        if other.name != named.name
    )
    if (
        settings.lambda_limits_concurrent_executions - others - wanted
        < settings.lambda_limits_minimum_unreserved_concurrency
    ):
        raise invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
            f"its minimum value of [{settings.lambda_limits_minimum_unreserved_concurrency}]."
        )
    FUNCTIONS.put(call.tx, replace(function, reserved=wanted))
    return {"ReservedConcurrentExecutions": wanted}


@read_only
def get_function_concurrency(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    reserved = find_function(call, read_name(call, request)).reserved
    return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}


@read_write
def delete_function_concurrency(call: Call, request: dict[str, Any]) -> None:
    function = find_function(call, read_name(call, request))
    FUNCTIONS.put(call.tx, replace(function, reserved=None))


def check_published(call: Call, named: Named) -> None:
    """Raises InvalidParameterValueException for `$LATEST`, ResourceNotFoundException for what is not there."""
    find_function(call, named)
    if named.qualifier == LATEST:
        raise invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    if named.qualifier.isdigit():
        if version_of(call, named, named.qualifier) is None:
            raise no_function(named.full_arn)
    elif find_alias(call, named, named.qualifier) is None:
        raise not_found(f"Cannot find alias arn: {named.full_arn}")


def shown(setting: Setting, *, ready: bool = True) -> dict[str, Any]:
    wanted = setting.value["Requested"]
    found = wanted if ready else 0
    return {
        "RequestedProvisionedConcurrentExecutions": wanted,
        "AvailableProvisionedConcurrentExecutions": found,
        "AllocatedProvisionedConcurrentExecutions": found,
        "Status": "READY" if ready else "IN_PROGRESS",
        "LastModified": iso_seconds(setting.modified),
    }


@read_write
def put_provisioned_concurrency_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    check_published(call, named)
    key = (named.account_id, named.region, named.name)
    alias = find_alias(call, named, named.qualifier)
    if alias is not None and PROVISIONED.exists(call.tx, *key, alias.version):
        raise conflict(
            "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
        )
    if alias is None and any(
        other.version == named.qualifier and PROVISIONED.exists(call.tx, *key, other.name)
        for other in ALIASES.scan(call.tx, *key)
    ):
        raise conflict("Version is pointed by a Provisioned Concurrency alias")
    wanted = request["ProvisionedConcurrentExecutions"]
    setting = Setting(*key, named.qualifier, {"Requested": wanted}, call.now)
    PROVISIONED.put(call.tx, setting)
    return shown(setting, ready=False)


@read_only
def get_provisioned_concurrency_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    check_published(call, named)
    setting = PROVISIONED.get(call.tx, named.account_id, named.region, named.name, named.qualifier)
    if setting is None:
        raise api.ProvisionedConcurrencyConfigNotFoundException(
            "No Provisioned Concurrency Config found for this function", Type="User"
        )
    return shown(setting, ready=is_ready(call, setting))


def is_ready(call: Call, setting: Setting) -> bool:
    """AWS takes a minute or two to begin environments; here it is soon said to be done."""
    return call.now >= setting.modified + PROVISIONING_SECONDS


@read_write
def delete_provisioned_concurrency_config(call: Call, request: dict[str, Any]) -> None:
    named = read_name(call, request)
    check_published(call, named)
    PROVISIONED.delete(call.tx, named.account_id, named.region, named.name, named.qualifier)


@read_only
def list_provisioned_concurrency_configs(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    find_function(call, named)
    found = [
        {"FunctionArn": f"{named.arn}:{setting.qualifier}", **shown(setting, ready=is_ready(call, setting))}
        for setting in PROVISIONED.scan(call.tx, named.account_id, named.region, named.name)
    ]
    return page(found, "ProvisionedConcurrencyConfigs", request, lambda config: config["FunctionArn"])
