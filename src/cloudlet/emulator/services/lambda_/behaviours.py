"""Recursion detection and runtime updates, by function: kept and shown."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.lambda_.errors import invalid
from cloudlet.emulator.services.lambda_.names import find_function, find_version, read_name
from cloudlet.emulator.services.lambda_.records import FUNCTIONS, LATEST


@read_write
def put_function_recursion_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    function = find_function(call, read_name(call, request))
    FUNCTIONS.put(call.tx, replace(function, recursive_loop=request["RecursiveLoop"]))
    return {"RecursiveLoop": request["RecursiveLoop"]}


@read_only
def get_function_recursion_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return {"RecursiveLoop": find_function(call, read_name(call, request)).recursive_loop}


@read_write
def put_runtime_management_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    function, _ = find_function(call, named), find_version(call, named)
    kind, arn = request["UpdateRuntimeOn"], request.get("RuntimeVersionArn")
    if kind == "Manual" and not arn:
        raise invalid("You must specify a runtime version ARN when you use the Manual update mode.")
    if kind != "Manual" and arn:
        raise invalid("You can only specify a runtime version ARN when you use the Manual update mode.")
    value = {"UpdateRuntimeOn": kind} | ({"RuntimeVersionArn": arn} if arn else {})
    qualifier = named.qualifier or LATEST
    FUNCTIONS.put(call.tx, replace(function, runtime_update={**function.runtime_update, qualifier: value}))
    return {**value, "FunctionArn": f"{named.arn}:{qualifier}" if named.qualifier else named.arn}


@read_only
def get_runtime_management_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    function, _ = find_function(call, named), find_version(call, named)
    value = function.runtime_update.get(named.qualifier or LATEST) or {"UpdateRuntimeOn": "Auto"}
    return {**value, "FunctionArn": named.full_arn}
