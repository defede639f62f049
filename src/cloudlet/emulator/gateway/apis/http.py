"""HTTP APIs: the route of a request, and its integration, a function's. Source: "API Gateway HTTP APIs"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from cloudlet.emulator.gateway.apis.answers import FunctionFailed, call_function, from_proxy, message
from cloudlet.emulator.gateway.apis.events import Matched, event_v1, event_v2
from cloudlet.emulator.gateway.apis.rest import FUNCTION, match
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.protocol.proxied import JSON

DEFAULT = "$default"
SERVICE = "apigatewayv2"


async def answer(call: Call, http: HttpRequest, api_id: str, rest: str) -> HttpResponse:
    """`rest`: the path, behind the stage's name where it is not `$default`."""
    stages = {
        stage["StageName"]: stage for stage in (await call.reach(SERVICE, "GetStages", {"ApiId": api_id}))["Items"]
    }
    first, _, behind = rest.lstrip("/").partition("/")
    name, path = (first, f"/{behind}") if first in stages else (DEFAULT, rest)
    if name not in stages:
        return message(404, "Not Found")
    routes = (await call.reach(SERVICE, "GetRoutes", {"ApiId": api_id}))["Items"]
    chosen = choose(routes, http.method, path)
    if chosen is None:
        return message(404, "Not Found")
    route, parameters = chosen
    matched = Matched(api_id, name, path, route["RouteKey"], "", parameters, stages[name].get("StageVariables") or {})
    return await integrate(call, http, matched, route)


def choose(routes: list[dict[str, Any]], method: str, path: str) -> tuple[dict[str, Any], dict[str, str]] | None:
    best: tuple[tuple[int, ...], dict[str, Any], dict[str, str]] | None = None
    for route in routes:
        wanted, _, pattern = route["RouteKey"].partition(" ")
        if wanted not in (method, "ANY"):
            continue
        found = match(pattern, path)
        if found is None:
            continue
        rank = (*found[0], int(wanted == "ANY"))
        if best is None or rank < best[0]:
            best = (rank, route, found[1])
    if best is not None:
        return best[1:]
    return next(((route, {}) for route in routes if route["RouteKey"] == DEFAULT), None)


async def integrate(call: Call, http: HttpRequest, matched: Matched, route: Mapping[str, Any]) -> HttpResponse:
    wanted = str(route.get("Target") or "").rpartition("/")[2]
    integrations = (await call.reach(SERVICE, "GetIntegrations", {"ApiId": matched.api_id}))["Items"]
    integration = next((one for one in integrations if one["IntegrationId"] == wanted), None)
    if integration is None:
        return message(500, "Internal Server Error")
    uri = integration.get("IntegrationUri") or ""
    function = FUNCTION.fullmatch(uri)
    arn = function["arn"] if function is not None else uri
    if integration["IntegrationType"] != "AWS_PROXY" or not arn.startswith("arn:aws:lambda:"):
        return message(501, f"Integrations of type {integration['IntegrationType']} are not emulated.")
    newer = integration.get("PayloadFormatVersion") != "1.0"
    event = event_v2(call, http, matched) if newer else event_v1(call, http, matched) | {"version": "1.0"}
    try:
        returned = await call_function(call, arn, event)
    except FunctionFailed:
        return message(500, "Internal Server Error")
    if newer and not (isinstance(returned, dict) and "statusCode" in returned):
        body = returned.encode() if isinstance(returned, str) else orjson.dumps(returned)
        return HttpResponse(200, {"Content-Type": JSON}, body)
    made = from_proxy(returned)
    return made if made is not None else message(500, "Internal Server Error")
