"""`cloudlet auth login` and `logout`: this machine gets a token of its own, confirmed in the browser, and gives it back."""

from __future__ import annotations

import platform
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console

from cloudlet import __version__
from cloudlet.cli.context import Context, Failed, pass_context
from cloudlet.cli.control_plane import ControlPlane, Refused, Unreachable, segment
from cloudlet.cli.credentials import CredentialStore, Place
from cloudlet.cli.sources import active_token
from cloudlet.license.effects import SYSTEM
from cloudlet.license.token import find_problem, mask

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 5.0
GROWTH = 1.3
ADMIN_SCOPES = ("ci_key.manage", "ci_key.read", "usage.read")


@click.command()
@click.option("--no-browser", is_flag=True, help="Print the address only.")
@click.option("--workspace", metavar="NAME", default="", help="Which of your workspaces to suggest on the page.")
@click.option("--admin", is_flag=True, help="Ask for leave to manage CI keys, too (`cloudlet ci-key`), for 90 days.")
@pass_context
def login(context: Context, no_browser: bool, workspace: str, admin: bool) -> None:
    """Sign this machine in, through the browser.

    Open the address, compare the code, choose a workspace and approve. No password and no token passes through this
    terminal; the token that the machine gets is its own, and `cloudlet auth logout` ends it.

    \b
    Examples:
      cloudlet auth login
      cloudlet auth login --admin --workspace "My team"
      cloudlet auth login --no-browser        over SSH
    """
    plane = ControlPlane(context)
    scopes = ADMIN_SCOPES if admin else ()
    opened = plane.call(
        "POST",
        "/v1/auth/request",
        {
            "actor": "cloudlet",
            "version": __version__,
            "host": platform.node(),
            "workspace": workspace,
            "scopes": scopes,
        },
    )
    url = str(opened.get("url") or f"{context.emulator.web_app_url}/auth/request/{opened['id']}?code={opened['code']}")
    click.echo(f"Open this address, and approve if it shows the same code:\n\n  {url}\n", err=context.json)
    click.echo(f"  Code  {click.style(str(opened['code']), bold=True)}\n", err=context.json)
    if not no_browser and url.startswith(("https://", "http://")) and has_window(context):  # nothing but a page
        webbrowser.open(url)
    with waiting(context):
        wait_for_answer(plane, opened)
    keep(context, plane, collect(plane, opened))


def has_window(context: Context) -> bool:
    """Would a browser open in a window of its own? A text browser would take this terminal over."""
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return False
    return type(found) is not webbrowser.GenericBrowser or bool(context.command.variables.get("BROWSER"))


@contextmanager
def waiting(context: Context) -> Iterator[None]:
    text = "Waiting for your answer in the browser (Ctrl-C ends it)"
    if sys.stderr.isatty() and not context.json:
        with Console(stderr=True).status(text):
            yield
    else:
        click.echo(text + " …", err=True)
        yield


def wait_for_answer(plane: ControlPlane, opened: dict[str, Any]) -> None:
    """Ask more and more rarely. A control plane that is away for a moment is asked again. Raises Failed."""
    end = SYSTEM.monotonic() + float(opened.get("expires_in") or 600)
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            answer = plane.call(
                "GET",
                f"/v1/auth/request/{segment(opened['id'])}",
                headers={"X-Exchange-Token": opened["exchange_token"]},
            )
        except (Unreachable, Refused) as error:
            if not error.retryable:
                raise
            answer = {}
        if answer.get("confirmed"):
            return
        if answer.get("denied"):
            raise Failed("The request was denied in the browser.", code="auth.request.denied")
        if SYSTEM.monotonic() + pause > end:
            raise Failed(
                "Nobody approved the request in time.", code="auth.request.expired", actions=("cloudlet auth login",)
            )
        SYSTEM.sleep(pause)
        pause = min(pause * GROWTH, LONGEST_PAUSE_SECONDS)


def collect(plane: ControlPlane, opened: dict[str, Any]) -> dict[str, Any]:
    """The token and where it belongs. Raises Failed."""
    path = f"/v1/auth/request/{segment(opened['id'])}/exchange"
    bearer = str(plane.call("POST", path, {"exchange_token": opened["exchange_token"]}).get("auth_token", ""))
    got = plane.call("GET", "/v1/license/credentials", bearer=bearer.removeprefix("Bearer "))
    if find_problem(str(got.get("token", ""))) is not None:
        raise Failed("The control plane sent no token.", code="auth.no_token")
    return got


def keep(context: Context, plane: ControlPlane, got: dict[str, Any]) -> None:
    token = str(got["token"])
    space = got.get("workspace") or {}
    place = Place(
        workspace_id=str(space.get("id", "")),
        workspace=str(space.get("name", "")),
        email=str((got.get("user") or {}).get("email", "")),
        endpoint=plane.endpoint,
        shown=mask(token),
        scopes=tuple(got.get("scopes") or ()),
    )
    store = CredentialStore(context.command)
    replaced = next((one for one in store.places() if one.workspace_id == place.workspace_id), None)
    if replaced is not None:
        give_back(context, store, replaced)
    where = store.add(place, token, str(got.get("admin_token") or ""))
    warn_of_variables(context)
    lines = [f"Signed in to {place.workspace} as {place.email}", f"  Token  {place.shown}, in {where}"]
    if place.scopes:
        lines.append(f"  May    {', '.join(place.scopes)}")
    data = {
        "workspace": {"id": place.workspace_id, "name": place.workspace},
        "user": {"email": place.email},
        "token": place.shown,
        "path": where,
        "scopes": list(place.scopes),
    }
    context.answer(data, "\n".join(lines))


def warn_of_variables(context: Context) -> None:
    """A token that is stored is of no use while a variable names another one."""
    active = active_token(context.command)
    if active.variable:
        context.warn(f"{active.variable} is set and outranks the stored token.")


@click.command()
@click.option("--all", "everywhere", is_flag=True, help="Sign out of every workspace.")
@pass_context
def logout(context: Context, everywhere: bool) -> None:
    """Sign this machine out: its token is revoked and forgotten. A running emulator goes on.

    A token that you pasted is your personal one: it is forgotten here and stays good elsewhere; reset it on the Auth
    Token page to end it.
    """
    store = CredentialStore(context.command)
    token, current = store.token(), store.current()
    places = store.places() if everywhere else (current,) if current else ()
    ended = [place.workspace for place in places if give_back(context, store, place)]
    for place in places:
        store.remove(place)
    pasted = store.clear() if token and current is None else False
    lines = [f"Signed out of {place.workspace}" for place in places]
    if pasted:
        lines.append(
            f"Forgot {mask(token)}. It is your personal token and stays good; reset it on the Auth Token page."
        )
    data = {"signed_out": [place.workspace_id for place in places], "revoked": len(ended), "forgotten": pasted}
    context.answer(data, "\n".join(lines) or "You were not signed in")


def give_back(context: Context, store: CredentialStore, place: Place) -> bool:
    """Revoke a workspace's token at its control plane; whether it is dead for certain."""
    token = store.workspace_token(place)
    if not token:
        return False
    plane = ControlPlane(context)
    if place.endpoint != plane.endpoint:
        context.warn(f"{place.workspace} belongs to {place.endpoint}: sign this machine out on its Auth Token page.")
        return False
    try:
        plane.call("POST", "/v1/auth/revoke", bearer=token)
    except Refused as error:
        return error.status == 401  # it was dead already
    except Unreachable as error:
        context.warn(
            f"{error.message} The token of {place.workspace} still works: sign the machine out on the Auth Token page."
        )
        return False
    return True
