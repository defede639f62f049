"""What DynamoDB Streams answers that its model does not name."""

from __future__ import annotations

from cloudlet.emulator.kernel.errors import AwsError


class ValidationException(AwsError):
    """The request breaks a rule; the message says which."""

    code = "ValidationException"
    status = 400
    sender_fault = True


def too_large(value: int, member: str, most: int) -> ValidationException:
    return ValidationException(
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
        f"Member must have value less than or equal to {most}"
    )
