"""The opaque message in an UnauthorizedOperation error: JSON about the refusal, deflated, base64. Pure functions."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode_message(document: str) -> str:
    return urlsafe_b64encode(zlib.compress(document.encode())).decode()


def decode_message(encoded: str) -> str | None:
    """None for anything that `encode_message` did not make."""
    try:
        return zlib.decompress(urlsafe_b64decode(encoded)).decode()
    except (ValueError, zlib.error):
        return None
