"""A REST operation's answer: members into status, headers and body.

Only the members that a result has are looked at; `bindings` says where each goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from cloudlet.emulator.protocol.event_stream import CONTENT_TYPE as EVENTS
from cloudlet.emulator.protocol.event_stream import EventWriter
from cloudlet.emulator.protocol.fragments import encode_plain
from cloudlet.emulator.protocol.json_wire import json_event_body
from cloudlet.emulator.protocol.json_writer import JsonWriter
from cloudlet.emulator.protocol.message import HttpResponse
from cloudlet.emulator.protocol.models import OperationModel, Shape
from cloudlet.emulator.protocol.text_values import Write, writer
from cloudlet.emulator.protocol.xml_writer import XmlWriter, escape

XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
JSON_TYPE = "application/json"
XML_TYPE = "application/xml"


class RestOutput:
    """Writes the results of one operation."""

    def __init__(self, operation: OperationModel, *, xml: bool, request_id_header: str) -> None:
        self.xml = xml
        self.status = operation.status
        self.is_head = operation.http["method"] == "HEAD"
        self.request_id_header = request_id_header
        self.namespace = operation.service.metadata.get("xmlNamespace")
        self.headers: dict[str, tuple[str, Write]] = {}
        self.prefixes: dict[str, str] = {}
        self.status_member = ""
        self.payload = ""
        self.write_body: Callable[[dict[str, Any]], bytes] | None = None
        self.write_payload: Callable[[Any], Any] | None = None
        self.content_type = XML_TYPE if xml else JSON_TYPE
        shape = operation.output
        if shape is not None:
            self._bind(shape)

    def _bind(self, shape: Shape) -> None:
        in_body = {}
        for name, member in shape.members.items():
            location = member.traits.get("location")
            if location == "header":
                self.headers[name] = (member.wire_name or name, writer(member))
            elif location == "headers":
                self.prefixes[name] = member.wire_name or ""
            elif location == "statusCode":
                self.status_member = name
            else:
                in_body[name] = member
        self.payload = shape.traits.get("payload", "")
        if self.payload:
            self._bind_payload(shape.members[self.payload], shape.traits.get("xmlRoot"))
        elif in_body:
            self.write_body = self._body(shape, in_body)

    def _bind_payload(self, member: Shape, root: str | None) -> None:
        if member.is_event_stream:
            write = xml_event_body if self.xml else json_event_body
            events = EventWriter(member, write, "text/xml" if self.xml else JSON_TYPE)
            self.write_payload = events.frames
            self.content_type = EVENTS
        elif member.type == "blob" or member.type == "string":
            self.content_type = "application/octet-stream" if member.type == "blob" else "text/plain"
            self.write_payload = as_bytes
        elif self.xml:
            element = XmlWriter("iso8601_millis").element(
                member, root or member.wire_name or member.name, self.namespace
            )
            self.write_payload = xml_document(element)
        else:
            self.write_payload = json_event_body(member)

    def _body(self, shape: Shape, members: dict[str, Shape]) -> Callable[[dict[str, Any]], bytes]:
        if not self.xml:
            write = JsonWriter().structure(shape, members)
            if write is None:
                return lambda value: orjson.dumps(value, encode_plain)
            return lambda value: orjson.dumps(write(value), encode_plain)
        root = shape.traits.get("xmlRoot") or shape.wire_name or shape.name
        space = f' xmlns="{self.namespace}"' if self.namespace else ""
        bare = shape.traits.get("bareMember")
        if bare:

            def write_bare(value: dict[str, Any]) -> bytes:
                text = value.get(bare)
                content = f"<{root}{space}>{escape(text)}</{root}>" if text else f"<{root}{space}/>"
                return f"{XML_DECLARATION}{content}".encode()

            return write_bare
        write_xml = XmlWriter("iso8601_millis").of(shape, members)
        start, end = f"{XML_DECLARATION}<{root}{space}>", f"</{root}>"

        def write_document(value: dict[str, Any]) -> bytes:
            parts = [start]
            write_xml(value, parts.append)
            parts.append(end)
            return "".join(parts).encode()

        return write_document

    def serialize(self, result: Mapping[str, Any], request_id: str) -> HttpResponse:
        headers: dict[str, str] = {self.request_id_header: request_id}
        status = self.status
        response = HttpResponse(status, headers)
        bindings = self.headers
        body: dict[str, Any] = {}
        payload: Any = None
        for name, value in result.items():
            if value is None:
                continue
            bind = bindings.get(name)
            if bind is not None:
                label, write = bind
                headers[label] = value if write is str and type(value) is str else write(value)
            elif name == self.payload:
                payload = value
            elif name == self.status_member:
                response.status = int(value)
            elif name in self.prefixes:
                prefix = self.prefixes[name]
                for label, text in value.items():
                    headers[prefix + label] = text
            else:
                body[name] = value
        if self.is_head:
            return response
        if self.write_body is not None:
            response.body = self.write_body(body)
            headers.setdefault("Content-Type", self.content_type)
        elif payload is not None and self.write_payload is not None:
            response.body = self.write_payload(payload)
            headers.setdefault("Content-Type", self.content_type)
        elif not self.xml and not self.payload and status != 204:
            headers.setdefault("Content-Type", self.content_type)
        return response


def as_bytes(value: Any) -> Any:
    """A payload that needs no writing: bytes, a file's part or an iterator; text is encoded."""
    return value.encode() if isinstance(value, str) else value


def xml_document(element: Callable[[Any, Callable[[str], Any]], None]) -> Callable[[Any], bytes]:
    def write(value: Any) -> bytes:
        parts = [XML_DECLARATION]
        element(value, parts.append)
        return "".join(parts).encode()

    return write


def xml_event_body(shape: Shape) -> Callable[[Any], bytes]:
    """A function from an event's structure to XML."""
    return xml_document(XmlWriter("iso8601_millis").element(shape, shape.wire_name or shape.name))
