"""EventBridge's errors in AWS's words. Classes come from the model (api.py); here are their messages."""

from __future__ import annotations

from cloudlet.emulator.kernel.errors import ValidationError
from cloudlet.emulator.services.events.api import (
    IllegalStatusException,
    InvalidEventPatternException,
    LimitExceededException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
)


def invalid(message: str) -> ValidationError:
    """ValidationException, which the model does not name."""
    return ValidationError(message)


def not_valid(parameter: str, reason: str) -> ValidationError:
    return ValidationError(f"Parameter {parameter} is not valid. Reason: {reason}")


def not_a_pattern(reason: str) -> InvalidEventPatternException:
    return InvalidEventPatternException(f"Event pattern is not valid. Reason: {reason}")


def no_such_bus(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Event bus {name} does not exist.")


def no_such_rule(name: str, bus: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Rule {name} does not exist on EventBus {bus}.")


def no_such_archive(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Archive {name} does not exist.")


def no_such_replay(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Replay {name} does not exist.")


def no_such_connection(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Failed to describe the connection(s). Connection '{name}' does not exist.")


def no_such_destination(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(
        f"Failed to describe the api-destination(s). An api-destination '{name}' does not exist."
    )


def no_such_endpoint(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"EventBridge endpoint '{name}' does not exist.")


def no_such_source(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Event source {name} does not exist.")


def exists(what: str) -> ResourceAlreadyExistsException:
    return ResourceAlreadyExistsException(f"{what} already exists.")


def too_many() -> LimitExceededException:
    return LimitExceededException("The requested resource exceeds the maximum number allowed.")


def wrong_state(replay: str) -> IllegalStatusException:
    return IllegalStatusException(f"Replay {replay} is not in a valid state for this operation.")
