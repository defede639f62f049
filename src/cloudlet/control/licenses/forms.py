"""What people fill in about their subscription."""

from __future__ import annotations

import msgspec

from cloudlet.control.fields import whole_number
from cloudlet.control.licenses.errors import SeatsOutOfRange

LARGEST_NUMBER = 999_999_999


class ChangeForm(msgspec.Struct, frozen=True):
    plan: str = ""
    seats: str = ""


def read_seats(text: str) -> int:
    """Raises SeatsOutOfRange."""
    number = whole_number(text, LARGEST_NUMBER)
    if number is None:
        raise SeatsOutOfRange("The number of seats is a whole number.")
    return number
