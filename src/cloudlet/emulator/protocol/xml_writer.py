"""Results into XML, by functions that are written for each shape and compiled.

    writer = XmlWriter(moment=iso8601)
    write = writer.of(shape)            # write(value, out): calls out(text) for the content of the element
    element = writer.element(shape, "Tag")          # the same with its start and end tag

A structure's function is one chain of `if the member is there: out(f"<Key>{escape(x)}</Key>")`, so a page of 1,000 objects
costs about a microsecond an object. Names, attributes, namespaces, flattened lists and maps follow botocore's parsers.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.protocol.fragments import XmlFragment
from cloudlet.emulator.protocol.models import Shape
from cloudlet.emulator.protocol.timestamps import epoch_number, http_date, iso8601, iso8601_millis

Out = Callable[[str], Any]
Write = Callable[[Any, Out], None]
NameOf = Callable[[Shape], str | None]

SPECIAL = re.compile('[&<>"\r\n\t\x00-\x1f\x7f\x85\u2028\ufffe\uffff]')
ENTITIES = MappingProxyType({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "\n", "\t": "\t"})


def escape(text: str) -> str:
    """Text as element content or attribute value, in the entities that AWS uses."""
    if not text.isprintable():
        return SPECIAL.sub(entity, text)
    if "&" in text:
        text = text.replace("&", "&amp;")
    if '"' in text:
        text = text.replace('"', "&quot;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    return text


def entity(found: re.Match[str]) -> str:
    character = found.group()
    return ENTITIES.get(character) or f"&#x{ord(character):x};"


def boolean(value: Any) -> str:
    return "true" if value else "false"


def floating(value: Any) -> str:
    text = repr(float(value)) if isinstance(value, float) else str(value)
    return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text, text)


def epoch_text(value: float) -> str:
    return str(epoch_number(value))


def base64(value: bytes) -> str:
    return b64encode(value).decode("ascii")


def wire_name(shape: Shape) -> str | None:
    return shape.traits.get("wireNameInQuery") or shape.traits.get("locationName")


MOMENTS = MappingProxyType(
    {"rfc822": "http_date", "unixTimestamp": "epoch_text"}
)  # and iso8601, in the writer's own way
GLOBALS = MappingProxyType(
    {
        "XmlFragment": XmlFragment,
        "escape": escape,
        "boolean": boolean,
        "floating": floating,
        "base64": base64,
        "iso8601": iso8601,
        "iso8601_millis": iso8601_millis,
        "http_date": http_date,
        "epoch_text": epoch_text,
    }
)


class XmlWriter:
    """Compiled writers of shapes, one namespace of functions that call each other.

    `moment` names how moments are written where the model does not say; `ec2`: lists are `item`s unless named.
    """

    def __init__(self, moment: str = "iso8601", *, ec2: bool = False) -> None:
        self.moment = moment
        self.ec2 = ec2
        self.namespace: dict[str, Any] = dict(GLOBALS)
        self.names: dict[str, str] = {}

    def of(self, shape: Shape, members: dict[str, Shape] | None = None) -> Write:
        """The function that writes the content of a structure, or of the given part of its members."""
        write: Write = self.namespace[self.function(shape, members)]
        return write

    def function(self, shape: Shape, members: dict[str, Shape] | None = None) -> str:
        if members is None and shape.name in self.names:
            return self.names[shape.name]
        name = f"write_{len(self.names)}"
        self.names[shape.name if members is None else f"{shape.name} {name}"] = name
        lines = [f"def {name}(value, out):", " get = value.get"]
        plain: list[str] = []
        for member, target in (shape.members if members is None else members).items():
            if target.traits.get("xmlAttribute") or target.is_event_stream:
                continue
            lines += self.member(member, target, plain)
        lines += flushed(plain)
        if len(lines) == 2:
            lines.append(" pass")
        exec("\n".join(lines), self.namespace)  # noqa: S102 - made from the model alone
        return name

    def member(self, member: str, target: Shape, plain: list[str]) -> list[str]:
        """Lines for one member; scalars are gathered in `plain` and written together."""
        tag = self.tag(member, target)
        scalar = self.scalar(target)
        if scalar is not None:
            start, end = tags(tag, target)
            open_, close = literal(start), literal(end)
            plain.append(f'({open_} + {scalar} + {close} if (x := get({member!r})) is not None else "")')
            return []
        lines = [*flushed(plain), f" x = get({member!r})", " if x is not None:"]
        plain.clear()
        return lines + indented(self.write_value("x", tag, target, 0), 2)

    def tag(self, member: str, target: Shape) -> str:
        if target.type == "list" and target.traits.get("flattened"):
            return wire_name(target.member) or wire_name(target) or member
        return wire_name(target) or member

    def scalar(self, target: Shape) -> str | None:
        """An expression for the text of `x`; None for a shape with parts."""
        if target.type in ("structure", "list", "map"):
            return None
        if target.type == "timestamp":
            how = MOMENTS.get(target.traits.get("timestampFormat", ""), self.moment)
            return f"{how}(x)"
        if target.type == "string" and "enum" in target.traits:
            return "(x if x.isalnum() else escape(x))"
        return {
            "string": "escape(x)",
            "character": "escape(x)",
            "boolean": "boolean(x)",
            "integer": "str(x)",
            "long": "str(x)",
            "float": "floating(x)",
            "double": "floating(x)",
            "blob": "base64(x)",
        }[target.type]

    def write_value(self, variable: str, tag: str, target: Shape, depth: int) -> list[str]:
        """Lines that write the element(s) of `variable`, a value of `target`."""
        if target.type == "structure":
            return self.write_structure(variable, tag, target)
        if target.type == "list":
            return self.write_list(variable, tag, target, depth)
        if target.type == "map":
            return self.write_map(variable, tag, target, depth)
        scalar = self.scalar(target)
        assert scalar is not None
        start, end = tags(tag, target)
        return [f"x = {variable}", f"out({literal(start)} + {scalar} + {literal(end)})"]

    def write_structure(self, variable: str, tag: str, target: Shape) -> list[str]:
        function = self.function(target)
        start, end = tags(tag, target)
        attributes = {m: t for m, t in target.members.items() if t.traits.get("xmlAttribute")}
        if not attributes:
            return [f"out({literal(start)})", f"{function}({variable}, out)", f"out({literal(end)})"]
        lines = [f"out({literal(start[:-1])})"]
        for member, attribute in attributes.items():
            label = " " + (attribute.wire_name or member) + '="'
            lines.append(f"y = {variable}.get({member!r})")
            lines.append(f"if y is not None: out({literal(label)} + escape(y) + '\"')")
        return [*lines, 'out(">")', f"{function}({variable}, out)", f"out({literal(end)})"]

    def write_list(self, variable: str, tag: str, target: Shape, depth: int) -> list[str]:
        element = target.member
        item = f"item{depth}"
        flat = target.traits.get("flattened")
        inner = tag if flat else wire_name(element) or ("item" if self.ec2 else "member")
        body = self.write_value(item, inner, element, depth + 1)
        loop = [f"for {item} in {variable}:", *indented(body, 1)]
        if flat and depth == 0:
            return [f"if {variable}.__class__ is XmlFragment: out({variable})", "else:", *indented(loop, 1)]
        if flat:
            return loop
        start, end = tags(tag, target)
        return [f"out({literal(start)})", *loop, f"out({literal(end)})"]

    def write_map(self, variable: str, tag: str, target: Shape, depth: int) -> list[str]:
        key, value = target.key, target.value
        item = f"item{depth}"
        flat = target.traits.get("flattened")
        entry = tag if flat else "entry"
        key_start, key_end = tags(wire_name(key) or "key", key)
        body = self.write_value(item, wire_name(value) or "value", value, depth + 1)
        loop = [
            f"for key{depth}, {item} in {variable}.items():",
            f" out({literal(f'<{entry}>{key_start}')} + escape(key{depth}) + {literal(key_end)})",
            *indented(body, 1),
            f" out({literal(f'</{entry}>')})",
        ]
        if flat:
            return loop
        start, end = tags(tag, target)
        return [f"out({literal(start)})", *loop, f"out({literal(end)})"]

    def element(self, shape: Shape, tag: str, namespace: str | None = None) -> Write:
        """The function that writes a whole element; `namespace` where the shape gives none."""
        if namespace and "xmlNamespace" not in shape.traits:
            shape = Shape(shape.service, shape.name, {**shape.traits, "xmlNamespace": {"uri": namespace}})
        name = f"element_{len(self.namespace)}"
        lines = [f"def {name}(value, out):", *indented(self.write_value("value", tag, shape, 0), 1)]
        exec("\n".join(lines), self.namespace)  # noqa: S102 - made from the model alone
        write: Write = self.namespace[name]
        return write


def tags(tag: str, shape: Shape) -> tuple[str, str]:
    """Start and end tag, with the shape's namespace."""
    space = shape.traits.get("xmlNamespace")
    if not space:
        return f"<{tag}>", f"</{tag}>"
    uri = space if isinstance(space, str) else space["uri"]
    prefix = "" if isinstance(space, str) else space.get("prefix", "")
    return f'<{tag} xmlns{":" + prefix if prefix else ""}="{escape(uri)}">', f"</{tag}>"


def literal(text: str) -> str:
    return repr(text)


def indented(lines: list[str], by: int) -> list[str]:
    return [" " * by + line for line in lines]


def flushed(plain: list[str]) -> list[str]:
    """One statement that writes the gathered scalars."""
    if not plain:
        return []
    return [" out(" + " + ".join(plain) + ")"]
