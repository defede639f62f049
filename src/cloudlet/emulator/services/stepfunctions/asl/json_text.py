"""JSON as Step Functions reads and writes it: compact, members in their order, and Jackson's words for what is wrong."""

from __future__ import annotations

import json
from typing import Any

BIGGEST = 2**63


def dumps(value: Any) -> str:
    """Compact JSON; text beyond ASCII stays as it is."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def size(text: str) -> int:
    """Bytes in UTF-8, which AWS's limits count."""
    return len(text.encode())


def loads(text: str) -> Any:
    """Raises ValueError. Whole numbers beyond 64 bits become floats: the store has none."""
    return json.loads(text, parse_int=whole, parse_constant=refuse)


def whole(digits: str) -> int | float:
    number = int(digits)
    return number if -BIGGEST <= number < 2 * BIGGEST else float(number)


def refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def complaint(text: str) -> str:
    """What Jackson, AWS's parser, says first about a text that is no JSON."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        rest = text[error.pos :]
        if not rest.strip():
            return "Unexpected end-of-input"
        if error.msg.startswith("Expecting property name"):
            return (
                f"Unexpected character ('{rest[0]}' (code {ord(rest[0])})): "
                "was expecting double-quote to start field name"
            )
        if error.msg.startswith("Expecting value") and (rest[0].isalpha() or rest[0] == "_"):
            token = "".join(take_word(rest))
            return (
                f"Unrecognized token '{token}': was expecting "
                "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
            )
        if error.msg.startswith("Expecting value"):
            return (
                f"Unexpected character ('{rest[0]}' (code {ord(rest[0])})): "
                "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
            )
        return f"Unexpected character ('{rest[0]}' (code {ord(rest[0])})): {error.msg}"
    return ""


def take_word(text: str) -> list[str]:
    found = []
    for character in text:
        if not (character.isalnum() or character in "_$"):
            break
        found.append(character)
    return found
