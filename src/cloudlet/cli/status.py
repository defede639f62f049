"""`cloudlet status`."""

from __future__ import annotations

import importlib
from typing import Any

import click

from cloudlet.cli import emulator, tables
from cloudlet.cli.container.record import record_of
from cloudlet.cli.context import FAILURE, Context, Failed, pass_context
from cloudlet.cli.endpoint import HEALTH, INFO, get_json, is_emulator


@click.group(invoke_without_command=True)
@tables.format_option
@click.pass_context
def status(ctx: click.Context, form: str) -> None:
    """Show whether the emulator runs. Exit code 1 when it does not.

    \b
    Examples:
      cloudlet status
      cloudlet status services
      cloudlet status services --format=json
    """
    if ctx.invoked_subcommand is None:
        show_process(ctx.obj, form)


@status.command()
@tables.format_option
@pass_context
def docker(context: Context, form: str) -> None:
    """Where the emulator runs: its container, or its process."""
    show_process(context, form)


@status.command()
@tables.format_option
@pass_context
def services(context: Context, form: str) -> None:
    """The services and their states: available, running, disabled, error."""
    url = emulator.current_url(context)
    health = get_json(url, HEALTH)
    if health is None or not is_emulator(health):
        raise not_running(url)
    states = dict(sorted(health["services"].items()))
    if context.json:
        context.answer(states)
    else:
        tables.show(states, form, ("Service", "State"))


def show_process(context: Context, form: str) -> None:
    rows = describe(context)
    if context.json:
        context.answer(rows)
    else:
        tables.show(in_words(rows) if form == "table" else rows, form, ("Emulator", ""))
    if not rows["running"]:
        click.get_current_context().exit(FAILURE)


def in_words(rows: dict[str, Any]) -> dict[str, Any]:
    """For people: yes and no, and nothing about what is not known."""
    known = {name: value for name, value in rows.items() if value is not None}
    return {name: ("yes" if value else "no") if isinstance(value, bool) else value for name, value in known.items()}


def describe(context: Context) -> dict[str, Any]:
    """What is known about the emulator; the same keys whether it runs or not, so that scripts can rely on them."""
    record = emulator.server(context).running()
    container = None
    if record is None and record_of(context):
        commands = importlib.import_module("cloudlet.cli.container.commands")  # lazy: brings the Docker library
        container = commands.facts(context)
    url = emulator.current_url(context)
    info = get_json(url, INFO)
    rows = {
        "running": info is not None,
        "url": url,
        "version": (info or {}).get("version"),
        "edition": (info or {}).get("edition"),
        "is_license_activated": (info or {}).get("is_license_activated"),
        "uptime_seconds": (info or {}).get("uptime"),
        "is_docker": (info or {}).get("is_docker"),
        "pid": record.pid if record else None,
        "log": record.log or None if record else None,
    }
    return rows | {name: (container or {}).get(name) for name in ("container", "image", "state", "health", "ports")}


def not_running(url: str) -> Failed:
    return Failed(f"No emulator answers at {url}.", code="emulator.not_running", actions=("cloudlet start -d",))
