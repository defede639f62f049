"""Errors on the wire: what every protocol needs to know about an error before it writes it.

ErrorShapes     the modelled errors of an operation by wire code
json_type       `__type` as the service writes it
message_key     `message` or `Message`
fault           `Sender` or `Receiver`, of the XML forms and of x-amzn-query-error
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.models import OperationModel, ServiceModel, Shape

# Where AWS's own framework raises the error, awsJson1_0 services name the framework's package.
FRAMEWORK = MappingProxyType(
    {
        "AccessDeniedException": "com.amazon.coral.service",
        "IncompleteSignatureException": "com.amazon.coral.service",
        "InternalFailure": "com.amazon.coral.service",
        "InvalidSignatureException": "com.amazon.coral.service",
        "MissingAuthenticationTokenException": "com.amazon.coral.service",
        "MissingRequiredParameterException": "com.amazon.coral.service",
        "SerializationException": "com.amazon.coral.service",
        "ThrottlingException": "com.amazon.coral.availability",
        "UnknownOperationException": "com.amazon.coral.service",
        "UnrecognizedClientException": "com.amazon.coral.service",
        "ValidationException": "com.amazon.coral.validate",
    }
)
# Packages as recorded answers name them, where it is not com.amazonaws.<service>.
PACKAGES = MappingProxyType(
    {"dynamodb": "com.amazonaws.dynamodb.v20120810", "dynamodbstreams": "com.amazonaws.dynamodb.v20120810"}
)


class ErrorShapes:
    """Modelled errors of an operation, by wire code and by shape name."""

    def __init__(self, operation: OperationModel | None) -> None:
        self.by_code: dict[str, Shape] = {}
        for shape in operation.errors if operation is not None else ():
            self.by_code[shape.name] = shape
            said = shape.traits.get("error", {})
            if "code" in said:
                self.by_code[said["code"]] = shape

    def of(self, error: AwsError) -> Shape | None:
        return self.by_code.get(error.code)


def declared(error: AwsError, shape: Shape | None, service: ServiceModel | None) -> Shape | None:
    """The error's shape; services that once spoke the query protocol name all errors that any operation declares."""
    if shape is None and service is not None and "awsQueryCompatible" in service.metadata:
        return of_service(service, error.code)
    return shape


def of_service(service: ServiceModel, code: str) -> Shape | None:
    """An error that another operation of the service declares, by wire code or shape name."""
    for name in service.operation_names:
        shape = ErrorShapes(service.operation(name)).by_code.get(code)
        if shape is not None:
            return shape
    return None


def json_type(error: AwsError, shape: Shape | None, service: ServiceModel | None) -> str:
    """The error's `__type`: with its package where the service speaks awsJson1_0, short else."""
    name = error.code if shape is None else shape.name
    if service is None or service.metadata.get("jsonVersion") != "1.0":
        return name
    package = FRAMEWORK.get(name) if shape is None else None
    return f"{package or PACKAGES.get(service.name) or 'com.amazonaws.' + service.name}#{name}"


def message_key(error: AwsError, shape: Shape | None) -> str:
    """The member that holds the message."""
    if shape is not None:
        for member in shape.members:
            if member.lower() == "message":
                return member
    return "Message" if error.code == "SerializationException" else "message"


def members_of(error: AwsError, shape: Shape | None) -> dict[str, Any]:
    """The error's answer in AWS's member names, message included where there is one."""
    members = dict(error.members)
    if error.message:
        members.setdefault(message_key(error, shape), error.message)
    return members


def fault(error: AwsError) -> str:
    return "Sender" if error.sender_fault or error.status < 500 else "Receiver"


def query_error_header(error: AwsError) -> str:
    """`x-amzn-query-error` of services that once spoke the query protocol."""
    return f"{error.query_code or error.code};{fault(error)}"
