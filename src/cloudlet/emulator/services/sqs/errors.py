"""What SQS answers but its model does not name.

AwsError
├── InvalidParameterValue         a member that is out of range or refers to nothing
├── MissingParameter              a member that this kind of queue needs
├── InvalidAction                 an operation on queues in general, sent to the URL of one
└── (generated in api.py)         QueueDoesNotExist, ReceiptHandleIsInvalid, …
"""

from __future__ import annotations

from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.sqs.api import QueueDoesNotExist, ReceiptHandleIsInvalid


class InvalidParameterValue(AwsError):
    code = "InvalidParameterValueException"
    query_code = "InvalidParameterValue"
    status = 400
    sender_fault = True


class MissingParameter(AwsError):
    code = "MissingRequiredParameterException"
    query_code = "MissingParameter"
    status = 400
    sender_fault = True


class InvalidAction(AwsError):
    code = "InvalidAction"
    status = 400
    sender_fault = True


def no_such_queue() -> QueueDoesNotExist:
    return QueueDoesNotExist("The specified queue does not exist.")


def invalid_value(value: object, parameter: str, reason: str) -> InvalidParameterValue:
    """AWS's usual sentence about a parameter."""
    return InvalidParameterValue(f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


def not_a_receipt_handle(handle: str) -> ReceiptHandleIsInvalid:
    return ReceiptHandleIsInvalid(f'The input receipt handle "{handle}" is not a valid receipt handle.')


def expired_receipt_handle(handle: str) -> InvalidParameterValue:
    return invalid_value(handle, "ReceiptHandle", "The receipt handle has expired.")


def not_in_flight(handle: str) -> InvalidParameterValue:
    return invalid_value(
        handle, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change."
    )


def wrong_for_queue_type(value: object, parameter: str) -> InvalidParameterValue:
    return invalid_value(value, parameter, "The request include parameter that is not valid for this queue type.")
