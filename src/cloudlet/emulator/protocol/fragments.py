"""JSON that was encoded before: results may hold `orjson.Fragment` values where plain data would do.

DynamoDB keeps items as the JSON that GetItem answers, so that reading one decodes nothing. A caller that wants data
and not an answer (`call.invoke`, a CBOR client) gets it from `thaw`.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import orjson

from cloudlet.emulator.protocol.json_reader import JsonReader
from cloudlet.emulator.protocol.models import Shape


def thaw(value: Any, shape: Shape | None = None) -> Any:
    """`value` with every `orjson.Fragment` in it replaced by the data that it encodes.

    Returns `value` itself where it holds none. With the shape of `value` blobs come back as bytes; without, blobs inside
    fragments stay base64 text, because JSON does not say what is a blob.
    """
    if isinstance(value, dict):
        return thaw_dict(value, shape)
    if isinstance(value, list):
        inner = shape.member if shape is not None and shape.type == "list" else None
        items = [thaw(item, inner) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, orjson.Fragment):
        plain = orjson.loads(orjson.dumps(value))
        return plain if shape is None else JsonReader().of(shape)(plain)
    return value


def thaw_dict(value: dict[str, Any], shape: Shape | None) -> dict[str, Any]:
    changed = {}
    for key, item in value.items():
        inner = None
        if shape is not None:
            inner = shape.members.get(key) if shape.type == "structure" else shape.value
        new = thaw(item, inner)
        if new is not item:
            changed[key] = new
    return {**value, **changed} if changed else value


class XmlFragment(str):
    """Elements that were written before, tags included, in place of a list: a page of S3's objects."""

    __slots__ = ()


def encode_plain(value: Any) -> Any:
    """orjson's `default`: blobs as base64."""
    if isinstance(value, bytes | bytearray | memoryview):
        return b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} has no JSON form")
