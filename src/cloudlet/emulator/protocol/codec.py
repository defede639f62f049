"""From the wire to the operation and back, compiled from the service model once per operation and protocol.

    models = Models()                                   # one per app; loads a service's model at its first use
    service = models.service("sqs")                     # ServiceModel; KeyError for a name that no model has
    wire = codec(service, "SendMessage", "json")        # Codec; the caller keeps it (it costs milliseconds)
    request = wire.parse(http_request)                  # dict in AWS's member names; raises AwsError
    response = wire.serialize(result, request_id)       # HttpResponse; result None means {}
    response = wire.error(error, request_id, method)    # HttpResponse; method: the request's (HEAD has no body)
    response = error_response("json", error, request_id, method, service)      # where no operation is known

`protocol` is one of PROTOCOLS; `choose_protocol(request, service)` tells it from a request of that service.

`parse` reads `request.path`, `request.query`, `request.headers` and `request.body`; URI labels come from `request.path`
(S3: the router has made virtual-hosted requests path-style before), host labels from `request.host`. It fills no
defaults, checks the model's constraints as `constraints.py` says for the service, and raises SerializationError,
ValidationError or what the service says instead.

`serialize` gives Content-Type, the request id header and the members' headers. A streaming payload passes through as the
response's body; an event stream (an async iterator of one-key dicts) becomes an async iterator of encoded frames.

The classes, one for each protocol:

    Codec
    ├── JsonCodec        json              json_wire.py     awsJson1_0, awsJson1_1
    ├── KinesisCborCodec json-cbor         cbor_wire.py     the same operations with application/x-amz-cbor-1.1
    ├── CborCodec        smithy-rpc-v2-cbor
    ├── QueryCodec       query             query_wire.py
    ├── Ec2Codec         ec2
    └── RestCodec        rest-json         rest_wire.py     members bound to headers, URI, query and status
        └── RestXmlCodec rest-xml
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.protocol.models import ServiceModel

PROTOCOLS = ("json", "json-cbor", "smithy-rpc-v2-cbor", "query", "ec2", "rest-json", "rest-xml")


class Codec(Protocol):
    """One operation on the wire."""

    def parse(self, request: HttpRequest) -> dict[str, Any]: ...

    def serialize(self, result: Mapping[str, Any] | None, request_id: str) -> HttpResponse: ...

    def error(self, error: AwsError, request_id: str, method: str = "POST") -> HttpResponse: ...


def codec(service: ServiceModel, operation: str, protocol: str) -> Codec:
    """The codec of `operation`. Raises KeyError for an operation or a protocol that does not exist."""
    raise NotImplementedError


def choose_protocol(request: HttpRequest, service: ServiceModel) -> str:
    """Which of the service's protocols the request speaks."""
    raise NotImplementedError


def error_response(
    protocol: str, error: AwsError, request_id: str, method: str = "POST", service: ServiceModel | None = None
) -> HttpResponse:
    """An error for which no operation is known (or none is needed)."""
    raise NotImplementedError
