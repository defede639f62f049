"""The last touch on an answer: the name of an error is in a header, too."""

from __future__ import annotations

import orjson

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

HEADER = "x-amzn-ErrorType"


def finish(call: Call, request: HttpRequest, response: HttpResponse) -> None:
    """Clients that do not read the body of an error read this."""
    body = response.body
    if response.status < 400 or not isinstance(body, bytes) or not body.startswith(b"{"):
        return
    kind = orjson.loads(body).get("__type", "")
    if kind:
        response.headers = {**response.headers, HEADER: kind.rpartition("#")[2]}
