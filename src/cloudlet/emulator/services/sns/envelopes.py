"""The JSON documents that subscribers get, and the text of each that is signed. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

SIGNED_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
SIGNED_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def timestamp(now: float) -> str:
    """`2026-11-24T12:00:00.123Z`."""
    moment = datetime.fromtimestamp(now, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def text_to_sign(document: Mapping[str, Any]) -> str:
    """Name and value of the signed members, a line each, in the order of their names."""
    names = SIGNED_NOTIFICATION if document["Type"] == "Notification" else SIGNED_CONFIRMATION
    return "".join(f"{name}\n{document[name]}\n" for name in names if name in document)


def render(document: Mapping[str, Any]) -> str:
    """The document as AWS lays it out: two spaces, ` : ` between name and value, attributes one a line."""
    lines = []
    for name, value in document.items():
        if isinstance(value, dict):
            inner = ",\n".join(
                f"    {quoted(key)} : {orjson.dumps(attribute).decode()}" for key, attribute in value.items()
            )
            lines.append(f'  "{name}" : {{\n{inner}\n  }}')
        else:
            lines.append(f'  "{name}" : {quoted(value)}')
    return "{\n" + ",\n".join(lines) + "\n}"


def quoted(text: str) -> str:
    return orjson.dumps(text).decode()
