"""The service's errors in AWS's words. Classes come from the model (api.py); here are their messages."""

from __future__ import annotations

from cloudlet.emulator.services.stepfunctions.api import (
    ActivityDoesNotExist,
    ExecutionAlreadyExists,
    ExecutionDoesNotExist,
    InvalidArn,
    InvalidDefinition,
    InvalidName,
    InvalidToken,
    ResourceNotFound,
    StateMachineAlreadyExists,
    StateMachineDoesNotExist,
    StateMachineTypeNotSupported,
    TaskTimedOut,
    ValidationException,
)


def no_such_machine(arn: str) -> StateMachineDoesNotExist:
    return StateMachineDoesNotExist(f"State Machine Does Not Exist: '{arn}'")


def machine_exists(arn: str) -> StateMachineAlreadyExists:
    return StateMachineAlreadyExists(f"State Machine Already Exists: '{arn}'")


def no_such_execution(arn: str) -> ExecutionDoesNotExist:
    return ExecutionDoesNotExist(f"Execution Does Not Exist: '{arn}'")


def execution_exists(arn: str) -> ExecutionAlreadyExists:
    return ExecutionAlreadyExists(f"Execution Already Exists: '{arn}'")


def no_such_activity(arn: str) -> ActivityDoesNotExist:
    return ActivityDoesNotExist(f"Activity Does Not Exist: '{arn}'")


def no_such_resource(arn: str) -> ResourceNotFound:
    return ResourceNotFound(f"Resource not found: '{arn}'", resourceName=arn)


def invalid_name(name: str) -> InvalidName:
    return InvalidName(f"Invalid Name: '{name}'")


def invalid_arn(arn: str) -> InvalidArn:
    return InvalidArn(f"Invalid Arn: 'Invalid ARN prefix: {arn}'")


def wrong_resource_type(kind: str) -> InvalidArn:
    return InvalidArn(f"Invalid Arn: 'Resource type not valid in this context: {kind}'")


def invalid_definition(complaints: str) -> InvalidDefinition:
    return InvalidDefinition(f"Invalid State Machine Definition: '{complaints}'")


def invalid_token() -> InvalidToken:
    return InvalidToken("Invalid Token: 'Invalid token'")


def task_is_gone() -> TaskTimedOut:
    return TaskTimedOut("Task Timed Out: 'Provided task does not exist anymore'")


def only_standard() -> StateMachineTypeNotSupported:
    return StateMachineTypeNotSupported("This operation is not supported by this type of state machine")


def missing(message: str) -> ValidationException:
    return ValidationException(message, reason="MISSING_REQUIRED_PARAMETER")
