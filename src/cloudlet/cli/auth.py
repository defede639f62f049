"""`cloudlet auth`: the token that tells the emulator who uses it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cloudlet.cli.context import LICENSE, Context, Failed, pass_context
from cloudlet.cli.credentials import CredentialStore
from cloudlet.license.token import clean, find_key_problem, find_problem, mask
from cloudlet.settings import CommandSettings

SOURCES = ("LOCALSTACK_AUTH_TOKEN", "LOCALSTACK_API_KEY")


@click.group()
def auth() -> None:
    """Store, show and remove the auth token."""


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
    store = CredentialStore(context.command)
    store.store(token)
    context.answer({"token": mask(token), "path": str(store.path)}, "Token configured successfully")


def active_credential(settings: CommandSettings) -> tuple[str, str]:
    """Value and source of what `start` would use, or two empty strings. The environment outranks the stored token."""
    for name in SOURCES:
        value = clean(settings.variables.get(name, ""))
        if value:
            return value, f"the variable {name}"
    path = settings.variables.get("LOCALSTACK_AUTH_TOKEN_FILE") or settings.variables.get("AUTH_TOKEN_FILE")
    if path:
        try:
            return clean(Path(path).read_text(encoding="utf-8")), path
        except OSError as error:
            raise Failed(f"LOCALSTACK_AUTH_TOKEN_FILE: {error.strerror}: {path}", code="credentials.file") from None
    store = CredentialStore(settings)
    token = store.token()
    return (token, str(store.path)) if token else ("", "")


@auth.command("show-token")
@click.option("--plain", is_flag=True, help="Print the whole token, for use in scripts.")
@pass_context
def show_token(context: Context, plain: bool) -> None:
    """Show the token that `cloudlet start` would use, masked.

    The token goes to standard output; where it comes from and whether it can be a token goes to standard error.
    """
    token, source = active_credential(context.command)
    if not token:
        raise Failed(
            "No auth token is stored, and no variable holds one.",
            code="credentials.missing",
            actions=("cloudlet auth set-token <TOKEN>",),
        )
    check = find_key_problem if source.endswith("LOCALSTACK_API_KEY") else find_problem
    problem = check(token, variable=source.rpartition(" ")[2], web=context.emulator.web_app_url)
    shown = token if plain else mask(token)
    if context.json:
        context.answer({"token": shown, "source": source, "valid": problem is None})
    else:
        click.echo(f"Source: {source}\nValid: {problem is None}", err=True)
        click.echo(shown)
    if problem is not None and not context.json:
        raise Failed(problem.text(), code=problem.code, exit_code=LICENSE)
    if problem is not None:
        click.get_current_context().exit(LICENSE)


@auth.command("clear-token")
@pass_context
def clear_token(context: Context) -> None:
    """Forget the stored token. A running emulator goes on."""
    removed = CredentialStore(context.command).clear()
    text = "Token removed" if removed else "There was no stored token"
    context.answer({"removed": removed}, text)
