"""rest-json and rest-xml: method and path name the operation; members are all over the request."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import orjson

from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.constraints import Rules
from cloudlet.emulator.protocol.errors import ErrorShapes, members_of
from cloudlet.emulator.protocol.fragments import encode_plain
from cloudlet.emulator.protocol.json_writer import JsonWriter
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.protocol.models import OperationModel, ServiceModel, Shape
from cloudlet.emulator.protocol.query_wire import error_content, query_error
from cloudlet.emulator.protocol.rest_input import RestInput
from cloudlet.emulator.protocol.rest_output import JSON_TYPE, XML_DECLARATION, XML_TYPE, RestOutput
from cloudlet.emulator.protocol.text_values import writer
from cloudlet.emulator.protocol.validate import validator

# x-amz-id-2: S3's second request id tells AWS's staff which host answered. One host answers here.
S3_HOST_ID = "Q2xvdWRsZXQgYW5zd2VycyBmb3IgUzMgb24gdGhpcyBob3N0LCBhbmQgb25seSBvbiB0aGlzIG9uZS4uLg=="


class RestJsonCodec:
    """An operation over rest-json."""

    xml = False

    def __init__(self, service: ServiceModel, operation: OperationModel, rules: Rules) -> None:
        self.service = service
        self.operation = operation
        self.check = validator(operation.input, rules)
        self.input = RestInput(operation, operation.input, xml=self.xml) if operation.input is not None else None
        self.is_s3 = service.name == "s3"
        request_id_header = "x-amz-request-id" if self.is_s3 else "x-amzn-RequestId"
        self.output = RestOutput(operation, xml=self.xml, request_id_header=request_id_header)

    def parse(self, request: HttpRequest) -> dict[str, Any]:
        if self.input is None:
            return {}
        found = self.input.parse(request)
        if self.check is not None:
            self.check(found)
        return found

    def serialize(self, result: Mapping[str, Any] | None, request_id: str) -> HttpResponse:
        response = self.output.serialize(result or {}, request_id)
        if self.is_s3:
            response.headers["x-amz-id-2"] = S3_HOST_ID
        return response

    @cached_property
    def _errors(self) -> ErrorShapes:
        return ErrorShapes(self.operation)

    def error(self, error: AwsError, request_id: str, method: str = "POST") -> HttpResponse:
        return rest_json_error(error, self._errors.of(error), request_id)


class RestXmlCodec(RestJsonCodec):
    """An operation over rest-xml."""

    xml = True

    def error(self, error: AwsError, request_id: str, method: str = "POST") -> HttpResponse:
        return rest_xml_error(error, self._errors.of(error), self.service, request_id, method)


def split_error(error: AwsError, shape: Shape | None) -> tuple[dict[str, str], dict[str, Any]]:
    """A modelled error's members as headers, and the rest."""
    members = members_of(error, shape)
    headers = {}
    for name, member in shape.members.items() if shape is not None else ():
        if member.traits.get("location") == "header" and name in members:
            headers[member.wire_name or name] = writer(member)(members.pop(name))
    return headers, members


def rest_json_error(error: AwsError, shape: Shape | None, request_id: str) -> HttpResponse:
    """An error of a rest-json operation."""
    bound, members = split_error(error, shape)
    if shape is not None:
        write = JsonWriter().structure(shape, {n: m for n, m in shape.members.items() if "location" not in m.traits})
        members = members if write is None else write(members)
    headers = {
        "Content-Type": JSON_TYPE,
        "x-amzn-RequestId": request_id,
        "x-amzn-ErrorType": error.code if shape is None else shape.name,
        **bound,
        **error.headers,
    }
    return HttpResponse(error.status, headers, orjson.dumps(members, encode_plain))


def rest_xml_error(
    error: AwsError, shape: Shape | None, service: ServiceModel | None, request_id: str, method: str
) -> HttpResponse:
    """An error of a rest-xml operation: S3's bare `Error`, or the query protocol's envelope."""
    if service is not None and service.name == "s3control":
        return control_error(error, shape, request_id)
    if service is not None and service.name != "s3":
        return query_error(error, shape, service, request_id)
    headers = {"x-amz-request-id": request_id, "x-amz-id-2": S3_HOST_ID, **error.headers}
    if method == "HEAD" or error.status == 304:
        return HttpResponse(error.status, headers)
    headers.setdefault("Content-Type", XML_TYPE)
    text = (
        f"{XML_DECLARATION}<Error>{error_content(error, shape, typed=False)}"
        f"<RequestId>{request_id}</RequestId><HostId>{S3_HOST_ID}</HostId></Error>"
    )
    return HttpResponse(error.status, headers, text.encode())


def control_error(error: AwsError, shape: Shape | None, request_id: str) -> HttpResponse:
    """S3 Control's: an envelope around S3's error, which has no type, and the host id beside it."""
    text = (
        f"{XML_DECLARATION}<ErrorResponse><Error>{error_content(error, shape, typed=False)}</Error>"
        f"<RequestId>{request_id}</RequestId><HostId>{S3_HOST_ID}</HostId></ErrorResponse>"
    )
    headers = {"x-amz-request-id": request_id, "x-amz-id-2": S3_HOST_ID, "Content-Type": XML_TYPE, **error.headers}
    return HttpResponse(error.status, headers, text.encode())
