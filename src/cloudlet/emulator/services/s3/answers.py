"""The last touch on every answer: partial content, and the bucket's CORS headers."""

from __future__ import annotations

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.protocol.rest_wire import S3_HOST_ID
from cloudlet.emulator.services.s3.cors import decides_on_origin

# What answers 204 although the model says nothing of it.
NO_CONTENT = frozenset({"PutBucketPolicy", "PutBucketTagging", "PutBucketMetricsConfiguration"})


def finish(call: Call, request: HttpRequest, response: HttpResponse) -> None:
    """Runs after the operation, errors included."""
    if response.status == 200:
        if "Content-Range" in response.headers:
            response.status = 206
        elif call.operation in NO_CONTENT:
            response.status = 204
        elif call.operation == "HeadBucket":
            response.headers["Content-Type"] = "application/xml"
    headers = response.headers
    headers["Server"] = "AmazonS3"
    headers.setdefault("x-amz-id-2", S3_HOST_ID)
    if "origin" in request.headers and decides_on_origin(call, request, response):
        del request.headers["origin"]  # the bucket has decided; the gateway's own headers are for those that have not
