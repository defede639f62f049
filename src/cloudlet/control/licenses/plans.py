"""Plans in the database: what the file says, found by code or by an older name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloudlet.control.licenses.errors import NoSuchPlan
from cloudlet.control.licenses.plan_file import PlanEntry, read_plan_file
from cloudlet.control.licenses.tables import Plan
from cloudlet.control.platform import Platform

Origin = Literal["builtin", "operator"]


def ensure_plans(session: Session, platform: Platform) -> None:
    """At start: the database's plans say what `PLATFORM_PLANS_FILE` says.

    Without that variable they are the plans that come with Cloudlet, until an operator applies a file of their own: those
    stay then. Raises PlanFileError.
    """
    path = platform.settings.plans_file
    if path:
        apply_plans(session, platform, read_plan_file(path), "operator")
    elif session.scalar(select(Plan.id).where(Plan.origin == "operator").limit(1)) is None:
        apply_plans(session, platform, read_plan_file(""), "builtin")


def apply_plans(session: Session, platform: Platform, entries: Mapping[str, PlanEntry], origin: Origin) -> None:
    """Write them. Who has a plan that is gone keeps it as it was, but nobody can choose it any more."""
    known = {plan.code: plan for plan in session.scalars(select(Plan))}
    for position, (code, entry) in enumerate(entries.items()):
        plan = known.pop(code, None)
        if plan is None:
            plan = Plan(id=platform.new_id("pln"), code=code)
            session.add(plan)
        write_entry(plan, entry)
        plan.position, plan.origin = position, origin
    taken = {alias for entry in entries.values() for alias in entry.aliases}
    for gone in known.values():
        gone.is_public = False
        gone.origin = origin
        gone.position = len(entries)
        gone.aliases = [alias for alias in gone.aliases if alias not in taken]
    session.flush()


def write_entry(plan: Plan, entry: PlanEntry) -> None:
    plan.display = entry.display.strip()
    plan.summary = entry.summary
    plan.entitlements = dict.fromkeys(entry.entitlements) | entry.limits
    plan.quotas = {"seats": entry.seats, "max_seats": entry.max_seats}
    plan.versions = entry.versions
    plan.offline_window_h = entry.offline_hours
    plan.is_public = entry.public
    plan.aliases = list(entry.aliases)


def entry_of(plan: Plan) -> PlanEntry:
    """What a file would say to make this plan."""
    return PlanEntry(
        display=plan.display,
        summary=plan.summary,
        entitlements=tuple(name for name, limit in plan.entitlements.items() if limit is None),
        limits={name: limit for name, limit in plan.entitlements.items() if limit is not None},
        seats=seats_at_start(plan),
        max_seats=most_seats(plan),
        offline_hours=plan.offline_window_h,
        versions=plan.versions,
        public=plan.is_public,
        aliases=tuple(plan.aliases),
    )


def all_plans(session: Session) -> list[Plan]:
    return list(session.scalars(select(Plan).order_by(Plan.position, Plan.code)))


def find_plan(session: Session, code: str) -> Plan:
    """By its code or by an older name, such as `pro`. Raises NoSuchPlan."""
    wanted = code.strip().lower()
    for plan in all_plans(session):
        if plan.code == wanted or wanted in plan.aliases:
            return plan
    raise NoSuchPlan(f"There is no plan “{code[:40]}”.")


def seats_at_start(plan: Plan) -> int:
    return int(plan.quotas.get("seats", 1))


def most_seats(plan: Plan) -> int:
    return int(plan.quotas.get("max_seats", 10_000))
