"""Requests to function URLs: the event that the function gets, and the answer that it makes.

Source: "Invoking Lambda function URLs", payload format version 2.0.
"""

from __future__ import annotations

import re
import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import orjson

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.protocol.proxied import JSON, proxied
from cloudlet.emulator.services.lambda_.execution import Outcome, run
from cloudlet.emulator.services.lambda_.names import Named
from cloudlet.emulator.services.lambda_.records import LATEST, URLS, Setting
from cloudlet.emulator.services.lambda_.runtimes import CannotRun
from cloudlet.emulator.services.lambda_.targets import find_target

TEXT = re.compile(r"(text/.*|application/(json|javascript|xml|graphql)|[^;]*\+(json|xml))(;.*)?", re.I)
PRELUDE_END = b"\0" * 8
MADE_OF = ("statusCode", "headers", "cookies", "isBase64Encoded")
NOT_TOLD = frozenset(("connection", "transfer-encoding"))
ALL = "*"


def parse_url_request(request: HttpRequest) -> dict[str, Any]:
    return {"Http": request}


async def invoke_url(call: Call, request: dict[str, Any]) -> HttpResponse:
    """The function's answer. Errors are answers too: nobody here speaks AWS's protocol."""
    http: HttpRequest = request["Http"]
    with call.transaction(read_only=True) as tx:
        url = URLS.find(tx, "by_id", http.host.partition(".")[0])
    if url is None:
        return plain(403, None)
    headers = cors_headers(url, http)
    if http.method == "OPTIONS" and url.value.get("Cors") and "origin" in http.headers:
        return HttpResponse(200, headers, b"")
    if (
        url.value["AuthType"] == "AWS_IAM"
        and "authorization" not in http.headers
        and "X-Amz-Signature" not in http.params
    ):
        return plain(403, "Forbidden")
    answer = await carry_out(call.at(url.account_id, url.region), url, http)
    answer.headers.update(headers)
    return answer


async def carry_out(call: Call, url: Setting, http: HttpRequest) -> HttpResponse:
    named = Named(url.account_id, url.region, url.function, "" if url.qualifier == LATEST else url.qualifier)
    try:
        with call.transaction(read_only=True):
            target = find_target(call, named)
        outcome = await run(call, target, orjson.dumps(event_of(call, url, http)), call.request_id)
    except CannotRun as error:
        return plain(502, f"The function cannot be run: {error}.")
    except AwsError as error:
        return plain(429 if error.status == 429 else 404, error.message)
    return answer_of(outcome)


def plain(status: int, message: str | None) -> HttpResponse:
    return HttpResponse(status, {"Content-Type": JSON}, orjson.dumps({"Message": message}))


def event_of(call: Call, url: Setting, http: HttpRequest) -> dict[str, Any]:
    headers = {name: value for name, value in http.headers.items() if name not in NOT_TOLD}
    cookies = [part.strip() for part in headers.pop("cookie", "").split(";") if part.strip()]
    parameters: dict[str, str] = {}
    for name, value in http.param_items():
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    host = http.host
    context: dict[str, Any] = {
        "accountId": "anonymous",
        "apiId": url.url_id,
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "http": {
            "method": http.method,
            "path": http.decoded_path,
            "protocol": "HTTP/1.1",
            "sourceIp": http.client[0],
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": call.request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(call.now)),
        "timeEpoch": int(call.now * 1000),
    }
    if url.value["AuthType"] == "AWS_IAM":
        principal = call.principal
        context["accountId"] = principal.account_id
        context["authorizer"] = {
            "iam": {
                "accessKey": principal.access_key_id,
                "accountId": principal.account_id,
                "callerId": principal.user_id,
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": principal.arn,
                "userId": principal.user_id,
            }
        }
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": http.decoded_path,
        "rawQueryString": http.query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if parameters:
        event["queryStringParameters"] = parameters
    body = http.body.read() if http.body.size else b""
    if body:
        event |= body_of(body, headers.get("content-type", ""))
    return event


def body_of(body: bytes, content_type: str) -> dict[str, Any]:
    if TEXT.fullmatch(content_type):
        try:
            return {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": b64encode(body).decode(), "isBase64Encoded": True}


def answer_of(outcome: Outcome) -> HttpResponse:
    if outcome.error:
        return failed()
    if outcome.streamed:
        return streamed_answer(outcome.payload)
    try:
        returned = orjson.loads(outcome.payload)
    except ValueError:  # NaN, which Python's functions may write
        return failed()
    if isinstance(returned, dict) and "statusCode" in returned:
        return made_answer(returned)
    body = returned.encode() if isinstance(returned, str) else orjson.dumps(returned)
    return HttpResponse(200, {"Content-Type": JSON}, body)


def failed() -> HttpResponse:
    return HttpResponse(502, {"Content-Type": JSON}, b"Internal Server Error")


def streamed_answer(payload: bytes) -> HttpResponse:
    prelude, end, body = payload.partition(PRELUDE_END)
    if not end or not prelude.startswith(b"{"):
        return HttpResponse(200, {"Content-Type": "application/octet-stream"}, payload)
    try:
        made = proxied(orjson.loads(prelude))
    except ValueError:
        made = None
    if made is None:
        return failed()
    made.body = body
    return made


def made_answer(returned: Mapping[str, Any]) -> HttpResponse:
    """From `statusCode`, `headers`, `cookies`, `body` (a document too) and `isBase64Encoded`."""
    body = returned.get("body")
    text = body if isinstance(body, str | None) else orjson.dumps(body).decode()
    made = proxied({**{name: returned[name] for name in MADE_OF if name in returned}, "body": text})
    return made if made is not None else failed()


def cors_headers(url: Setting, http: HttpRequest) -> dict[str, str]:
    """For an origin that the URL's configuration allows."""
    cors, origin = url.value.get("Cors") or {}, http.headers.get("origin")
    allowed = cors.get("AllowOrigins") or ()
    if origin is None or not (ALL in allowed or origin in allowed):
        return {}
    found = {"access-control-allow-origin": ALL if ALL in allowed else origin}
    if cors.get("AllowCredentials"):
        found["access-control-allow-credentials"] = "true"
    if cors.get("ExposeHeaders"):
        found["access-control-expose-headers"] = ",".join(cors["ExposeHeaders"])
    if http.method == "OPTIONS":
        found["access-control-allow-methods"] = ",".join(cors.get("AllowMethods") or ())
        found["access-control-allow-headers"] = ",".join(cors.get("AllowHeaders") or ())
        found["access-control-max-age"] = str(cors.get("MaxAge") or 0)
    return found
