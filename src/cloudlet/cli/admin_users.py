"""`cloudlet admin user`: accounts, for who runs the control plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click
import msgspec
from sqlalchemy.orm import Session

from cloudlet.cli.admin_plans import with_database
from cloudlet.cli.context import Context, Failed, pass_context
from cloudlet.control.accounts import operators
from cloudlet.control.accounts.operators import LINK_MINUTES, UserRow
from cloudlet.control.errors import Refusal
from cloudlet.control.platform import Platform

Result = TypeVar("Result")
email_argument = click.argument("email", metavar="ADDRESS")


@click.group()
def user() -> None:
    """List, make, disable and help accounts."""


@user.command("list")
@click.argument("search", required=False, default="", metavar="[TEXT]")
@pass_context
def show(context: Context, search: str) -> None:
    """Accounts, or those whose name or address contains TEXT.

    \b
    Examples:
      cloudlet admin user list
      cloudlet admin user list example.com
    """
    found = run(context, lambda session, _platform: operators.list_users(session, search))
    lines = [f"  {'ADDRESS':<34}{'STATE':<12}{'2FA':<5}WORKSPACES"] if found else ["There is no such account."]
    lines += [line_of(row) for row in found]
    context.answer([msgspec.to_builtins(row) for row in found], "\n".join(lines))


def line_of(row: UserRow) -> str:
    """Two lines where the address is long; workspaces below each other."""
    start = f"  {row.email:<34}" if len(row.email) < 34 else f"  {row.email}\n  {'':<34}"
    places = f"\n  {'':<51}".join(row.workspaces) or "-"
    return f"{start}{row.state:<12}{'yes' if row.has_second_factor else 'no':<5}{places}"


@user.command()
@email_argument
@click.option("--name", default="", metavar="NAME", help="What they are called.")
@pass_context
def create(context: Context, email: str, name: str) -> None:
    """Make an account, and a link to set its password.

    \b
    Examples:
      cloudlet admin user create grace@example.com --name "Grace Hopper"
    """
    row, link = run(context, lambda session, platform: operators.make_user(session, platform, email, name))
    text = f"Account made for {row.email}. Give them this link:\n  {link}\n  works once, for {LINK_MINUTES} minutes"
    context.answer({**msgspec.to_builtins(row), "link": link}, text)


@user.command()
@email_argument
@pass_context
def disable(context: Context, email: str) -> None:
    """Sign somebody out everywhere and refuse them, and their emulators, from now on.

    \b
    Examples:
      cloudlet admin user disable grace@example.com
    """
    row, orphans = run(context, lambda session, platform: operators.disable(session, platform, email))
    for name in orphans:
        context.warn(f'The workspace {name} has no admin now: cloudlet admin user make-admin ADDRESS "{name}"')
    context.answer(msgspec.to_builtins(row), f"{row.email} is disabled.")


@user.command()
@email_argument
@pass_context
def enable(context: Context, email: str) -> None:
    """Let a disabled account in again.

    \b
    Examples:
      cloudlet admin user enable grace@example.com
    """
    row = run(context, lambda session, platform: operators.enable(session, platform, email))
    context.answer(msgspec.to_builtins(row), f"{row.email} may sign in again.")


@user.command("reset-password")
@email_argument
@click.option("--prompt", is_flag=True, help="Ask for the new password here, instead of making a link.")
@click.option("--drop-2fa", "drop", is_flag=True, help="Remove the second factor, for who lost it.")
@pass_context
def reset_password(context: Context, email: str, prompt: bool, drop: bool) -> None:
    """A link with which somebody sets a new password. All their sessions end.

    \b
    Examples:
      cloudlet admin user reset-password grace@example.com
      cloudlet admin user reset-password grace@example.com --drop-2fa
    """
    password = click.prompt("New password", hide_input=True, confirmation_prompt=True) if prompt else ""
    link = run(
        context,
        lambda session, platform: operators.reset(session, platform, email, password=password, drop_second_factor=drop),
    )
    text = (
        f"Give them this link:\n  {link}\n  works once, for {LINK_MINUTES} minutes" if link else "The password is set."
    )
    context.answer({"email": email, "link": link or None, "second_factor_dropped": drop}, text)


@user.command("make-admin")
@email_argument
@click.argument("workspace")
@pass_context
def make_admin(context: Context, email: str, workspace: str) -> None:
    """Make somebody an admin of WORKSPACE (its id, slug or name), and a member of it.

    \b
    Examples:
      cloudlet admin user make-admin grace@example.com "My team"
    """
    row = run(context, lambda session, platform: operators.make_admin(session, platform, email, workspace))
    context.answer(msgspec.to_builtins(row), f"{row.email} is an admin of {workspace}.")


def run(context: Context, do: Callable[[Session, Platform], Result]) -> Result:
    try:
        return with_database(context, do)
    except Refusal as error:
        raise Failed(error.detail, code=error.code, actions=(error.hint,) if error.hint else ()) from error
