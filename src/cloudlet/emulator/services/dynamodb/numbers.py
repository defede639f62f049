"""DynamoDB's numbers: up to 38 significant digits, magnitudes from 1E-130 to 9.99…E+125.

A number travels and is stored as text. Here it is brought into its one canonical form (plain notation without leading
or trailing zeros), so equal numbers have equal texts, and into bytes that sort as the numbers do.

Source: "Supported data types and naming rules in Amazon DynamoDB", "Data types - Number", Developer Guide.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal

from cloudlet.emulator.services.dynamodb.errors import ValidationException

MAX_DIGITS = 38
MAX_EXPONENT = 125
MIN_EXPONENT = -130
NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?", re.ASCII)
EXACT = Context(prec=300, Emax=9999, Emin=-9999)
COMPLEMENT = bytes.maketrans(b"0123456789", b"9876543210")
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
POSITIVE, ZERO, NEGATIVE = b"\x81", b"\x80", b"\x7f"


def canonical_number(text: str) -> str:
    """The canonical text of a number. Raises ValidationException where it is none or does not fit."""
    found = NUMBER.fullmatch(text)
    if found is None or not (found[2] or found[3]):
        if text.strip() != text or not text:
            raise ValidationException(f"The parameter cannot be converted to a numeric value: {text}".rstrip())
        raise ValidationException(f"The parameter cannot be converted to a numeric value: {text}")
    sign, whole, fraction, exponent = found[1], found[2], found[3] or "", found[4]
    digits = (whole + fraction).lstrip("0")
    point = len(whole) - (len(whole) + len(fraction) - len(digits))
    if exponent is not None:
        point += int(exponent) if len(exponent) < 12 else (-(10**9) if exponent[0] == "-" else 10**9)
    digits = digits.rstrip("0")
    if not digits:
        return "0"
    if point - 1 > MAX_EXPONENT:
        raise ValidationException(OVERFLOW)
    if point - 1 < MIN_EXPONENT:
        raise ValidationException(
            "Number underflow. Attempting to store a number with magnitude smaller than supported range"
        )
    if len(digits) > MAX_DIGITS:
        raise ValidationException("Attempting to store more than 38 significant digits in a Number")
    return ("-" if sign == "-" else "") + plain(digits, point)


def plain(digits: str, point: int) -> str:
    """The digits with the decimal point after `point` of them, in plain notation."""
    if point <= 0:
        return "0." + "0" * -point + digits
    if point >= len(digits):
        return digits + "0" * (point - len(digits))
    return digits[:point] + "." + digits[point:]


def split_canonical(text: str) -> tuple[str, int]:
    """Significant digits and the place of the point of a canonical, positive number."""
    whole, _, fraction = text.partition(".")
    if whole == "0":
        digits = fraction.lstrip("0")
        return digits, len(digits) - len(fraction)
    return (whole + fraction).rstrip("0"), len(whole)


def number_size(text: str) -> int:
    """Bytes that a canonical number takes of an item: one for each two significant digits, and one."""
    negative = text[0] == "-"
    if text.isdigit():
        digits = len(text.rstrip("0")) or 1
    elif text == "0":
        return 1
    else:
        digits = len(split_canonical(text[1:] if negative else text)[0])
    return (digits + 1) // 2 + 1 + negative


def number_bytes(text: str) -> bytes:
    """Bytes of a canonical number that sort as numbers do; none is a prefix of another's continuation."""
    if text == "0":
        return ZERO
    if text[0] != "-":
        digits, point = split_canonical(text)
        return POSITIVE + bytes((point + 129,)) + digits.encode()
    digits, point = split_canonical(text[1:])
    return NEGATIVE + bytes((126 - point,)) + digits.encode().translate(COMPLEMENT) + b"\xff"


def add(left: str, right: str) -> str:
    """Exact sum. Raises ValidationException where the result does not fit."""
    return result_number(EXACT.add(Decimal(left), Decimal(right)))


def subtract(left: str, right: str) -> str:
    """Exact difference. Raises ValidationException where the result does not fit."""
    return result_number(EXACT.subtract(Decimal(left), Decimal(right)))


def result_number(result: Decimal) -> str:
    """The canonical text of a result. AWS says of too many digits that the magnitude is too large."""
    try:
        return canonical_number(str(result))
    except ValidationException as error:
        if "significant digits" in error.message:
            raise ValidationException(OVERFLOW) from None
        raise
