"""CBOR: Smithy's RPC v2 (`/service/<prefix>/operation/<name>`), and the form of awsJson that Kinesis speaks.

Moments are tag 1: seconds in RPC v2, milliseconds in Kinesis's form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import cbor2

from cloudlet.emulator.kernel.errors import AwsError, SerializationError
from cloudlet.emulator.protocol.constraints import Rules
from cloudlet.emulator.protocol.errors import (
    FRAMEWORK,
    ErrorShapes,
    declared,
    json_type,
    members_of,
    query_error_header,
)
from cloudlet.emulator.protocol.event_stream import CONTENT_TYPE as EVENTS
from cloudlet.emulator.protocol.event_stream import EventWriter, initial_response
from cloudlet.emulator.protocol.fragments import thaw
from cloudlet.emulator.protocol.json_reader import JsonReader, read_moment
from cloudlet.emulator.protocol.json_writer import JsonWriter
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.protocol.models import OperationModel, ServiceModel, Shape
from cloudlet.emulator.protocol.payload import payload_of
from cloudlet.emulator.protocol.timestamps import epoch_number, whole_milliseconds
from cloudlet.emulator.protocol.validate import validator

CONTENT_TYPE = "application/cbor"
KINESIS_CONTENT_TYPE = "application/x-amz-cbor-1.1"


def untagged(value: Any, *_: Any) -> Any:
    """A moment's number; the reader of the member knows its unit."""
    return value


def loads(data: bytes) -> Any:
    """Plain data. Raises SerializationError."""
    try:
        return cbor2.loads(data, semantic_decoders={1: untagged}, max_depth=200)
    except (cbor2.CBORDecodeError, ValueError, TypeError, RecursionError, OverflowError):
        raise SerializationError("The body is not CBOR") from None


def tagged_seconds(value: float) -> cbor2.CBORTag:
    return cbor2.CBORTag(1, epoch_number(value))


def tagged_milliseconds(value: float) -> cbor2.CBORTag:
    return cbor2.CBORTag(1, whole_milliseconds(value))


def read_milliseconds(value: Any) -> float:
    return read_moment(value) / 1000


class CborCodec:
    """An operation over Smithy's RPC v2 with CBOR."""

    content_type = CONTENT_TYPE
    kinesis = False

    def __init__(self, service: ServiceModel, operation: OperationModel, rules: Rules) -> None:
        self.service = service
        self.operation = operation
        self.check = validator(operation.input, rules)
        reader = JsonReader(read_milliseconds if self.kinesis else read_moment)
        self.read = reader.structure(operation.input) if operation.input is not None else None
        output = operation.output
        self.write_moment = tagged_milliseconds if self.kinesis else tagged_seconds
        self.write = JsonWriter(self.write_moment).of(output) if output is not None else None
        streams = [name for name, member in output.members.items() if member.is_event_stream] if output else []
        self.stream = streams[0] if streams else None

    def parse(self, request: HttpRequest) -> dict[str, Any]:
        if self.read is None:
            return {}
        data = payload_of(request)
        found: dict[str, Any] = self.read(loads(data) if data else {})
        if self.check is not None:
            self.check(found)
        return found

    def headers(self, request_id: str) -> dict[str, str]:
        headers = {"Content-Type": self.content_type, "x-amzn-RequestId": request_id}
        if not self.kinesis:
            headers["smithy-protocol"] = "rpc-v2-cbor"
        return headers

    def serialize(self, result: Mapping[str, Any] | None, request_id: str) -> HttpResponse:
        headers = self.headers(request_id)
        if self.operation.output is None:
            del headers["Content-Type"]
            return HttpResponse(200, headers)
        if self.stream is not None and result is not None:
            rest = {name: value for name, value in result.items() if name != self.stream}
            headers["Content-Type"] = EVENTS
            first = initial_response(self.content_type, cbor2.dumps(rest))
            return HttpResponse(200, headers, self._events.frames(result[self.stream], first))
        content: Any = result or {}
        if self.kinesis:  # DynamoDB's clients may speak this form, and its items are fragments
            content = thaw(content, self.operation.output)
        return HttpResponse(200, headers, cbor2.dumps(content if self.write is None else self.write(content)))

    @cached_property
    def _events(self) -> EventWriter:
        assert self.operation.output is not None
        assert self.stream is not None
        return EventWriter(self.operation.output.members[self.stream], self._event_body, self.content_type)

    def _event_body(self, shape: Shape) -> Callable[[Any], bytes]:
        write = JsonWriter(self.write_moment).of(shape)
        return lambda value: cbor2.dumps(value if write is None else write(value))

    @cached_property
    def _errors(self) -> ErrorShapes:
        return ErrorShapes(self.operation)

    def error(self, error: AwsError, request_id: str, method: str = "POST") -> HttpResponse:
        return cbor_error(error, self._errors.of(error), self.service, request_id, kinesis=self.kinesis)


class KinesisCborCodec(CborCodec):
    """An operation of an awsJson service with CBOR bodies, as the Kinesis clients of the Java SDK send them."""

    content_type = KINESIS_CONTENT_TYPE
    kinesis = True


def cbor_error(
    error: AwsError, shape: Shape | None, service: ServiceModel | None, request_id: str, *, kinesis: bool = False
) -> HttpResponse:
    """An error of a CBOR operation. RPC v2 names the error with its package, whatever the service's JSON does."""
    shape = declared(error, shape, service)
    members = members_of(error, shape)
    if shape is not None:
        write = JsonWriter(tagged_milliseconds if kinesis else tagged_seconds).of(shape)
        members = members if write is None else write(members)
    name = json_type(error, shape, service)
    if not kinesis and "#" not in name:
        package = FRAMEWORK.get(name) if shape is None else None
        name = f"{package or 'com.amazonaws.' + (service.name if service is not None else 'service')}#{name}"
    headers = {
        "Content-Type": KINESIS_CONTENT_TYPE if kinesis else CONTENT_TYPE,
        "x-amzn-RequestId": request_id,
        **error.headers,
    }
    if not kinesis:
        headers["smithy-protocol"] = "rpc-v2-cbor"
    if service is not None and "awsQueryCompatible" in service.metadata:
        headers["x-amzn-query-error"] = query_error_header(error)
    return HttpResponse(error.status, headers, cbor2.dumps({"__type": name, **members}))
