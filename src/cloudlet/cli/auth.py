"""`cloudlet auth`: the token that tells the emulator who uses it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cloudlet.cli.context import LICENSE, Context, Failed, pass_context
from cloudlet.cli.credentials import CredentialStore
from cloudlet.cli.login import login, logout, warn_of_variables
from cloudlet.cli.sources import active_token
from cloudlet.cli.whoami import missing, status
from cloudlet.license.token import clean, find_problem, mask


@click.group()
def auth() -> None:
    """Sign in and out; store, show and remove the auth token.

    \b
    Examples:
      cloudlet auth login
      cloudlet auth status
    """


@auth.command("set-token")
@click.argument("token", required=False)
@click.option("--from-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Read it from a file.")
@pass_context
def set_token(context: Context, token: str | None, from_file: Path | None) -> None:
    """Store the auth token for `cloudlet start`.

    TOKEN `-` reads it from standard input; without TOKEN you are asked for it and nothing shows on the screen.
    The token is on the Auth Token page of the web application.

    \b
    Examples:
      cloudlet auth set-token ls-…
      pass show cloudlet | cloudlet auth set-token -
    """
    if from_file is not None:
        token = from_file.read_text(encoding="utf-8")
    elif token == "-":  # noqa: S105
        token = sys.stdin.read()
    elif token is None:
        token = click.prompt("Auth token", hide_input=True)
    token = clean(token or "")
    problem = find_problem(token, variable="The token", web=context.emulator.web_app_url)
    if problem is not None:
        advice = f"Copy it again from {context.emulator.web_app_url}/workspace/auth-tokens"
        raise Failed(problem.text(), code=problem.code, actions=(advice,))
    where = CredentialStore(context.command).store(token)
    warn_of_variables(context)
    context.answer({"token": mask(token), "path": where}, "Token configured successfully")


@auth.command("show-token")
@click.option("--plain", is_flag=True, help="Print the whole token, for use in scripts.")
@pass_context
def show_token(context: Context, plain: bool) -> None:
    """Show the token that `cloudlet start` would use, masked.

    The token goes to standard output; where it comes from and whether it can be a token goes to standard error.
    """
    active = active_token(context.command)
    if not active.value:
        raise missing()
    problem = active.problem(context.emulator.web_app_url)
    shown = active.value if plain else mask(active.value)
    data = {"token": shown, "source": active.source, "valid": problem is None}
    if not context.json:
        click.echo(f"Source: {active.source}\nValid: {problem is None}", err=True)
    if problem is not None:
        context.answer_and_fail(data, shown, Failed(problem.text(), code=problem.code, exit_code=LICENSE))
    context.answer(data, shown)


@auth.command("clear-token")
@pass_context
def clear_token(context: Context) -> None:
    """Forget the stored token. A running emulator goes on."""
    removed = CredentialStore(context.command).clear()
    text = "Token removed" if removed else "There was no stored token"
    context.answer({"removed": removed}, text)


auth.add_command(login)
auth.add_command(logout)
auth.add_command(status)
