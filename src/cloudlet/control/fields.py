"""Reading what people and programs write into a field: one line of text, a whole number."""

from __future__ import annotations

import hashlib


def one_line(text: str) -> str:
    """Without line ends, tabs and whatever else cannot be printed; single spaces between words, none around them."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def whole_number(text: str, most: int) -> int | None:
    """From 0 to `most`; None for anything else, and for signs, spaces within and digits of other scripts."""
    digits = text.strip()
    if not digits.isascii() or not digits.isdigit() or len(digits) > len(str(most)):
        return None
    number = int(digits)
    return number if number <= most else None


def shortened(text: str, most: int) -> str:
    """As it is where it fits, else its beginning and a hash of all of it: two that differ stay different. `most` > 65."""
    if len(text) <= most:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{text[: most - len(digest) - 1]}#{digest}"
