"""Lists in pages: `MaxItems` of them, and a `NextMarker` that says where the rest begins."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from typing import Any

from cloudlet.emulator.services.lambda_.errors import invalid

MOST_ITEMS = 50


def page(
    found: Sequence[dict[str, Any]],
    member: str,
    request: dict[str, Any],
    name_of: Callable[[dict[str, Any]], str],
    most: int = MOST_ITEMS,
) -> dict[str, Any]:
    """`found` is in the order of `name_of`, which is unique. Raises InvalidParameterValueException for a bad marker."""
    start = 0
    if request.get("Marker"):
        try:
            last = urlsafe_b64decode(request["Marker"]).decode()
        except (ValueError, Base64Error):
            raise invalid("Invalid marker") from None
        start = next((place + 1 for place, item in enumerate(found) if name_of(item) == last), len(found))
    size = min(request.get("MaxItems") or most, most)
    items = found[start : start + size]
    result: dict[str, Any] = {member: items}
    if start + size < len(found):
        result["NextMarker"] = urlsafe_b64encode(name_of(items[-1]).encode()).decode()
    return result
