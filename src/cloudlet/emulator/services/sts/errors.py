"""What STS answers but its model does not name.

AwsError
├── RequestInvalid           ValidationError: an ARN that names no role
├── InvalidParameterValue    session tags that contradict each other
├── AccessDenied             the caller's credentials may not do this
├── ExpiredToken             the caller's session is over
└── (generated in api.py)    MalformedPolicyDocumentException, InvalidIdentityTokenException, …
"""

from __future__ import annotations

from cloudlet.emulator.kernel.errors import AwsError


class RequestInvalid(AwsError):
    code = "ValidationError"
    status = 400
    sender_fault = True


class InvalidParameterValue(AwsError):
    code = "InvalidParameterValue"
    status = 400
    sender_fault = True


class AccessDenied(AwsError):
    code = "AccessDenied"
    status = 403
    sender_fault = True


class ExpiredToken(AwsError):
    code = "ExpiredToken"
    status = 403
    sender_fault = True
