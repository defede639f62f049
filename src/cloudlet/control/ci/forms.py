"""What people and programs fill in about CI keys."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cloudlet.control.errors import InvalidForm
from cloudlet.control.fields import one_line, whole_number

OVERLAPS = ((0, "at once"), (1, "in 1 hour"), (24, "in 24 hours"), (168, "in 7 days"))  # hours
LIFETIMES = ((0, "Never"), (30, "In 30 days"), (90, "In 90 days"), (365, "In a year"))  # days
LONGEST_DAYS = 3650
LARGEST_NUMBER = 999_999


class KeyForm(msgspec.Struct, frozen=True, kw_only=True):
    """A CI key to make. `days` until it expires, 0 for never; `is_strict`: `ls-` in front instead of `lsci-`."""

    name: str
    project: str = ""
    days: int = 0
    is_strict: bool = False


def read_key_form(fields: Mapping[str, str]) -> KeyForm:
    """Raises InvalidForm."""
    return checked(
        KeyForm(
            name=fields.get("name", ""),
            project=fields.get("project", ""),
            days=read_number(fields.get("days", "0"), "Choose when the key expires."),
            is_strict="strict" in fields,
        )
    )


def checked(form: KeyForm) -> KeyForm:
    """Also for what programs send. Raises InvalidForm."""
    if not 0 <= form.days <= LONGEST_DAYS:
        raise InvalidForm(f"A key lasts 1 to {LONGEST_DAYS} days, or 0 for as long as you like.")
    return msgspec.structs.replace(form, name=read_name(form.name), project=read_project(form.project))


def read_name(text: str) -> str:
    """Raises InvalidForm."""
    name = one_line(text)
    if not name:
        raise InvalidForm("Give the key a name, such as the pipeline that uses it.")
    if len(name) > 120:
        raise InvalidForm("A key's name has at most 120 characters.")
    return name


def read_project(text: str) -> str:
    """Raises InvalidForm."""
    project = one_line(text)
    if len(project) > 120:
        raise InvalidForm("A project's name has at most 120 characters.")
    return project


def read_overlap(text: str) -> int:
    """Hours for which the old key stays good. Raises InvalidForm."""
    hours = read_number(text, "Choose when the old key ends.")
    if hours not in {hours for hours, _ in OVERLAPS}:
        raise InvalidForm("The old key may stay good for 0, 1, 24 or 168 hours.")
    return hours


def read_number(text: str, problem: str) -> int:
    """Raises InvalidForm with this `problem`."""
    number = whole_number(text, LARGEST_NUMBER)
    if number is None:
        raise InvalidForm(problem)
    return number
