"""The errors that an operation raises; `protocol` renders them once per wire protocol.

AwsError                     code, status and message, and further members of the answer
├── (generated in each service's api.py from the model)
├── (in each service's errors.py: what AWS sends but the model does not name)
├── ValidationError          botocore-style constraint violations, json and cbor services' form
├── InternalFailure          an unexpected exception, 500
└── NotImplementedFailure    an operation that nobody has written, 501
"""

from __future__ import annotations

from typing import Any, ClassVar


class AwsError(Exception):
    """An error answer of AWS.

    `code` is the wire code (`NoSuchBucket`), `query_code` the one of the query protocol where it differs
    (`AWS.SimpleQueueService.NonExistentQueue`), `status` the HTTP status, `members` further members of the
    answer's error element (`BucketName=…`), `headers` further response headers.
    """

    code: ClassVar[str] = "InternalFailure"
    query_code: ClassVar[str | None] = None
    status: ClassVar[int] = 500
    sender_fault: ClassVar[bool] = False

    def __init__(self, message: str = "", *, headers: dict[str, str] | None = None, **members: Any) -> None:
        super().__init__(message)
        self.message = message
        self.members = members
        self.headers = headers or {}


class UnmodelledError(AwsError):
    """An error whose code is only known at run time."""

    def __init__(self, code: str, message: str = "", status: int = 400, **members: Any) -> None:
        super().__init__(message, **members)
        self.code = code  # type: ignore[misc]
        self.status = status  # type: ignore[misc]
        self.sender_fault = status < 500  # type: ignore[misc]


class ValidationError(AwsError):
    """Members that break the model's constraints, in the words of AWS's front end."""

    code = "ValidationException"
    query_code = "ValidationError"
    status = 400
    sender_fault = True


class SerializationError(AwsError):
    """A body that is not what the model says: wrong JSON, wrong type."""

    code = "SerializationException"
    status = 400
    sender_fault = True


class InternalFailure(AwsError):
    """An unexpected exception inside an operation."""

    code = "InternalFailure"
    status = 500


class NotImplementedFailure(AwsError):
    """An operation that Cloudlet does not serve yet."""

    code = "InternalFailure"
    status = 501
