"""The service's errors in AWS's words. Classes come from the model (api.py); here are their messages."""

from __future__ import annotations

from cloudlet.emulator.services._template.api import (
    ConflictException,
    ResourceNotFoundException,
    ValidationException,
)


def no_such_contact() -> ResourceNotFoundException:
    return ResourceNotFoundException("No contact of the inputted alternate contact type found.")


def region_in_transition(region_name: str) -> ConflictException:
    return ConflictException(f"Region {region_name} is being enabled or disabled. Try again later.")


def not_an_opt_in_region(region_name: str) -> ValidationException:
    return ValidationException(f"Region {region_name} cannot be enabled or disabled.", reason="invalidRegionOptTarget")
