"""The response that a function makes of a request which reached it as an event: API Gateway's and function URLs' alike.

Source: "Output format of a Lambda function for proxy integration", "Invoking Lambda function URLs".
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from cloudlet.emulator.protocol.message import HttpResponse

JSON = "application/json"
DROPPED = frozenset(("connection", "content-length", "transfer-encoding", "date", "server"))
LEAST_STATUS, LARGEST_STATUS = 200, 599


def proxied(returned: Mapping[str, Any]) -> HttpResponse | None:
    """From `statusCode`, `headers`, `multiValueHeaders`, `cookies`, `body`, `isBase64Encoded`; None where one is wrong."""
    headers, several = returned.get("headers") or {}, returned.get("multiValueHeaders") or {}
    cookies, body = returned.get("cookies") or [], returned.get("body")
    lists = (*several.values(), cookies) if isinstance(several, dict) else (several,)
    if not isinstance(headers, dict) or not all(isinstance(values, list) for values in lists):
        return None
    made: dict[str, str] = {}
    for name, values in (*((name, [value]) for name, value in headers.items()), *several.items()):
        add_header(made, name, values)
    for cookie in cookies:
        made[cookie_name(made)] = str(cookie)
    if not any(name.lower() == "content-type" for name in made):
        made["Content-Type"] = JSON
    if not all(map(can_be_sent, (*made, *made.values()))) or not isinstance(body, str | None):
        return None
    try:
        content = b64decode(body or "") if returned.get("isBase64Encoded") else (body or "").encode()
        status = int(returned.get("statusCode", LEAST_STATUS))
    except (TypeError, ValueError, OverflowError):
        return None
    return HttpResponse(status, made, content) if LEAST_STATUS <= status <= LARGEST_STATUS else None


def can_be_sent(text: str) -> bool:
    """A header's name or value: no line breaks, and latin-1."""
    return not any(one in "\r\n" or ord(one) > 0xFF for one in text)


def cookie_name(headers: Mapping[str, str]) -> str:
    """A way to write the header's name that is not taken: cookies cannot be joined, and a dict has each name once."""
    letters = "setcookie"
    for number in range(1, 2 ** len(letters)):
        cased = "".join(one.upper() if number >> place & 1 else one for place, one in enumerate(letters))
        name = f"{cased[:3]}-{cased[3:]}"
        if name not in headers:
            return name
    return "set-cookie"


def add_header(headers: dict[str, str], name: str, values: list[Any]) -> None:
    if name.lower() == "set-cookie":
        for value in values:
            headers[cookie_name(headers)] = str(value)
        return
    if name.lower() not in DROPPED:
        shown = (str(value).lower() if isinstance(value, bool) else str(value) for value in values)
        headers[name] = ", ".join(shown)
