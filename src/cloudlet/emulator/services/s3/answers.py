"""The last touch on every answer: partial content, and the bucket's CORS headers."""

from __future__ import annotations

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.services.s3.cors import add_cors_headers

# What answers 204 although the model says nothing of it.
NO_CONTENT = frozenset({"PutBucketPolicy", "PutBucketTagging"})


def finish(call: Call, request: HttpRequest, response: HttpResponse) -> None:
    """Runs after the operation, errors included."""
    if response.status == 200:
        if "Content-Range" in response.headers:
            response.status = 206
        elif call.operation in NO_CONTENT:
            response.status = 204
        elif call.operation == "HeadBucket":
            response.headers["Content-Type"] = "application/xml"
    if "origin" in request.headers and call.operation != "OptionsObject":
        add_cors_headers(call, request, response)
