"""The last touch on every answer: partial content, and the bucket's CORS headers."""

from __future__ import annotations

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.services.s3.cors import add_cors_headers


def finish(call: Call, request: HttpRequest, response: HttpResponse) -> None:
    """Runs after the operation, errors included."""
    if response.status == 200 and "Content-Range" in response.headers:
        response.status = 206
    if "origin" in request.headers and call.operation != "OptionsObject":
        add_cors_headers(call, request, response)
