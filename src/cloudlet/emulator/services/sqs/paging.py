"""Tokens of paged lists. A token is base64 of the last thing that was returned. Pure."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from cloudlet.emulator.services.sqs.errors import InvalidParameterValue, invalid_value

MOST_RESULTS = 1000


def encode_token(position: str) -> str:
    return urlsafe_b64encode(position.encode()).decode()


def decode_token(token: str) -> str:
    """Raises InvalidParameterValue."""
    try:
        return urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        raise InvalidParameterValue("Invalid or expired next token.") from None


def page_size(requested: int | None) -> int:
    """Raises InvalidParameterValue outside 1 to 1000."""
    if requested is None:
        return MOST_RESULTS
    if not 1 <= requested <= MOST_RESULTS:
        raise invalid_value(requested, "MaxResults", "MaxResults must be an integer between 1 and 1000.")
    return requested
