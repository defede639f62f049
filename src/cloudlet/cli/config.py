"""`cloudlet config`."""

from __future__ import annotations

import click

from cloudlet.cli import tables
from cloudlet.cli.context import Context, pass_context
from cloudlet.settings import shown_settings


@click.group()
def config() -> None:
    """Show and check the configuration."""


@config.command("show")
@tables.format_option
@pass_context
def show(context: Context, form: str) -> None:
    """Every setting of the emulator and its value; secrets are masked.

    \b
    Examples:
      cloudlet config show
      PERSISTENCE=1 cloudlet config show -f plain
    """
    shown = shown_settings(context.emulator)
    if context.json:
        context.answer(shown)
    else:
        tables.show(shown, form, ("Variable", "Value"))


@config.command("validate")
@pass_context
def validate(context: Context) -> None:
    """Check that the environment and the profiles say nothing impossible. Exit code 1 when they do."""
    settings = context.emulator
    platform = context.platform
    if settings.persistence and settings.state_url:
        context.warn("PERSISTENCE=1 and STATE_URL are both set: the state is in the database, the volume holds none.")
    listens = ", ".join(f"{address.host}:{address.port}" for address in settings.gateway_listen)
    data = {"gateway_listen": listens, "control_plane": platform.base_url, "profiles": list(context.command.profiles)}
    context.answer(data, f"Valid. The emulator would listen on {listens}.")
