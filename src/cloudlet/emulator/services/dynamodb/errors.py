"""What DynamoDB answers that its model does not name.

AwsError
├── ValidationException      a request that breaks a rule, 400
│   └── EmptyKey             a key attribute without a byte
└── AccessDeniedException    a table of another account, 400
"""

from __future__ import annotations

from cloudlet.emulator.kernel.errors import AwsError


class ValidationException(AwsError):
    """The request breaks a rule of DynamoDB; the message says which."""

    code = "ValidationException"
    status = 400
    sender_fault = True


class AccessDeniedException(AwsError):
    """The caller may not do this."""

    code = "AccessDeniedException"
    status = 400
    sender_fault = True


class EmptyKey(ValidationException):
    """A key that is an empty text or binary: in a transaction this is the request's error, not one action's."""


def invalid_parameter(message: str) -> ValidationException:
    """The commonest form: `One or more parameter values were invalid: …`."""
    return ValidationException("One or more parameter values were invalid: " + message)
