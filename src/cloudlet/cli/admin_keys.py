"""`cloudlet admin keys`: the keys that sign licenses."""

from __future__ import annotations

from datetime import datetime

import click
import msgspec
from sqlalchemy.orm import Session

from cloudlet.cli.admin_plans import with_database
from cloudlet.cli.context import Context, Failed, pass_context
from cloudlet.control.errors import Refusal
from cloudlet.control.licenses.rotation import KeyState, list_keys
from cloudlet.control.licenses.rotation import rotate as rotate_key
from cloudlet.control.platform import Platform

MEANINGS = (("active", "signs"), ("next", "published, signs later"), ("retired", "verifies what it signed"))


@click.group()
def keys() -> None:
    """Show and rotate the keys that sign licenses."""


@keys.command("list")
@pass_context
def show(context: Context) -> None:
    """All signing keys, the newest first.

    \b
    Examples:
      cloudlet admin keys list
    """
    found = with_database(context, lambda session, _platform: list_keys(session))
    meanings = dict(MEANINGS)
    lines = [f"  {'KEY':<20}{'STATUS':<10}{'SIGNS FROM':<19}{'UNTIL':<19}"]
    lines += [
        f"  {key.kid:<20}{key.status:<10}{moment(key.since):<19}{moment(key.until) if key.until else '-':<19}".rstrip()
        for key in found
    ]
    lines += ["", *(f"  {status}: {meanings[status]}" for status in meanings if any(k.status == status for k in found))]
    context.answer([msgspec.to_builtins(key) for key in found], "\n".join(lines))


@keys.command()
@click.option(
    "--after", "hours", type=click.IntRange(1, 8760), metavar="HOURS", help="When the new key begins to sign."
)
@click.option("--now", "at_once", is_flag=True, help="The old key leaked: the new one signs at once.")
@pass_context
def rotate(context: Context, hours: int | None, at_once: bool) -> None:
    """Publish a new signing key, which signs once every emulator can know it.

    It waits as long as the longest offline window of all plans. What the old key
    signed verifies until it ends; its private half is destroyed when it retires.

    \b
    Examples:
      cloudlet admin keys rotate
      cloudlet admin keys rotate --after 1000
      cloudlet admin keys rotate --now
    """

    def run(session: Session, platform: Platform) -> KeyState:
        return rotate_key(session, platform, hours=hours, at_once=at_once)

    try:
        made = with_database(context, run)
    except Refusal as error:
        actions = ("Use --now to let it sign at once.",) if error.code == "signing_key.under_way" else ()
        raise Failed(error.detail, code=error.code, actions=actions) from error
    if made.status == "active":
        context.warn("Emulators that have not heard of the new key refuse it until they reach the control plane.")
        text = f"The key {made.kid} signs from now on."
    else:
        text = f"The key {made.kid} is published, and signs from {moment(made.since)} UTC on."
    context.answer(msgspec.to_builtins(made), text)


def moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M")
