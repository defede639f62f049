"""The plans' file: TOML that operators edit, and what is wrong with it.

    [base]
    display = "Base"
    entitlements = ["aws/community", "aws/rds", "platform/pods"]
    limits = { "platform/ci" = 300 }

`PlanEntry` has all fields; docs/plans.md explains them. Every error names the line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from cloudlet.settings import SettingError

BUILTIN = files("cloudlet.control.licenses").joinpath("plans.toml")
CODE = re.compile(r"[a-z][a-z0-9-]{0,31}")
ENTITLEMENT = re.compile(r"(?:aws|platform)/(?:\*|[a-z0-9][a-z0-9-]*\*?)")
VERSIONS = re.compile(r"\*|\d+(?:\.\d+){0,2}")
FIELD_OF_ERROR = re.compile(r"^(?P<what>.*?)(?: - at `\$\.(?P<field>[a-z_]+)[^`]*`)?$")
MOST_SEATS = 100_000
MOST_HOURS = 8760  # a year


class PlanEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of the file."""

    display: str
    entitlements: tuple[str, ...]
    summary: str = ""
    limits: dict[str, int] = {}
    seats: int = 1
    max_seats: int = 10_000
    offline_hours: int = 24
    versions: str = "*"
    public: bool = True
    aliases: tuple[str, ...] = ()


class PlanFileError(SettingError):
    """`line` counts from 1, 0 when nobody knows; `field` is `base.seats`, `base` or empty."""

    def __init__(self, problem: str, *, name: str, line: int = 0, field: str = "") -> None:
        place = name + (f", line {line}" if line else "")
        super().__init__(f"{place}: {field + ': ' if field else ''}{problem}")
        self.problem = problem
        self.line = line
        self.field = field


def read_plan_file(path: str) -> dict[str, PlanEntry]:
    """Plans by code, in the file's order; the plans that come with Cloudlet where `path` is empty. Raises PlanFileError."""
    if not path:
        return parse_plans(BUILTIN.read_text(encoding="utf-8"), "plans.toml")
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PlanFileError(f"not UTF-8 text ({error.reason} at byte {error.start})", name=path) from None
    except OSError as error:
        raise PlanFileError(error.strerror or "cannot be read", name=path) from None
    return parse_plans(text, path)


def parse_plans(text: str, name: str) -> dict[str, PlanEntry]:
    """Raises PlanFileError; `name` is what it calls the file."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, _, line = str(error).partition(" (at line ")
        number = int(line.split(",")[0]) if line else 0
        raise PlanFileError(f"not TOML: {what}", name=name, line=number) from None
    plans = {code: parse_plan(text, name, code, table) for code, table in tables.items()}
    check_names(text, name, plans)
    if "trial" not in plans:
        raise PlanFileError("there is no [trial], which new workspaces start with", name=name)
    return plans


def parse_plan(text: str, name: str, code: str, table: Any) -> PlanEntry:
    def fail(problem: str, field: str = "") -> PlanFileError:
        shown = f"{code}.{field}" if field else code
        return PlanFileError(problem, name=name, line=find_line(text, code, field), field=shown)

    if not isinstance(table, Mapping):
        raise fail("is no table; a plan begins with its code in brackets, such as [base]")
    if not CODE.fullmatch(code):
        raise fail("a plan's code is a small letter and up to 31 small letters, digits and hyphens")
    try:
        entry = msgspec.convert(table, PlanEntry)
    except msgspec.ValidationError as error:
        found = FIELD_OF_ERROR.match(str(error))
        assert found is not None
        what, field = found["what"], found["field"] or ""
        unknown = re.search(r"unknown field `([^`]+)`", what)
        if unknown:
            known = ", ".join(PlanEntry.__struct_fields__)
            raise fail(f"there is no such field; a plan has {known}", unknown[1]) from None
        raise fail(what[0].lower() + what[1:], field) from None
    for field, problem in problems_of(entry):
        raise fail(problem, field)
    return entry


def problems_of(entry: PlanEntry) -> list[tuple[str, str]]:
    """(field, what is wrong with it)."""
    found = []
    if not 1 <= len(entry.display.strip()) <= 80:
        found.append(("display", "is a name of 1 to 80 characters"))
    if len(entry.summary) > 200:
        found.append(("summary", "has more than 200 characters"))
    for field, names in (("entitlements", entry.entitlements), ("limits", tuple(entry.limits))):
        for one in names:
            if not ENTITLEMENT.fullmatch(one):
                found.append((field, f"{one!r} is not aws/<service> or platform/<feature>, with * at the end or not"))
        if len(set(names)) < len(names):
            found.append((field, "names something twice"))
    if any(limit < 0 for limit in entry.limits.values()):
        found.append(("limits", "a limit is 0 or more"))
    for field, value, most in (
        ("seats", entry.seats, MOST_SEATS),
        ("max_seats", entry.max_seats, MOST_SEATS),
        ("offline_hours", entry.offline_hours, MOST_HOURS),
    ):
        if not 1 <= value <= most:
            found.append((field, f"is a number from 1 to {most}"))
    if entry.seats > entry.max_seats:
        found.append(("seats", f"is more than max_seats ({entry.max_seats})"))
    if not VERSIONS.fullmatch(entry.versions):
        found.append(("versions", "is * or a release such as 3 or 3.1"))
    return found


def check_names(text: str, name: str, plans: Mapping[str, PlanEntry]) -> None:
    """A code means one plan. Raises PlanFileError."""
    owners: dict[str, str] = {code: code for code in plans}
    for code, entry in plans.items():
        for alias in entry.aliases:
            problem = "is no code" if not CODE.fullmatch(alias) else ""
            problem = f"is [{owners[alias]}]’s already" if alias in owners else problem
            if problem:
                line = find_line(text, code, "aliases")
                raise PlanFileError(f"{alias!r} {problem}", name=name, line=line, field=f"{code}.aliases")
            owners[alias] = code


def find_line(text: str, code: str, field: str) -> int:
    """Where a plan, or a field of it, is written; 0 when it is nowhere (it is missing, or written in another style)."""
    inside, plan_line = False, 0
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*[\"']?([^\]\"']+?)[\"']?\s*\]", line)
        if header:
            inside = header[1] == code or header[1].startswith(code + ".")
            plan_line = number if header[1] == code else plan_line
            if inside and field and header[1] == f"{code}.{field}":
                return number
        elif inside and field and re.match(rf"\s*[\"']?{re.escape(field)}[\"']?\s*=", line):
            return number
        elif not inside and re.match(rf"\s*[\"']?{re.escape(code)}[\"']?\s*=", line):
            plan_line = number
    return plan_line


def render_plans(plans: Mapping[str, PlanEntry]) -> str:
    """The file that says this: what `parse_plans` reads back as the same plans."""
    return "\n".join(render_plan(code, entry) for code, entry in plans.items())


def render_plan(code: str, entry: PlanEntry) -> str:
    lines = [f"[{code}]", f"display = {quoted(entry.display)}"]
    if entry.summary:
        lines.append(f"summary = {quoted(entry.summary)}")
    lines += ["entitlements = [", *(f"  {quoted(one)}," for one in entry.entitlements), "]"]
    if entry.limits:
        lines.append(
            "limits = { " + ", ".join(f"{quoted(one)} = {limit}" for one, limit in entry.limits.items()) + " }"
        )
    lines += [f"seats = {entry.seats}", f"max_seats = {entry.max_seats}", f"offline_hours = {entry.offline_hours}"]
    lines += [f"versions = {quoted(entry.versions)}", f"public = {str(entry.public).lower()}"]
    if entry.aliases:
        lines.append("aliases = [" + ", ".join(quoted(one) for one in entry.aliases) + "]")
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A basic string of TOML: JSON's escapes are among TOML's, but for DEL, which JSON leaves as it is."""
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
