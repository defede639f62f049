"""`cloudlet workspace`: each workspace has a token of its own; which one is in use."""

from __future__ import annotations

from typing import Any

import click

from cloudlet.cli.context import Context, Failed, pass_context
from cloudlet.cli.credentials import CredentialStore, Place
from cloudlet.cli.login import warn_of_variables
from cloudlet.cli.rows import show_rows


@click.group()
def workspace() -> None:
    """Go from one workspace to another. Each has its own token and license for you.

    \b
    Examples:
      cloudlet workspace list
      cloudlet workspace use "My team"
    """


@workspace.command("list")
@pass_context
def list_workspaces(context: Context) -> None:
    """The workspaces that this machine is signed in to; the one in use is marked."""
    store = CredentialStore(context.command)
    current = store.current()
    places = sorted(store.places(), key=lambda place: place.workspace.lower())
    data = [describe(place, place == current) for place in places]
    if context.json:
        context.answer(data)
    elif not places:
        click.echo("This machine is signed in to no workspace.\n  → cloudlet auth login")
    else:
        rows = [("*" if row["current"] else "", row["name"], row["id"], row["user"]) for row in data]
        show_rows(("", "Workspace", "Id", "User"), rows, whole=("Id",))
        if current is None and store.token():
            click.echo("\nThe token in use was pasted; `cloudlet auth status` tells whose it is.")


@workspace.command("use")
@click.argument("name")
@pass_context
def use_workspace(context: Context, name: str) -> None:
    """Use the token of this workspace from now on, named or by its id."""
    store = CredentialStore(context.command)
    place = find_place(store.places(), name)
    where = store.use(place)
    warn_of_variables(context)
    data = {**describe(place, True), "path": where}
    context.answer(
        data, f"Using {place.workspace} ({place.email}); a running emulator keeps its license until restarted"
    )


def find_place(places: tuple[Place, ...], name: str) -> Place:
    """By id or by name. Raises Failed."""
    found = [place for place in places if place.workspace_id == name]
    found = found or [place for place in places if place.workspace.lower() == name.strip().lower()]
    if len(found) > 1:
        ids = ", ".join(place.workspace_id for place in found)
        raise Failed(f"{len(found)} workspaces are called {name!r}: use an id: {ids}.", code="workspace.ambiguous")
    if not found:
        known = ", ".join(sorted(place.workspace for place in places)) or "none"
        raise Failed(
            f"This machine is not signed in to a workspace {name!r}. Signed in to: {known}.",
            code="workspace.unknown",
            actions=(f"cloudlet auth login --workspace {quoted(name)}",),
        )
    return found[0]


def quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name


def describe(place: Place, is_current: bool) -> dict[str, Any]:
    return {
        "id": place.workspace_id,
        "name": place.workspace,
        "user": place.email,
        "token": place.shown,
        "server": place.endpoint,
        "scopes": list(place.scopes),
        "current": is_current,
    }
