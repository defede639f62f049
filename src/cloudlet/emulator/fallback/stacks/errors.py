"""What CloudFormation refuses, in its words. All are rendered by the gateway as any other AwsError."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType

from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError

LOG = logging.getLogger("cloudlet.fallback")


def refused(message: str) -> UnmodelledError:
    """`ValidationError`, the code of nearly everything that CloudFormation refuses."""
    return UnmodelledError("ValidationError", message, 400)


class Failed(Exception):
    """A resource could not be made, changed or deleted; the message is the event's reason.

    `physical_id` names what is there all the same and is to be deleted.
    """

    def __init__(self, message: str, physical_id: str = "") -> None:
        super().__init__(message)
        self.physical_id = physical_id


class NeedsReplacement(Exception):
    """There is no way to change a resource in place: the old one goes and a new one comes."""

    message = "This type of resource cannot be changed in place"


def message_of(error: Exception) -> str:
    """What went wrong with a resource, for its user; what was not said for users is logged with its traceback."""
    said = str(error) if isinstance(error, Failed) else getattr(error, "message", None)
    if said is not None:
        return str(said)
    LOG.warning("CloudFormation: a resource failed", exc_info=error)
    if isinstance(error, KeyError) and error.args:
        return f"#: required key [{error.args[0]}] not found"
    return f"{type(error).__name__}: {error}"


def service_failure(error: AwsError, service: str, request_id: str, token: str) -> str:
    """The reason in an event when a service refused what a resource needs (CloudFormation User Guide, troubleshooting)."""
    code = HANDLER_CODES.get(error.status, "GeneralServiceException")
    if "AlreadyExists" in error.code or error.code in ("EntityAlreadyExists", "ResourceInUseException"):
        code = "AlreadyExists"
    said = error.message.rstrip()
    return (
        f'Resource handler returned message: "{said} (Service: {service}, Status Code: {error.status}, '
        f'Request ID: {request_id})" (RequestToken: {token}, HandlerErrorCode: {code})'
    )


def already_exists(kind: str, identifier: str, token: str) -> str:
    return (
        f"Resource handler returned message: \"Resource of type '{kind}' with identifier '{identifier}' already "
        f'exists." (RequestToken: {token}, HandlerErrorCode: AlreadyExists)'
    )


# status of the service's answer -> the handler's code
HANDLER_CODES: Mapping[int, str] = MappingProxyType(
    {400: "InvalidRequest", 403: "AccessDenied", 404: "NotFound", 409: "GeneralServiceException", 429: "Throttling"}
)
