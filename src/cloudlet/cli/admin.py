"""`cloudlet admin`: for those who run a control plane of their own."""

from __future__ import annotations

import click
import msgspec

from cloudlet.cli.admin_backup import backup, restore
from cloudlet.cli.admin_keys import keys
from cloudlet.cli.admin_plans import failures, plans
from cloudlet.cli.admin_users import user
from cloudlet.cli.context import Context, pass_context
from cloudlet.control.bootstrap import bootstrap as make_first_workspace
from cloudlet.license.token import mask

HIDDEN = (
    "  Token      there is one, and this workspace shows no token again (its policy).\n"
    "             For a new one sign in and choose Reset Auth Token; or run `cloudlet auth login`."
)


@click.group()
def admin() -> None:
    """Set up a control plane of your own."""


@admin.command()
@click.option("--email", metavar="ADDRESS", help="The admin's address (PLATFORM_BOOTSTRAP_ADMIN_EMAIL).")
@click.option("--workspace", metavar="NAME", help="Name of the workspace.")
@click.option("--password", is_flag=True, help="Ask for a password to sign in with, beside the link.")
@click.option("--show-token", is_flag=True, help="Print the whole auth token.")
@pass_context
def bootstrap(context: Context, email: str | None, workspace: str | None, password: bool, show_token: bool) -> None:
    """Make the first workspace, its admin, a 14-day trial license and the admin's auth token.

    Works on the database directly, with or without a running server. A second run changes nothing and gives a fresh
    sign-in link.

    \b
    Examples:
      cloudlet admin bootstrap
      cloudlet admin bootstrap --email me@example.com --workspace "My team"
    """
    secret = click.prompt("Password", hide_input=True, confirmation_prompt=True) if password else None
    with failures():
        result = make_first_workspace(context.platform, email=email, workspace=workspace, password=secret)
    token = result.token if show_token else mask(result.token) if result.token else ""
    lines = (
        "Workspace made." if result.created else "The workspace exists already.",
        f"  Workspace  {result.workspace}",
        f"  Admin      {result.email}",
        f"  License    {result.plan}, until {result.license_expires_at}",
        f"  Token      {token}" + ("" if show_token else "   (--show-token prints it)") if token else HIDDEN,
        f"  Sign in    {result.sign_in_link}",
        f"             works once, for {result.sign_in_link_minutes} minutes",
    )
    context.answer({**msgspec.structs.asdict(result), "token": token}, "\n".join(lines))


for command in (plans, user, keys, backup, restore):
    admin.add_command(command)
