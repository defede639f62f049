"""awsJson1_0 and awsJson1_1: the target header names the operation, the body is the request."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import msgspec
import orjson

from cloudlet.emulator.kernel.errors import AwsError, SerializationError
from cloudlet.emulator.protocol.constraints import Rules
from cloudlet.emulator.protocol.errors import ErrorShapes, declared, json_type, members_of, query_error_header
from cloudlet.emulator.protocol.event_stream import CONTENT_TYPE, EventWriter, initial_response
from cloudlet.emulator.protocol.fragments import encode_plain
from cloudlet.emulator.protocol.json_reader import JsonReader, Read
from cloudlet.emulator.protocol.json_types import JsonTypes, Unsayable
from cloudlet.emulator.protocol.json_writer import JsonWriter
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.protocol.models import OperationModel, ServiceModel, Shape
from cloudlet.emulator.protocol.payload import payload_of
from cloudlet.emulator.protocol.validate import validator


class JsonBody:
    """JSON text into a request: at once where a type can say it, else value by value."""

    def __init__(self, shape: Shape, rules: Rules, members: dict[str, Shape] | None = None) -> None:
        self.shape = shape
        self.rules = rules
        self.members = members
        self._decode = self._fast_decoder()

    def _fast_decoder(self) -> Callable[[bytes], dict[str, Any]] | None:
        try:
            kind = JsonTypes(self.rules).structure(
                self.shape, self.shape.members if self.members is None else self.members
            )
            return msgspec.json.Decoder(kind).decode
        except (Unsayable, TypeError, ValueError):  # what msgspec cannot express either
            return None

    @cached_property
    def _check(self) -> Callable[[dict[str, Any]], None] | None:
        """For what was read slowly; the type of the fast way has the same constraints. REST checks the whole request."""
        return validator(self.shape, self.rules) if self.members is None else None

    @cached_property
    def _read(self) -> Read:
        return JsonReader().structure(self.shape, self.members)

    def decode(self, data: bytes) -> dict[str, Any]:
        """Raises SerializationError and what the constraints say."""
        if self._decode is not None:
            try:
                return self._decode(data)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                pass  # read again below, for AWS's words or AWS's lenience
        return self.decode_slowly(data)

    def decode_slowly(self, data: bytes) -> dict[str, Any]:
        try:
            value = orjson.loads(data) if data.strip() else {}
            request: dict[str, Any] = self._read(value)
        except (orjson.JSONDecodeError, RecursionError):
            raise SerializationError from None
        if self._check is not None:
            self._check(request)
        return request


class JsonCodec:
    """An operation over awsJson. `crc32`: DynamoDB's checksum header."""

    def __init__(self, service: ServiceModel, operation: OperationModel, rules: Rules) -> None:
        self.service = service
        self.operation = operation
        self.body = JsonBody(operation.input, rules) if operation.input is not None else None
        self.content_type = f"application/x-amz-json-{service.metadata.get('jsonVersion', '1.0')}"
        self.crc32 = service.name == "dynamodb"
        self.query_compatible = "awsQueryCompatible" in service.metadata
        output = operation.output
        self.write = JsonWriter().of(output) if output is not None else None
        self.empty = b"" if output is None else b"{}"
        streams = [name for name, member in output.members.items() if member.is_event_stream] if output else []
        self.stream = streams[0] if streams else None

    def parse(self, request: HttpRequest) -> dict[str, Any]:
        body = self.body
        if body is None:
            return {}
        return body.decode(payload_of(request))

    def serialize(self, result: Mapping[str, Any] | None, request_id: str) -> HttpResponse:
        if self.stream is not None and result is not None:
            return self._serialize_stream(result, request_id)
        if result:
            data = orjson.dumps(result if self.write is None else self.write(result), encode_plain)
        else:
            data = self.empty
        headers = {"Content-Type": self.content_type, "x-amzn-RequestId": request_id}
        if self.crc32:
            headers["x-amz-crc32"] = str(zlib.crc32(data))
        return HttpResponse(200, headers, data)

    def _serialize_stream(self, result: Mapping[str, Any], request_id: str) -> HttpResponse:
        assert self.stream is not None
        rest = {name: value for name, value in result.items() if name != self.stream}
        first = initial_response(self.content_type, orjson.dumps(rest, encode_plain))
        frames = self._events.frames(result[self.stream], first)
        return HttpResponse(200, {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": request_id}, frames)

    @cached_property
    def _events(self) -> EventWriter:
        assert self.operation.output is not None
        assert self.stream is not None
        return EventWriter(self.operation.output.members[self.stream], json_event_body, self.content_type)

    @cached_property
    def _errors(self) -> ErrorShapes:
        return ErrorShapes(self.operation)

    def error(self, error: AwsError, request_id: str, method: str = "POST") -> HttpResponse:
        response = json_error(error, self._errors.of(error), self.service, request_id)
        response.headers["Content-Type"] = self.content_type
        return response


def json_event_body(shape: Shape) -> Callable[[Any], bytes]:
    """A function from an event's structure to JSON."""
    write = JsonWriter().of(shape)
    return lambda value: orjson.dumps(value if write is None else write(value), encode_plain)


def json_error(error: AwsError, shape: Shape | None, service: ServiceModel | None, request_id: str) -> HttpResponse:
    """An error of an awsJson operation."""
    shape = declared(error, shape, service)
    members = members_of(error, shape)
    write = JsonWriter().of(shape) if shape is not None else None
    content = {"__type": json_type(error, shape, service), **(members if write is None else write(members))}
    data = orjson.dumps(content, encode_plain)
    version = service.metadata.get("jsonVersion", "1.0") if service is not None else "1.0"
    headers = {"Content-Type": f"application/x-amz-json-{version}", "x-amzn-RequestId": request_id, **error.headers}
    if service is not None and "awsQueryCompatible" in service.metadata:
        headers["x-amzn-query-error"] = query_error_header(error)
    if service is not None and service.name == "dynamodb":
        headers["x-amz-crc32"] = str(zlib.crc32(data))
    return HttpResponse(error.status, headers, data)
