"""What is wrong with a definition, as ValidateStateMachineDefinition tells it."""

from __future__ import annotations

from typing import NamedTuple

SCHEMA = "SCHEMA_VALIDATION_FAILED"


class Diagnostic(NamedTuple):
    """`location` is None where AWS gives none."""

    code: str
    message: str
    location: str | None


def unsupported(name: str, place: str) -> Diagnostic:
    return Diagnostic(SCHEMA, f"Field '{name}' is not supported", place)


def required(names: list[str], place: str) -> Diagnostic:
    return Diagnostic(SCHEMA, f"These fields are required: [{', '.join(names)}]", place)


def described(found: list[Diagnostic]) -> str:
    """All of them in one line, as InvalidDefinition has them."""
    return ", ".join(f"{one.code}: {one.message} at {one.location or 'null'}" for one in found)
