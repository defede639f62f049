"""From the wire to the operation and back, compiled from the service model once per operation and protocol.

    models = Models()                                   # one per app; loads a service's model at its first use
    service = models.service("sqs")                     # ServiceModel; KeyError for a name that no model has
    wire = codec(service, "SendMessage", "json")        # Codec; the caller keeps it (it costs milliseconds)
    request = wire.parse(http_request)                  # dict in AWS's member names; raises AwsError
    response = wire.serialize(result, request_id)       # HttpResponse; result None means {}
    response = wire.error(error, request_id, method)    # HttpResponse; method: the request's (HEAD has no body)
    response = error_response("json", error, request_id, method, service)      # where no operation is known

`protocol` is one of PROTOCOLS; `gateway/identify.py` tells it from the request.

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
    └── RestJsonCodec    rest-json         rest_wire.py     members bound to headers, URI, query and status
        └── RestXmlCodec rest-xml
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.cbor_wire import CborCodec, KinesisCborCodec, cbor_error
from cloudlet.emulator.protocol.constraints import Rules, rules_of
from cloudlet.emulator.protocol.json_wire import JsonCodec, json_error
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.protocol.models import OperationModel, ServiceModel
from cloudlet.emulator.protocol.query_wire import Ec2Codec, QueryCodec, ec2_error, query_error
from cloudlet.emulator.protocol.rest_wire import RestJsonCodec, RestXmlCodec, rest_json_error, rest_xml_error


class Codec(Protocol):
    """One operation on the wire."""

    def parse(self, request: HttpRequest) -> dict[str, Any]: ...

    def serialize(self, result: Mapping[str, Any] | None, request_id: str) -> HttpResponse: ...

    def error(self, error: AwsError, request_id: str, method: str = "POST") -> HttpResponse: ...


class CodecClass(Protocol):
    def __call__(self, service: ServiceModel, operation: OperationModel, rules: Rules) -> Codec: ...


CODECS: MappingProxyType[str, CodecClass] = MappingProxyType(
    {
        "json": JsonCodec,
        "json-cbor": KinesisCborCodec,
        "smithy-rpc-v2-cbor": CborCodec,
        "query": QueryCodec,
        "ec2": Ec2Codec,
        "rest-json": RestJsonCodec,
        "rest-xml": RestXmlCodec,
    }
)
PROTOCOLS = tuple(CODECS)


def codec(service: ServiceModel, operation: str, protocol: str, rules: Rules | None = None) -> Codec:
    """The codec of `operation`. Raises KeyError for an operation or a protocol that does not exist.

    `rules`: what is validated; the service's own rules where not given.
    """
    if rules is None:
        rules = rules_of(service.name, service.protocols[0])
    return CODECS[protocol](service, service.operation(operation), rules)


def error_response(
    protocol: str, error: AwsError, request_id: str, method: str = "POST", service: ServiceModel | None = None
) -> HttpResponse:
    """An error for which no operation is known (or none is needed)."""
    if protocol == "rest-xml":
        return rest_xml_error(error, None, service, request_id, method)
    if protocol == "rest-json":
        return rest_json_error(error, None, request_id)
    if protocol == "query":
        return query_error(error, None, service, request_id)
    if protocol == "ec2":
        return ec2_error(error, request_id)
    if protocol in ("smithy-rpc-v2-cbor", "json-cbor"):
        return cbor_error(error, None, service, request_id, kinesis=protocol == "json-cbor")
    return json_error(error, None, service, request_id)
