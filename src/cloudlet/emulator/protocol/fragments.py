"""JSON that was encoded before: results may hold `orjson.Fragment` values where plain data would do.

DynamoDB keeps items as the JSON that GetItem answers, so that reading one decodes nothing. A caller that wants data
and not an answer (`call.invoke`, a CBOR client) gets it from `thaw`.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import orjson


def thaw(value: Any) -> Any:
    """`value` with every `orjson.Fragment` in it replaced by what it encodes.

    Returns `value` itself where it holds none. Blobs inside fragments stay base64 text: the fragment does not say what is a
    blob.
    """
    if isinstance(value, dict):
        changed = {key: new for key, item in value.items() if (new := thaw(item)) is not item}
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        items = [thaw(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, orjson.Fragment):
        return orjson.loads(orjson.dumps(value))
    return value


def encode_plain(value: Any) -> Any:
    """orjson's `default`: blobs as base64."""
    if isinstance(value, bytes | bytearray | memoryview):
        return b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} has no JSON form")
