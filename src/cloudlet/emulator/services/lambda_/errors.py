"""Lambda's errors in AWS's words. Classes come from the model (api.py); all of them say who is to blame: the caller."""

from __future__ import annotations

from cloudlet.emulator.kernel.errors import AwsError, ValidationError
from cloudlet.emulator.services.lambda_ import api

FUNCTION_NAME = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)


def invalid(message: str) -> AwsError:
    return api.InvalidParameterValueException(message, Type="User")


def not_found(message: str = "The resource you requested does not exist.") -> AwsError:
    return api.ResourceNotFoundException(message, Type="User")


def no_function(arn: str) -> AwsError:
    return not_found(f"Function not found: {arn}")


def conflict(message: str) -> AwsError:
    return api.ResourceConflictException(message, Type="User")


def wrong_revision(kind: str = "GetFunction/GetAlias") -> AwsError:
    return api.PreconditionFailedException(
        "The Revision Id provided does not match the latest Revision Id. "
        f"Call the {kind} API to retrieve the latest Revision Id",
        Type="User",
    )


def violation(value: object, member: str, constraint: str) -> AwsError:
    """One broken constraint, as AWS's front end words it."""
    shown = "null" if value is None else f"'{value}'"
    return ValidationError(
        f"1 validation error detected: Value {shown} at '{member}' failed to satisfy constraint: {constraint}"
    )


def throttled(reserved: bool = True) -> AwsError:
    reason = "ReservedFunctionConcurrentInvocationLimitExceeded" if reserved else "ConcurrentInvocationLimitExceeded"
    return api.TooManyRequestsException("Rate Exceeded.", Type="User", Reason=reason)
