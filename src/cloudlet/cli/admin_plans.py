"""`cloudlet admin plans`: what the plans of a control plane open."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from sqlalchemy.orm import Session

from cloudlet.cli.context import Context, Failed, pass_context
from cloudlet.control.db import Database, DatabaseUnavailable
from cloudlet.control.licenses.plan_file import PlanEntry, PlanFileError, read_plan_file, render_plans
from cloudlet.control.licenses.plans import all_plans, apply_plans, entry_of
from cloudlet.control.platform import Platform
from cloudlet.control.prepare import prepare
from cloudlet.control.vault import SecretKeyError
from cloudlet.license.effects import SYSTEM

Result = TypeVar("Result")
NOT_BOTOCORES = frozenset({"*", "community"})


@click.group(invoke_without_command=True)
@click.pass_context
def plans(click_context: click.Context) -> None:
    """Show, check and change what plans there are and what each opens.

    \b
    Examples:
      cloudlet admin plans
      cloudlet admin plans export > plans.toml
      cloudlet admin plans check plans.toml
      cloudlet admin plans apply plans.toml
    """
    if click_context.invoked_subcommand is None:
        click_context.invoke(show)


@plans.command()
@pass_context
def show(context: Context) -> None:
    """The plans that are in force."""
    found = with_database(context, plans_in_force)
    lines = [f"  {'PLAN':<14}{'NAME':<16}{'SEATS':<12}{'OFFLINE':<10}{'OPENS':<24}CHOSEN BY"]
    lines += [
        f"  {code:<14}{entry.display:<16}{f'{entry.seats} of {entry.max_seats}':<12}{f'{entry.offline_hours} h':<10}"
        f"{opens(entry):<24}{'admins' if entry.public else 'trial' if code == 'trial' else 'nobody new'}"
        for code, entry in found.items()
    ]
    context.answer({code: msgspec.to_builtins(entry) for code, entry in found.items()}, "\n".join(lines))


@plans.command()
@click.argument("file", type=click.Path(dir_okay=False))
@pass_context
def check(context: Context, file: str) -> None:
    """Say what is wrong with a plans file, with its line. Changes nothing."""
    found = read(file)
    for code, name in unknown_services(found):
        context.warn(f"{code}: aws/{name} is no service of AWS that botocore knows")
    context.answer({"plans": list(found)}, f"{file}: {len(found)} plans, no errors: " + ", ".join(found))


@plans.command("apply")
@click.argument("file", type=click.Path(dir_okay=False))
@pass_context
def apply_file(context: Context, file: str) -> None:
    """Put a plans file in force.

    Who has a license gets the plan's new entitlements at the next activation. A plan that is not in the file stays with
    those who have it, and nobody can choose it any more.
    """
    found = read(file)
    gone = with_database(context, lambda session, platform: replace(session, platform, found))
    named = context.platform.plans_file
    lines = [f"{len(found)} plans are in force: " + ", ".join(found)]
    if gone:
        lines.append("Not in the file, and kept for those who have them: " + ", ".join(gone))
    if named and Path(named).resolve() != Path(file).resolve():
        context.warn(f"PLATFORM_PLANS_FILE names {named}: the next start of the control plane applies that one")
    context.answer({"plans": list(found), "kept": gone}, "\n".join(lines))


@plans.command()
@pass_context
def export(context: Context) -> None:
    """Print the plans that are in force as a plans file."""
    text = render_plans(with_database(context, plans_in_force))
    context.answer({"toml": text}, text.rstrip("\n"))


def read(file: str) -> dict[str, PlanEntry]:
    try:
        return read_plan_file(file)
    except PlanFileError as error:
        raise Failed(str(error), code="plans.file", actions=("docs/plans.md explains every field.",)) from error


def plans_in_force(session: Session, platform: Platform) -> dict[str, PlanEntry]:
    return {plan.code: entry_of(plan) for plan in all_plans(session)}


def replace(session: Session, platform: Platform, entries: dict[str, PlanEntry]) -> list[str]:
    apply_plans(session, platform, entries, "operator")
    return [plan.code for plan in all_plans(session) if plan.code not in entries]


def with_database(context: Context, run: Callable[[Session, Platform], Result]) -> Result:
    with failures():
        platform = Platform(context.platform, SYSTEM)
        database = Database(context.platform)
        try:
            prepare(database, platform)
            with database.transaction() as session:
                return run(session, platform)
        finally:
            database.close()


@contextmanager
def failures() -> Iterator[None]:
    """Faults of the control plane's own, as a command's."""
    try:
        yield
    except (DatabaseUnavailable, SecretKeyError) as error:
        raise Failed(str(error), code="control.unavailable") from error


def opens(entry: PlanEntry) -> str:
    names = (*entry.entitlements, *entry.limits)
    if "aws/*" in names:
        return "all services"
    count = sum(name.startswith("aws/") and name != "aws/community" for name in names)
    return ("community" if "aws/community" in names else "") + (f" + {count} services" if count else "")


def unknown_services(found: dict[str, PlanEntry]) -> list[tuple[str, str]]:
    """(plan, name) of entitlements that are no service; a pattern must fit one at least."""
    # lazy: half a second, for one command
    loader: Any = importlib.import_module("botocore.loaders").Loader()
    known = frozenset(loader.list_available_services("service-2")) | NOT_BOTOCORES
    return [
        (code, name)
        for code, entry in found.items()
        for name in (one.removeprefix("aws/") for one in (*entry.entitlements, *entry.limits) if one.startswith("aws/"))
        if not (any(one.startswith(name[:-1]) for one in known) if name.endswith("*") else name in known)
    ]
