"""REST APIs: the resource and method of a request, and its integration.

Proxy and plain integrations of functions, and mocks. Source: "API Gateway REST APIs", "Set up a mock integration".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import orjson

from cloudlet.emulator.gateway.apis.answers import FunctionFailed, call_function, from_proxy, message
from cloudlet.emulator.gateway.apis.events import Matched, body_of, context_v1, event_v1
from cloudlet.emulator.gateway.apis.templates import render, status_of
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.protocol.proxied import JSON

FUNCTION = re.compile(r".*/functions/(?P<arn>arn:.+)/invocations")
MOST_RESOURCES = 500
STATIC = re.compile(r"'(.*)'")


async def answer(call: Call, http: HttpRequest, api_id: str, rest: str) -> HttpResponse:
    """`rest`: stage and path."""
    stage_name, _, path = rest.lstrip("/").partition("/")
    path = f"/{path}"
    try:
        stage = await call.reach("apigateway", "GetStage", {"restApiId": api_id, "stageName": stage_name})
    except AwsError:
        return message(403, "Forbidden")
    found = await call.reach(
        "apigateway", "GetResources", {"restApiId": api_id, "limit": MOST_RESOURCES, "embed": ["methods"]}
    )
    chosen = choose(found.get("items") or (), path.rstrip("/") or "/")
    if chosen is None:
        return message(403, "Missing Authentication Token")
    resource, parameters = chosen
    methods = resource.get("resourceMethods") or {}
    method = methods.get(http.method) or methods.get("ANY")
    if method is None:
        return message(403, "Missing Authentication Token")
    matched = Matched(
        api_id, stage_name, path, resource["path"], resource["id"], parameters, stage.get("variables") or {}
    )
    return await integrate(call, http, matched, method)


def choose(resources: Iterable[Mapping[str, Any]], path: str) -> tuple[Mapping[str, Any], dict[str, str]] | None:
    """The resource of a path with its parameters: what is fixed before what is a parameter, that before what is greedy."""
    best: tuple[tuple[int, ...], Mapping[str, Any], dict[str, str]] | None = None
    for resource in resources:
        found = match(resource["path"], path)
        if found is not None and (best is None or found[0] < best[0]):
            best = (found[0], resource, found[1])
    return None if best is None else best[1:]


def match(pattern: str, path: str) -> tuple[tuple[int, ...], dict[str, str]] | None:
    """How loosely the parts fit, and the parameters."""
    wanted, given = pattern.strip("/").split("/"), [unquote(part) for part in path.strip("/").split("/")]
    rank: list[int] = []
    parameters: dict[str, str] = {}
    for place, part in enumerate(wanted):
        if part.startswith("{") and part.endswith("+}"):
            rest = "/".join(given[place:])
            return ((*rank, 2), {**parameters, part[1:-2]: rest}) if rest else None
        if place >= len(given):
            return None
        if part.startswith("{") and part.endswith("}"):
            if not given[place]:
                return None
            parameters[part[1:-1]] = given[place]
            rank.append(1)
        elif part == given[place]:
            rank.append(0)
        else:
            return None
    return (tuple(rank), parameters) if len(wanted) == len(given) else None


async def integrate(call: Call, http: HttpRequest, matched: Matched, method: Mapping[str, Any]) -> HttpResponse:
    integration = method.get("methodIntegration")
    if not integration:
        return message(500, "Internal server error")
    kind = integration["type"]
    if kind == "MOCK":
        return mock(call, http, matched, integration)
    function = FUNCTION.fullmatch(with_variables(integration.get("uri") or "", matched.variables))
    if kind not in ("AWS_PROXY", "AWS") or function is None:
        return message(501, f"Integrations of type {kind} are not emulated.")
    try:
        if kind == "AWS_PROXY":
            returned = await call_function(call, function["arn"], event_v1(call, http, matched))
            made = from_proxy(returned)
            return made if made is not None else message(502, "Internal server error")
        return await plain_function(call, http, matched, integration, function["arn"])
    except FunctionFailed:
        return message(502, "Internal server error")


def with_variables(uri: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\$\{stageVariables\.(\w+)\}", lambda found: variables.get(found[1], ""), uri)


async def plain_function(
    call: Call, http: HttpRequest, matched: Matched, integration: Mapping[str, Any], arn: str
) -> HttpResponse:
    """The body, or what the request template makes of it, as the event; the function's answer as the body."""
    template = (integration.get("requestTemplates") or {}).get(JSON)
    body = body_of(http)[0] or ""
    text = filled(call, http, matched, template, body) if template else body
    try:
        event = orjson.loads(text or "{}")
    except ValueError:
        return message(400, "Invalid request body")
    returned = await call_function(call, arn, event)
    responses = integration.get("integrationResponses") or {}
    answer_body = orjson.dumps(returned).decode()
    if not responses:
        return HttpResponse(200, {"Content-Type": JSON}, answer_body.encode())
    return shaped(call, http, matched, default_of(responses), answer_body)


def default_of(responses: Mapping[str, Any]) -> Mapping[str, Any]:
    """The response without a selection pattern, or the first."""
    found: Mapping[str, Any] = next(
        (response for response in responses.values() if not response.get("selectionPattern")),
        next(iter(responses.values())),
    )
    return found


def mock(call: Call, http: HttpRequest, matched: Matched, integration: Mapping[str, Any]) -> HttpResponse:
    templates = integration.get("requestTemplates") or {}
    template = templates.get(http.headers.get("content-type", JSON).partition(";")[0]) or templates.get(JSON) or ""
    body = body_of(http)[0] or ""
    status = status_of(filled(call, http, matched, template, body))
    responses = integration.get("integrationResponses") or {}
    response = responses.get(str(status))
    if response is None:
        response = next((one for one in responses.values() if matches_pattern(one, status)), None)
    if response is None and responses:
        response = default_of(responses)
    if response is None:
        return message(500, "Internal server error")
    return shaped(call, http, matched, response, body)


def matches_pattern(response: Mapping[str, Any], status: int) -> bool:
    pattern = response.get("selectionPattern")
    return bool(pattern) and re.fullmatch(str(pattern), str(status)) is not None


def shaped(call: Call, http: HttpRequest, matched: Matched, response: Mapping[str, Any], body: str) -> HttpResponse:
    """An integration response: its status, its headers, its template."""
    templates = response.get("responseTemplates") or {}
    template = templates.get(JSON)
    content_type, text = JSON, body
    if template is not None:
        text = filled(call, http, matched, template, body) if template else body
    elif templates:
        content_type, template = next(iter(templates.items()))
        text = filled(call, http, matched, template or "", body)
    headers = {"Content-Type": content_type}
    for name, value in (response.get("responseParameters") or {}).items():
        fixed = STATIC.fullmatch(value)
        if name.startswith("method.response.header.") and fixed is not None:
            headers[name.removeprefix("method.response.header.")] = fixed[1]
    return HttpResponse(int(response["statusCode"]), headers, text.encode())


def filled(call: Call, http: HttpRequest, matched: Matched, template: str, body: str) -> str:
    parameters = {**http.headers, **http.params, **matched.path_parameters}
    return render(template, body, parameters, context_v1(call, http, matched), matched.variables)
