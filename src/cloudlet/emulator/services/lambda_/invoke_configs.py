"""What becomes of events: attempts, age and destinations, by qualifier."""

from __future__ import annotations

import re
from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.lambda_.errors import invalid, not_found
from cloudlet.emulator.services.lambda_.names import Named, find_alias, find_function, read_name, version_of
from cloudlet.emulator.services.lambda_.paging import page
from cloudlet.emulator.services.lambda_.records import FUNCTIONS, INVOKE_CONFIGS, LATEST, Setting

MEMBERS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
DESTINATION = re.compile(r"arn:aws[a-zA-Z-]*:(sqs|sns|lambda|events|s3):.*")


def checked_name(call: Call, request: dict[str, Any]) -> Named:
    """Raises ResourceNotFoundException."""
    named = read_name(call, request)
    if FUNCTIONS.get(call.tx, named.account_id, named.region, named.name) is None:
        raise not_found("The function doesn't exist.")
    if named.qualifier and named.qualifier != LATEST:
        known = (
            version_of(call, named, named.qualifier)
            if named.qualifier.isdigit()
            else find_alias(call, named, named.qualifier)
        )
        if known is None:
            raise not_found("The function doesn't exist.")
    return named


def check_destinations(call: Call, named: Named, config: dict[str, Any] | None) -> None:
    """Raises InvalidParameterValueException for what cannot be a destination."""
    for place in ("OnSuccess", "OnFailure"):
        arn = ((config or {}).get(place) or {}).get("Destination")
        if not arn:
            continue
        if DESTINATION.fullmatch(arn) is None:
            raise invalid(f"The provided destination config DestinationConfig({shown_config(config)}) is invalid.")
        service = arn.split(":")[2]
        if service == "lambda" and arn.split(":")[6:7] == [named.name]:
            raise invalid("You can't specify the function as a destination for itself.")
        if service == "sqs" and arn.endswith(".fifo"):
            raise invalid(f"The destination ARN {arn} is invalid.")


def shown_config(config: dict[str, Any] | None) -> str:
    """As Java prints it."""
    parts = [
        f"{label}=On{place}(destination={((config or {}).get('On' + place) or {}).get('Destination', 'null')})"
        for label, place in (("onSuccess", "Success"), ("onFailure", "Failure"))
    ]
    return ", ".join(parts)


def shown(named: Named, setting: Setting) -> dict[str, Any]:
    value = dict(setting.value)
    destinations = value.get("DestinationConfig") or {}
    value["DestinationConfig"] = {place: destinations.get(place) or {} for place in ("OnSuccess", "OnFailure")}
    return {
        "LastModified": setting.modified,
        "FunctionArn": f"{named.arn}:{setting.qualifier}",
        **value,
    }


def missing(named: Named) -> Exception:
    return not_found(f"The function {named.arn}:{named.qualifier or LATEST} doesn't have an EventInvokeConfig")


def given_of(request: dict[str, Any]) -> dict[str, Any]:
    given = {name: request[name] for name in MEMBERS if request.get(name) is not None}
    if not given:
        raise invalid("You must specify at least one of error handling or destination setting.")
    return given


def put(call: Call, named: Named, value: dict[str, Any]) -> dict[str, Any]:
    setting = Setting(named.account_id, named.region, named.name, named.qualifier or LATEST, value, call.now)
    INVOKE_CONFIGS.put(call.tx, setting)
    return shown(named, setting)


@read_write
def put_function_event_invoke_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    value = given_of(request)
    named = checked_name(call, request)
    check_destinations(call, named, value.get("DestinationConfig"))
    return put(call, named, value)


@read_write
def update_function_event_invoke_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    value = given_of(request)
    named = checked_name(call, request)
    check_destinations(call, named, value.get("DestinationConfig"))
    before = find(call, named)
    return put(call, named, {**before.value, **value})


def find(call: Call, named: Named) -> Setting:
    setting = INVOKE_CONFIGS.get(call.tx, named.account_id, named.region, named.name, named.qualifier or LATEST)
    if setting is None:
        raise missing(named)
    return setting


@read_only
def get_function_event_invoke_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    return shown(named, find(call, named))


@read_write
def delete_function_event_invoke_config(call: Call, request: dict[str, Any]) -> None:
    named = read_name(call, request)
    find(call, named)
    INVOKE_CONFIGS.delete(call.tx, named.account_id, named.region, named.name, named.qualifier or LATEST)


@read_only
def list_function_event_invoke_configs(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    find_function(call, named._replace(qualifier=""))
    found = [
        shown(named, setting) for setting in INVOKE_CONFIGS.scan(call.tx, named.account_id, named.region, named.name)
    ]
    return page(found, "FunctionEventInvokeConfigs", request, lambda config: config["FunctionArn"])
