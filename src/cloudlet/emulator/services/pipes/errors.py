"""Pipes' errors in AWS's words. Classes come from the model (api.py); here are their messages."""

from __future__ import annotations

from cloudlet.emulator.services.pipes.api import ConflictException, NotFoundException, ValidationException


def no_such_pipe(name: str) -> NotFoundException:
    return NotFoundException(f"Pipe {name} does not exist.")


def pipe_exists(name: str) -> ConflictException:
    return ConflictException(f"Pipe {name} already exists.", resourceId=name, resourceType="Pipe")


def invalid(message: str) -> ValidationException:
    return ValidationException(message)
