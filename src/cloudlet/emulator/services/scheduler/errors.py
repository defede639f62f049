"""Scheduler's errors in AWS's words. Classes come from the model (api.py); here are their messages."""

from __future__ import annotations

from cloudlet.emulator.services.scheduler.api import ConflictException, ResourceNotFoundException, ValidationException


def no_such_schedule(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Schedule {name} does not exist.")


def no_such_group(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Schedule group {name} does not exist.")


def schedule_exists(name: str) -> ConflictException:
    return ConflictException(f"Schedule {name} already exists.")


def group_exists(name: str) -> ConflictException:
    return ConflictException(f"Schedule group {name} already exists.")


def token_was_used() -> ConflictException:
    return ConflictException("The request uses the same client token as a previous, but non-identical request.")


def invalid(message: str) -> ValidationException:
    return ValidationException(message)
