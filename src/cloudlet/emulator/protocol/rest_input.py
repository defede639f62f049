"""A REST operation's request: members from the URI, the query, the headers and the body.

The request's headers and parameters are looked up in the operation's bindings, never the other way round: PutObject has
forty bindings and a request a dozen headers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from cloudlet.emulator.kernel.errors import SerializationError, UnmodelledError
from cloudlet.emulator.protocol.constraints import NOTHING
from cloudlet.emulator.protocol.json_wire import JsonBody
from cloudlet.emulator.protocol.message import HttpRequest
from cloudlet.emulator.protocol.models import OperationModel, Shape
from cloudlet.emulator.protocol.payload import payload_of
from cloudlet.emulator.protocol.text_values import Read, reader
from cloudlet.emulator.protocol.uri import HostTemplate, UriTemplate
from cloudlet.emulator.protocol.xml_reader import XmlReader, local_name, malformed, parse_xml, read_string

ReadBody = Callable[[HttpRequest, dict[str, Any]], None]


class RestInput:
    """Parses the requests of one operation. `xml`: structures in the body are XML, else JSON."""

    def __init__(self, operation: OperationModel, shape: Shape, *, xml: bool) -> None:
        self.xml = xml
        self.is_s3 = operation.service.name == "s3"
        self.headers: dict[str, tuple[str, Read]] = {}
        self.prefixes: list[tuple[str, str]] = []
        self.query: dict[str, tuple[str, Read, bool]] = {}
        self.query_map: tuple[str, bool] | None = None
        literals = operation.http["requestUri"].partition("?")[2]
        self.literals = frozenset(part.partition("=")[0] for part in literals.split("&"))
        self.uri = UriTemplate(operation.http["requestUri"])
        self.labels: dict[str, tuple[str, Read]] = {}
        self.in_body: dict[str, Shape] = {}
        for name, member in shape.members.items():
            self._bind(name, member)
        self.label_members = tuple(self.labels.get(label, (label, str)) for label in self.uri.labels)
        prefix = operation.traits.get("endpoint", {}).get("hostPrefix", "")
        self.host = HostTemplate(prefix) if "{" in prefix else None
        self.host_members = {
            label: name
            for name, member in shape.members.items()
            for label in ([member.wire_name or name, name] if member.traits.get("hostLabel") else [])
        }
        payload = shape.traits.get("payload")
        self.read_body = self._payload(payload, shape.members[payload]) if payload else self._rest_of_body(shape)

    def _bind(self, name: str, member: Shape) -> None:
        location = member.traits.get("location")
        label = member.wire_name or name
        if location == "header":
            read = reader(member, header=True)
            self.headers[label.lower()] = (name, in_s3s_way(label, member, read) if self.is_s3 else read)
        elif location == "headers":
            self.prefixes.append((label.lower() if member.wire_name else "", name))
        elif location == "uri":
            self.labels[label] = (name, reader(member))
        elif location == "querystring" and member.type == "map":
            self.query_map = (name, member.value.type == "list")
        elif location == "querystring":
            element = member.member if member.type == "list" else member
            read = reader(element)
            read = in_s3s_way(label, element, read) if self.is_s3 else read
            self.query[label] = (name, read, member.type == "list")
        else:
            self.in_body[name] = member

    def parse(self, request: HttpRequest) -> dict[str, Any]:
        """Raises SerializationError or MalformedXml."""
        found: dict[str, Any] = {}
        if self.label_members:
            self._read_path(request, found)
        if request.query and (self.query or self.query_map is not None):
            self._read_query(request, found)
        if self.headers or self.prefixes:
            self._read_headers(request, found)
        if self.is_s3 and "X-Amz-Signature=" in request.query:
            self._read_presigned(request, found)
        if self.host is not None:
            self._read_host(request, found)
        if self.read_body is not None:
            self.read_body(request, found)
        return found

    def _read_path(self, request: HttpRequest, found: dict[str, Any]) -> None:
        values = self.uri.match(request.path)
        if values is None:
            raise SerializationError(f"{request.path} is not the path of this operation")
        for (name, read), text in zip(self.label_members, values, strict=True):
            found[name] = read(text)

    def _read_headers(self, request: HttpRequest, found: dict[str, Any]) -> None:
        headers = self.headers
        prefixes = self.prefixes
        for name, text in request.headers.items():
            entry = headers.get(name)
            if entry is not None:
                member, read = entry
                value = text if read is read_string else read(text)
                if value is not None:
                    found[member] = value
            for prefix, member in prefixes:
                if name.startswith(prefix):
                    label = name[len(prefix) :]
                    if member in found:
                        found[member][label] = text
                    else:
                        found[member] = {label: text}

    def _read_query(self, request: HttpRequest, found: dict[str, Any]) -> None:
        query = self.query
        rest: dict[str, Any] = {}
        for label, text in request.param_items():
            entry = query.get(label)
            if entry is not None:
                name, read, many = entry
                if many:
                    found.setdefault(name, []).append(read(text))
                elif name not in found and (value := read(text)) is not None:
                    found[name] = value
            elif self.query_map is not None and label not in self.literals:
                if self.query_map[1]:
                    rest.setdefault(label, []).append(text)
                else:
                    rest.setdefault(label, text)
        if rest and self.query_map is not None:
            found[self.query_map[0]] = rest

    def _read_presigned(self, request: HttpRequest, found: dict[str, Any]) -> None:
        """Headers that a presigned URL carries as parameters (SDKs move `x-amz-*` there)."""
        for label, text in request.param_items():
            name = label.lower()
            entry = self.headers.get(name) if name.startswith("x-amz-") else None
            if entry is not None:
                found.setdefault(entry[0], entry[1](text))
            for prefix, member in self.prefixes:
                if name.startswith(prefix):
                    found.setdefault(member, {}).setdefault(name[len(prefix) :], text)

    def _read_host(self, request: HttpRequest, found: dict[str, Any]) -> None:
        assert self.host is not None
        match = self.host.match(request.host)
        if match is not None:
            for label, text in zip(self.host.labels, match.groups(), strict=True):
                name = self.host_members.get(label)
                if name is not None:
                    found.setdefault(name, text)

    def _payload(self, name: str, member: Shape) -> ReadBody:
        if member.traits.get("streaming") or member.is_event_stream:

            def read_stream(request: HttpRequest, found: dict[str, Any]) -> None:
                found[name] = request.body

            return read_stream
        if member.type in ("blob", "string"):
            return read_plain(name, member)
        if member.is_document:
            return read_document(name)
        decode = self._structure(member, None)

        def read_structure(request: HttpRequest, found: dict[str, Any]) -> None:
            data = payload_of(request)
            if data:
                found[name] = decode(data)

        return read_structure

    def _rest_of_body(self, shape: Shape) -> ReadBody | None:
        if not self.in_body:
            return None
        decode = self._structure(shape, self.in_body)

        def read_rest(request: HttpRequest, found: dict[str, Any]) -> None:
            data = payload_of(request)
            if data:
                found.update(decode(data))

        return read_rest

    def _structure(self, shape: Shape, members: dict[str, Shape] | None) -> Callable[[bytes], Any]:
        if self.xml:
            read = XmlReader().structure(shape, members) if shape.type == "structure" else XmlReader().of(shape)
            root = shape.wire_name if members is None else None

            def decode(data: bytes) -> Any:
                element = parse_xml(data)
                if root is not None and local_name(element.tag) != root:
                    raise malformed()
                return read(element)

            return decode
        return JsonBody(shape, NOTHING, shape.members if members is None else members).decode


def in_s3s_way(label: str, member: Shape, read: Read) -> Read:
    """S3 passes over a date that it cannot read, and words other bad values as InvalidArgument."""
    if member.type not in ("timestamp", "integer", "long", "boolean"):
        return read

    def read_or_refuse(text: str) -> Any:
        if not text and member.type in ("integer", "long"):
            return None  # `?max-parts=` is the same as without it
        try:
            return read(text)
        except SerializationError:
            if member.type == "timestamp" and "lock" not in label:
                return None
            words = f"Provided {label} not an integer or within integer range"
            if member.type == "timestamp":
                words = f"The {label} header is not a valid date"
            elif member.type == "boolean":
                words = f"Invalid value for {label}"
            raise UnmodelledError("InvalidArgument", words, ArgumentName=label, ArgumentValue=text) from None

    return read_or_refuse


def read_plain(name: str, member: Shape) -> ReadBody:
    """A payload that is bytes or text."""
    is_text = member.type == "string"

    def read(request: HttpRequest, found: dict[str, Any]) -> None:
        data = payload_of(request)
        if not data:
            return
        try:
            found[name] = data.decode("utf-8") if is_text else data
        except UnicodeDecodeError:
            raise SerializationError("The body is not UTF-8") from None

    return read


def read_document(name: str) -> ReadBody:
    """A payload that is any JSON."""

    def read(request: HttpRequest, found: dict[str, Any]) -> None:
        data = payload_of(request)
        if data:
            try:
                found[name] = orjson.loads(data)
            except orjson.JSONDecodeError:
                raise SerializationError from None

    return read
