"""XML bodies into requests: one pass of expat, then by shape.

    read = XmlReader().of(shape)        # Element -> value
    read(parse_xml(data))               # raises SerializationError

Namespaces do not matter: S3 takes requests with and without them.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree

from cloudlet.emulator.kernel.errors import SerializationError
from cloudlet.emulator.protocol.models import Shape
from cloudlet.emulator.protocol.timestamps import parse_timestamp

Element = ElementTree.Element
Read = Callable[[Element], Any]


class MalformedXml(SerializationError):
    """A body that is no XML, or not the XML that the operation takes."""

    code = "MalformedXML"


def parse_xml(data: bytes) -> Element:
    """The root element. Document types are refused: they can only be an attack."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise malformed()
    try:
        return ElementTree.fromstring(data)  # noqa: S314 - no document type, so no entities
    except (ElementTree.ParseError, ValueError, LookupError):
        raise malformed() from None


def malformed() -> MalformedXml:
    return MalformedXml("The XML you provided was not well-formed or did not validate against our published schema")


def local_name(tag: str) -> str:
    return tag.rpartition("}")[2]


class XmlReader:
    """Readers of shapes, made once each."""

    def __init__(self) -> None:
        self.structures: dict[str, Read] = {}

    def of(self, shape: Shape) -> Read:
        if shape.type == "structure":
            return self.structure(shape)
        if shape.type == "list":
            return read_list(self.of(shape.member))
        if shape.type == "map":
            return read_map(shape, self.of(shape.value))
        return read_scalar(SCALARS[shape.type])

    def structure(self, shape: Shape, members: dict[str, Shape] | None = None) -> Read:
        """A structure, or the given part of its members."""
        if members is None and shape.name in self.structures:
            return self.structures[shape.name]
        children: dict[str, tuple[str, Read, str]] = {}
        attributes: dict[str, str] = {}
        read = read_structure(children, attributes)
        if members is None:
            self.structures[shape.name] = read
        for name, target in (shape.members if members is None else members).items():
            label = (target.wire_name or name).rpartition(":")[2]
            if target.traits.get("xmlAttribute"):
                attributes[label] = name
            elif target.traits.get("flattened") and target.type == "list":
                element = target.member
                children[element.wire_name or label] = children[label] = (name, self.of(element), "list")
            elif target.traits.get("flattened") and target.type == "map":
                children[label] = (name, read_entry(target, self.of(target.value)), "map")
            else:
                children[label] = (name, self.of(target), "")
        return read


def read_structure(children: dict[str, tuple[str, Read, str]], attributes: dict[str, str]) -> Read:
    def read(element: Element) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for child in element:
            entry = children.get(child.tag.rpartition("}")[2])
            if entry is None:
                continue
            name, inner, kind = entry
            if kind == "list":
                found.setdefault(name, []).append(inner(child))
            elif kind == "map":
                found.setdefault(name, {}).update(inner(child))
            else:
                found[name] = inner(child)
        if attributes:
            for label, text in element.attrib.items():
                known = attributes.get(local_name(label))
                if known is not None:
                    found[known] = text
        return found

    return read


def read_list(element: Read) -> Read:
    return lambda parent: [element(child) for child in parent]


def read_entry(shape: Shape, value: Read) -> Read:
    key_label = shape.key.wire_name or "key"
    value_label = shape.value.wire_name or "value"

    def read(entry: Element) -> dict[str, Any]:
        key, found = "", None
        for child in entry:
            label = local_name(child.tag)
            if label == key_label:
                key = child.text or ""
            elif label == value_label:
                found = value(child)
        return {} if found is None else {key: found}

    return read


def read_map(shape: Shape, value: Read) -> Read:
    entry = read_entry(shape, value)

    def read(parent: Element) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for child in parent:
            found.update(entry(child))
        return found

    return read


def read_scalar(convert: Callable[[str], Any]) -> Read:
    def read(element: Element) -> Any:
        if len(element):
            raise malformed()
        try:
            return convert(element.text or "")
        except (ValueError, OverflowError, binascii.Error):
            raise malformed() from None

    return read


def read_boolean(text: str) -> bool:
    word = text.strip().lower()
    if word in ("true", "1"):
        return True
    if word in ("false", "0"):
        return False
    raise ValueError(text)


def read_float(text: str) -> float:
    return float(text.strip().replace("Infinity", "inf"))


def read_integer(text: str) -> int:
    return int(text.strip())


def read_string(text: str) -> str:
    return text


def read_blob(text: str) -> bytes:
    return b64decode("".join(text.split()), validate=True)


SCALARS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "string": read_string,
        "character": read_string,
        "boolean": read_boolean,
        "integer": read_integer,
        "long": read_integer,
        "float": read_float,
        "double": read_float,
        "timestamp": parse_timestamp,
        "blob": read_blob,
    }
)
