"""Plans as data: `plans.toml` beside this file."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from cloudlet.control.licenses.tables import Plan
from cloudlet.control.platform import Platform

FILE = Path(__file__).with_name("plans.toml")


class PlanEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of the file."""

    display: str
    entitlements: tuple[str, ...]
    seats: int = 1
    limits: dict[str, int] = {}
    offline_hours: int = 24
    versions: str = "*"
    public: bool = True


def read_plans(path: Path = FILE) -> dict[str, PlanEntry]:
    """Plans by code. Raises msgspec.ValidationError when the file has something else in it."""
    return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), dict[str, PlanEntry])


def ensure_plans(session: Session, platform: Platform) -> None:
    """The database's plans say what the file says."""
    known = {plan.code: plan for plan in session.scalars(select(Plan))}
    for code, entry in read_plans().items():
        plan = known.get(code)
        if plan is None:
            plan = Plan(id=platform.new_id("pln"), code=code)
            session.add(plan)
        plan.display = entry.display
        plan.entitlements = dict.fromkeys(entry.entitlements) | entry.limits
        plan.quotas = {"seats": entry.seats}
        plan.versions = entry.versions
        plan.offline_window_h = entry.offline_hours
        plan.is_public = entry.public
    session.flush()
