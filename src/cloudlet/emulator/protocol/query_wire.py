"""The query protocol and its ec2 variant: `Action` names the operation, forms in, XML out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, TypeGuard

from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError
from cloudlet.emulator.protocol.constraints import Rules
from cloudlet.emulator.protocol.errors import ErrorShapes, fault
from cloudlet.emulator.protocol.form_reader import FormReader, form_pairs, form_tree
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.protocol.models import OperationModel, ServiceModel, Shape
from cloudlet.emulator.protocol.payload import payload_of
from cloudlet.emulator.protocol.validate import validator
from cloudlet.emulator.protocol.xml_writer import XmlWriter, escape

CONTENT_TYPE = "text/xml"
EC2_CONTENT_TYPE = "text/xml;charset=UTF-8"
EC2_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def form_of(request: HttpRequest) -> dict[str, Any]:
    """The parameters of a request as a tree: those of the URL, then those of the body."""
    data = payload_of(request)
    if request.query:
        query = request.query.encode("utf-8", "surrogateescape")
        data = query + b"&" + data if data else query
    return form_tree(form_pairs(data))


def has_members(shape: Shape | None) -> TypeGuard[Shape]:
    return shape is not None and bool(shape.members)


class QueryCodec:
    """An operation over the query protocol."""

    def __init__(self, service: ServiceModel, operation: OperationModel, rules: Rules) -> None:
        self.service = service
        self.operation = operation
        self.check = validator(operation.input, rules)
        self.read = FormReader().structure(operation.input) if has_members(operation.input) else None
        self.namespace = service.metadata.get("xmlNamespace", "")
        output = operation.output
        wrapper = output.traits.get("resultWrapper") if output is not None else None
        self.write = XmlWriter().of(output) if output is not None else None
        name = operation.name
        self.start = f'<{name}Response xmlns="{self.namespace}">' + (f"<{wrapper}>" if wrapper else "")
        self.middle = (f"</{wrapper}>" if wrapper else "") + "<ResponseMetadata><RequestId>"
        self.end = f"</RequestId></ResponseMetadata></{name}Response>"

    def parse(self, request: HttpRequest) -> dict[str, Any]:
        if self.read is None:
            return {}
        found: dict[str, Any] = self.read(form_of(request))
        if self.check is not None:
            self.check(found)
        return found

    def serialize(self, result: Mapping[str, Any] | None, request_id: str) -> HttpResponse:
        if result and self.write is not None:
            parts = [self.start]
            self.write(result, parts.append)
            parts += (self.middle, request_id, self.end)
            text = "".join(parts)
        else:
            text = f"{self.start}{self.middle}{request_id}{self.end}"
        return HttpResponse(200, {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": request_id}, text.encode())

    @cached_property
    def _errors(self) -> ErrorShapes:
        return ErrorShapes(self.operation)

    def error(self, error: AwsError, request_id: str, method: str = "POST") -> HttpResponse:
        return query_error(error, self._errors.of(error), self.service, request_id)


class Ec2Codec(QueryCodec):
    """An operation over EC2's variant."""

    def __init__(self, service: ServiceModel, operation: OperationModel, rules: Rules) -> None:
        super().__init__(service, operation, rules)
        self.read = FormReader(ec2=True).structure(operation.input) if has_members(operation.input) else None
        self.write = (
            XmlWriter("iso8601_millis", ec2=True).of(operation.output) if operation.output is not None else None
        )
        self.start = f'{EC2_DECLARATION}<{operation.name}Response xmlns="{self.namespace}"><requestId>'
        self.end = f"</{operation.name}Response>"

    def serialize(self, result: Mapping[str, Any] | None, request_id: str) -> HttpResponse:
        parts = [self.start, request_id, "</requestId>"]
        if result and self.write is not None:
            self.write(result, parts.append)
        parts.append(self.end)
        headers = {"Content-Type": EC2_CONTENT_TYPE, "x-amzn-RequestId": request_id}
        return HttpResponse(200, headers, "".join(parts).encode())

    def error(self, error: AwsError, request_id: str, method: str = "POST") -> HttpResponse:
        return ec2_error(error, request_id)


def error_content(error: AwsError, shape: Shape | None, *, typed: bool) -> str:
    """Code, message and further members as elements; `typed` adds Sender or Receiver."""
    code = (error.query_code if typed else None) or error.code
    parts = [f"<Type>{fault(error)}</Type>" if typed else "", f"<Code>{escape(code)}</Code>"]
    parts.append(f"<Message>{escape(error.message)}</Message>")
    if shape is not None:
        members = {name: member for name, member in shape.members.items() if name.lower() not in ("message", "code")}
        XmlWriter().of(shape, members)(error.members, parts.append)
        known = members.keys()
    else:
        known = {}.keys()
    for name, value in error.members.items():
        if name not in known and value is not None and name.lower() not in ("message", "code"):
            parts.append(f"<{name}>{escape(str(value))}</{name}>")
    return "".join(parts)


def query_error(error: AwsError, shape: Shape | None, service: ServiceModel | None, request_id: str) -> HttpResponse:
    """An error of a query operation."""
    namespace = service.metadata.get("xmlNamespace", "") if service is not None else ""
    attribute = f' xmlns="{namespace}"' if namespace else ""
    text = (
        f"<ErrorResponse{attribute}><Error>{error_content(error, shape, typed=True)}</Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    headers = {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": request_id, **error.headers}
    return HttpResponse(error.status, headers, text.encode())


def ec2_error(error: AwsError, request_id: str) -> HttpResponse:
    """An error of EC2, which has the query protocol's codes, and no full stop after its front end's sentences."""
    told = error
    if error.query_code is not None:
        told = UnmodelledError(error.query_code, error.message.rstrip("."), error.status, **error.members)
    text = (
        f"{EC2_DECLARATION}<Response><Errors><Error>{error_content(told, None, typed=False)}</Error></Errors>"
        f"<RequestID>{request_id}</RequestID></Response>"
    )
    headers = {"Content-Type": EC2_CONTENT_TYPE, "x-amzn-RequestId": request_id, **error.headers}
    return HttpResponse(error.status, headers, text.encode())
