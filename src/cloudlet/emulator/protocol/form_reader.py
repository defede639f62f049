"""Form bodies of the query and ec2 protocols into requests.

    pairs = form_pairs(b"Action=Publish&MessageAttributes.entry.1.Name=a")
    read = FormReader().of(shape)
    read(form_tree(pairs))              # raises MalformedInput

The dotted names become a tree once; then only what was sent is walked, so a request costs what it holds and not what its
shape could hold.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from binascii import a2b_qp
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from cloudlet.emulator.kernel.errors import SerializationError
from cloudlet.emulator.protocol.models import Shape
from cloudlet.emulator.protocol.timestamps import parse_timestamp
from cloudlet.emulator.protocol.xml_reader import read_boolean, read_float, read_integer, read_string

Node = dict[str, Any]  # names and positions to text or to further nodes
Read = Callable[[Any], Any]


class MalformedInput(SerializationError):
    """A parameter that is not of its type."""

    code = "MalformedInput"


def form_pairs(data: bytes) -> list[tuple[str, str]]:
    """Names and values in order, decoded as HTML forms are; what is no escape stays as it is."""
    text = data.decode("utf-8", "replace")
    if "+" in text:
        text = text.replace("+", " ")
    found = []
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            if "%" in value:
                value = unescape(value)
            if "%" in name:
                name = unescape(name)
            found.append((name, value))
    return found


def unescape(text: str) -> str:
    """Percent-decoding. Quoted-printable is the same code with another sign, and binascii has it in C."""
    if not text.isascii() or "\n" in text or "\r" in text:  # line ends mean something in quoted-printable
        return unquote(text, errors="replace")
    escaped = text.replace("=", "%3D") if "=" in text else text
    plain = a2b_qp(escaped.replace("%", "="))
    if len(plain) != len(escaped) - 2 * escaped.count("%"):  # each good escape is two bytes shorter decoded
        return unquote(text, errors="replace")
    return plain.decode("utf-8", "replace")


def form_tree(pairs: list[tuple[str, str]]) -> Node:
    """Dotted names as a tree; `A=` beside `A.1=…` loses."""
    root: Node = {}
    for name, value in pairs:
        if "." not in name:
            if type(root.get(name)) is not dict:
                root[name] = value
            continue
        node = root
        *parents, last = name.split(".")
        for parent in parents:
            inner = node.get(parent)
            if type(inner) is not dict:
                inner = node[parent] = {}
            node = inner
        if type(node.get(last)) is not dict:
            node[last] = value
    return root


class FormReader:
    """Readers of shapes, made once each. `ec2`: names are capitalised and lists are always flat."""

    def __init__(self, *, ec2: bool = False) -> None:
        self.ec2 = ec2
        self.structures: dict[str, Read] = {}

    def of(self, shape: Shape) -> Read:
        if shape.type == "structure":
            return self.structure(shape)
        if shape.type == "list":
            return self.sequence(shape)
        if shape.type == "map":
            return read_map(shape, self.of(shape.key), self.of(shape.value))
        return read_scalar(SCALARS[shape.type])

    def structure(self, shape: Shape) -> Read:
        if shape.name in self.structures:
            return self.structures[shape.name]
        table: dict[str, tuple[str, Read]] = {}
        read = self.structures[shape.name] = read_structure(table)
        for name, target in shape.members.items():
            read_member = self.of(target)
            for label in self.labels(name, target):
                table.setdefault(label, (name, read_member))
        return read

    def labels(self, name: str, target: Shape) -> tuple[str, ...]:
        """What the member may be called."""
        traits = target.traits
        if self.ec2:
            label = traits.get("queryName") or traits.get("locationName") or name
            return (label[:1].upper() + label[1:], name)
        own = traits.get("wireNameInQuery") or traits.get("locationName") or name
        if target.type == "list" and traits.get("flattened"):
            inner = target.member.traits
            return (inner.get("wireNameInQuery") or inner.get("locationName") or own, own)
        return (own,)

    def sequence(self, shape: Shape) -> Read:
        element = self.of(shape.member)
        if self.ec2 or shape.traits.get("flattened"):
            return read_list(element, ())
        traits = shape.member.traits
        return read_list(element, (traits.get("wireNameInQuery") or traits.get("locationName") or "member", "member"))


def read_structure(table: dict[str, tuple[str, Read]]) -> Read:
    def read(node: Any) -> dict[str, Any]:
        if type(node) is not dict:
            if node == "":
                return {}
            raise MalformedInput("A structure was expected")
        found = {}
        for label, inner in node.items():
            entry = table.get(label)
            if entry is not None:
                found[entry[0]] = entry[1](inner)
        return found

    return read


def in_order(node: Node) -> list[Any]:
    """The values of a node whose names are positions."""
    try:
        return [node[position] for position in sorted(node, key=int)]
    except ValueError:
        raise MalformedInput("A list's positions must be numbers") from None


def read_list(element: Read, wrappers: tuple[str, ...]) -> Read:
    def read(node: Any) -> list[Any]:
        if type(node) is not dict:
            if node == "":
                return []
            raise MalformedInput("A list was expected")
        for wrapper in wrappers:
            if wrapper in node:
                return read(node[wrapper])
        return [element(item) for item in in_order(node)]

    return read


def read_map(shape: Shape, key: Read, value: Read) -> Read:
    key_label = shape.key.traits.get("wireNameInQuery") or shape.key.wire_name or "key"
    value_label = shape.value.traits.get("wireNameInQuery") or shape.value.wire_name or "value"

    def read(node: Any) -> dict[str, Any]:
        if type(node) is not dict:
            if node == "":
                return {}
            raise MalformedInput("A map was expected")
        found = {}
        for entry in in_order(node["entry"] if type(node.get("entry")) is dict else node):
            if type(entry) is not dict:
                raise MalformedInput("A map's entry was expected")
            if key_label in entry and value_label in entry:
                found[key(entry[key_label])] = value(entry[value_label])
        return found

    return read


def read_scalar(convert: Callable[[str], Any]) -> Read:
    def read(text: Any) -> Any:
        if type(text) is not str:
            raise MalformedInput("A single value was expected")
        try:
            return convert(text)
        except (ValueError, OverflowError, binascii.Error):
            raise MalformedInput(f"Invalid value: {text[:200]}") from None

    if convert is read_string:
        return read_text
    return read


def read_text(text: Any) -> str:
    if type(text) is not str:
        raise MalformedInput("A single value was expected")
    return text


def read_blob(text: str) -> bytes:
    return b64decode(text, validate=True)


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
