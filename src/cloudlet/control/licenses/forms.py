"""What people fill in about their subscription."""

from __future__ import annotations

import msgspec

from cloudlet.control.licenses.errors import SeatsOutOfRange


class ChangeForm(msgspec.Struct, frozen=True):
    plan: str = ""
    seats: str = ""


def read_seats(text: str) -> int:
    """Raises SeatsOutOfRange."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
        raise SeatsOutOfRange("The number of seats is a whole number.")
    return int(digits)
