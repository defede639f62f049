"""The sentences of SNS's errors.

AwsError
├── InvalidParameterValue         a message attribute that is wrong
└── (generated in api.py)         InvalidParameterException, NotFoundException, …
"""

from __future__ import annotations

from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.sns.api import InvalidParameterException, NotFoundException


class InvalidParameterValue(AwsError):
    code = "ParameterValueInvalid"
    status = 400
    sender_fault = True


def invalid(what: str) -> InvalidParameterException:
    """AWS's usual form: `Invalid parameter: …`."""
    return InvalidParameterException(f"Invalid parameter: {what}")


def no_such_topic() -> NotFoundException:
    return NotFoundException("Topic does not exist")


def no_such_subscription() -> NotFoundException:
    return NotFoundException("Subscription does not exist")
