"""Function URLs: made, read, changed, deleted. Requests to them: `url_requests`."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.lambda_.errors import conflict, not_found, violation
from cloudlet.emulator.services.lambda_.names import Named, find_alias, find_function, read_name
from cloudlet.emulator.services.lambda_.paging import page
from cloudlet.emulator.services.lambda_.records import FUNCTIONS, LATEST, URLS, Setting
from cloudlet.emulator.services.lambda_.times import iso_zulu

CUSTOM_ID = "_custom_id_"


def checked_name(call: Call, request: dict[str, Any]) -> Named:
    named = read_name(call, request)
    function = find_function(call, named)
    if named.qualifier and (named.qualifier.isdigit() or named.qualifier == LATEST):
        raise violation(
            named.qualifier, "qualifier", r"Member must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)"
        )
    if named.qualifier and find_alias(call, named, named.qualifier) is None:
        raise not_found("The resource you requested does not exist.")
    return named._replace(name=function.name)


def require(call: Call, request: dict[str, Any]) -> tuple[Named, Setting]:
    named = read_name(call, request)
    setting = URLS.get(call.tx, named.account_id, named.region, named.name, named.qualifier or LATEST)
    if setting is None:
        raise not_found()
    return named, setting


def shown(call: Call, named: Named, setting: Setting) -> dict[str, Any]:
    host = f"{setting.url_id}.lambda-url.{setting.region}.{call.settings.localstack_host}"
    return {
        "FunctionUrl": f"{call.settings.protocol}://{host}/",
        "FunctionArn": named.arn if setting.qualifier == LATEST else f"{named.arn}:{setting.qualifier}",
        "CreationTime": iso_zulu(setting.created),
        **setting.value,
    }


@read_write
def create_function_url_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = checked_name(call, request)
    qualifier = named.qualifier or LATEST
    if URLS.exists(call.tx, named.account_id, named.region, named.name, qualifier):
        raise conflict(
            f"Failed to create function url config for [functionArn = {named.full_arn}]. Error message:  "
            "FunctionUrlConfig exists for this Lambda function"
        )
    value = {"AuthType": request["AuthType"]}
    if request.get("InvokeMode"):
        value["InvokeMode"] = request["InvokeMode"]
    if request.get("Cors") is not None:
        value["Cors"] = request["Cors"]
    custom = find_function(call, named).tags.get(CUSTOM_ID)
    url_id = call.ids.hex(32)
    if custom:
        url_id = f"{custom}-{named.qualifier}" if named.qualifier else custom
        if URLS.find(call.tx, "by_id", url_id) is not None:
            raise conflict(f"Another function URL has the id {url_id}, which the tag {CUSTOM_ID} asks for.")
    setting = Setting(
        named.account_id, named.region, named.name, qualifier, value, call.now, created=call.now, url_id=url_id
    )
    URLS.put(call.tx, setting)
    return shown(call, named, setting)


@read_only
def get_function_url_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named, setting = require(call, request)
    return {**shown(call, named, setting), "LastModifiedTime": iso_zulu(setting.modified)}


@read_write
def update_function_url_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named, setting = require(call, request)
    given = {name: request[name] for name in ("AuthType", "Cors", "InvokeMode") if request.get(name) is not None}
    value = {**setting.value, **given}
    if "Cors" in given and not given["Cors"]:
        del value["Cors"]
    setting = replace(setting, value=value, modified=call.now)
    URLS.put(call.tx, setting)
    return {**shown(call, named, setting), "LastModifiedTime": iso_zulu(setting.modified)}


@read_write
def delete_function_url_config(call: Call, request: dict[str, Any]) -> None:
    named, setting = require(call, request)
    URLS.delete(call.tx, named.account_id, named.region, named.name, setting.qualifier)


@read_only
def list_function_url_configs(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    if FUNCTIONS.get(call.tx, named.account_id, named.region, named.name) is None:
        raise not_found("Function does not exist")
    found = [
        {**shown(call, named, setting), "LastModifiedTime": iso_zulu(setting.modified)}
        for setting in URLS.scan(call.tx, named.account_id, named.region, named.name)
    ]
    return page(found, "FunctionUrlConfigs", request, lambda config: config["FunctionArn"])
