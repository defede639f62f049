"""`cloudlet ci-key`: the keys of pipelines, through the control plane's native API.

What authorizes it is an API token: CLOUDLET_ADMIN_TOKEN, else the one that `cloudlet auth login --admin` got for the
workspace. It can do no more than its owner.
"""

from __future__ import annotations

from typing import Any

import click
import msgspec

from cloudlet.cli.context import Context, Failed, pass_context
from cloudlet.cli.control_plane import ControlPlane, Refused, segment
from cloudlet.cli.credentials import CredentialStore, Place
from cloudlet.cli.rows import show_rows
from cloudlet.cli.workspace import find_place
from cloudlet.license.admin_token import is_wellformed
from cloudlet.license.effects import SYSTEM

OVERLAPS = ("0", "1", "24", "168")

workspace_option = click.option("--workspace", metavar="NAME", help="Another workspace than the one in use.")


class Desk(msgspec.Struct, frozen=True):
    """Where keys are managed: a control plane, a workspace of it, and what authorizes."""

    plane: ControlPlane
    workspace_id: str
    token: str

    def call(self, method: str, path: str = "", body: object = None) -> dict[str, Any]:
        """Raises Failed. What makes something carries a key of its own: a try that is repeated makes one thing."""
        headers = {"Idempotency-Key": SYSTEM.random_bytes(16).hex()} if method == "POST" else {}
        root = f"/api/v1/workspaces/{segment(self.workspace_id)}/ci-keys"
        answer: dict[str, Any] = self.plane.call(method, root + path, body, bearer=self.token, headers=headers)
        return answer

    def keys(self) -> list[dict[str, Any]]:
        """Those that work or expired by themselves."""
        return list(self.call("GET").get("items", []))

    def credits(self) -> dict[str, Any] | None:
        """Credits of this period; None where this may not be seen, or nothing is subscribed to."""
        path = f"/api/v1/workspaces/{segment(self.workspace_id)}/usage"
        try:
            return self.plane.call("GET", path, bearer=self.token)
        except Refused:
            return None

    def find(self, name: str) -> dict[str, Any]:
        """A key by id or name. Raises Failed."""
        keys = self.keys()
        found = [key for key in keys if key["id"] == name] or [key for key in keys if key["name"] == name]
        if len(found) > 1:
            ids = ", ".join(str(key["id"]) for key in found)
            raise Failed(f"{len(found)} CI keys are called {name!r}: use an id: {ids}.", code="ci_key.ambiguous")
        if not found:
            raise Failed(f"There is no CI key {name!r}.", code="ci_key.unknown", actions=("cloudlet ci-key list",))
        return found[0]


@click.group("ci-key")
def ci_key() -> None:
    """Make, rotate and delete the keys with which pipelines start emulators.

    \b
    Examples:
      cloudlet auth login --admin
      cloudlet ci-key create "GitHub, main" --days 90
      cloudlet ci-key list
      cloudlet ci-key rotate "GitHub, main" --overlap-hours 24
    """


@ci_key.command("list")
@workspace_option
@pass_context
def list_keys(context: Context, workspace: str | None) -> None:
    """The workspace's CI keys: when each was used last, and how many credits it used."""
    desk = desk_of(context, workspace)
    keys, credits = desk.keys(), desk.credits()
    if context.json:
        context.answer({"keys": keys, "credits": credits})
        return
    if keys:
        names = [key["name"] for key in keys]
        handle = "Key" if len(set(names)) == len(names) else "Id"  # names that several have do not say which
        titles = ("Name", handle, "State", "Last used", "Runs")
        show_rows(titles, [row_of(key, handle) for key in keys], whole=titles[1:])
    else:
        click.echo("There is no CI key.\n  → cloudlet ci-key create NAME")
    if credits:
        quota = "no limit" if credits["quota"] is None else f"of {credits['quota']}"
        click.echo(f"\nCI credits: {credits['used']} used, {quota}, until {str(credits['period_end'])[:10]}")


def row_of(key: dict[str, Any], handle: str) -> tuple[str, ...]:
    used = str(key["last_used_at"] or "never")[:10]
    shown = key["shown"] if handle == "Key" else key["id"]
    return (str(key["name"]), str(shown), str(key["state"]), used, str(key["runs"]))


@ci_key.command("create")
@click.argument("name")
@click.option("--project", default="", metavar="NAME", help="What its runs count for unless they say so themselves.")
@click.option("--days", type=click.IntRange(min=0), default=0, help="When it ends; 0 never.")
@click.option("--strict", is_flag=True, help="Begin with ls- like an auth token, for tools that know no other form.")
@workspace_option
@pass_context
def create_key(context: Context, name: str, project: str, days: int, strict: bool, workspace: str | None) -> None:
    """Make a key. It is printed this once: put it into your pipeline's secrets as LOCALSTACK_API_KEY."""
    wish = {"name": name, "project": project, "days": days, "strict": strict}
    made = desk_of(context, workspace).call("POST", "", wish)
    show_secret(context, made, name, "Keep it now; it is not shown again.")


@ci_key.command("rotate")
@click.argument("name")
@click.option(
    "--overlap-hours",
    type=click.Choice(OVERLAPS),
    default="24",
    show_default=True,
    help="How long the old one works on.",
)
@workspace_option
@pass_context
def rotate_key(context: Context, name: str, overlap_hours: str, workspace: str | None) -> None:
    """Make a new key in place of one, named or by its id; the old one works on for a while."""
    desk = desk_of(context, workspace)
    key = desk.find(name)
    made = desk.call("POST", f"/{segment(str(key['id']))}/rotate", {"overlap_hours": int(overlap_hours)})
    unit = "hour" if overlap_hours == "1" else "hours"
    rest = "The old one is dead." if overlap_hours == "0" else f"The old one works for {overlap_hours} more {unit}."
    show_secret(context, made, str(key["name"]), rest)


@ci_key.command("delete")
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@workspace_option
@pass_context
def delete_key(context: Context, name: str, yes: bool, workspace: str | None) -> None:
    """Delete a key, named or by its id: it is refused from now on. What runs goes on."""
    desk = desk_of(context, workspace)
    key = desk.find(name)
    if not yes:
        question = f"Delete {key['name']} ({key.get('shown', '')})? Pipelines that use it fail at their next start."
        click.confirm(question, abort=True, err=True)
    desk.call("DELETE", f"/{segment(str(key['id']))}")
    context.answer({"id": key["id"], "name": key["name"], "deleted": True}, f"Deleted {key['name']}")


def show_secret(context: Context, made: dict[str, Any], name: str, remark: str) -> None:
    """The key alone on standard output, so that it can be piped into a secret store; the rest beside it."""
    secret = str(made.get("token", ""))
    if not context.json:
        click.echo(f"CI key {name}:", err=True)
        click.echo(secret)
        click.echo(remark, err=True)
    else:
        context.answer(made)


def desk_of(context: Context, workspace: str | None) -> Desk:
    """Raises Failed when nothing authorizes this."""
    plane = ControlPlane(context)
    given = context.command.admin_token
    if given:
        if not is_wellformed(given):
            raise Failed("CLOUDLET_ADMIN_TOKEN is not an API token (lsadm_…).", code="ci_key.token")
        owner = plane.call("GET", "/v1/auth/token", bearer=given)["workspace"]
        if workspace and workspace not in {owner["id"], owner["name"]}:
            raise Failed(
                f"CLOUDLET_ADMIN_TOKEN is a token of {owner['name']!r}, not of {workspace!r}.", code="ci_key.token"
            )
        return Desk(plane, str(owner["id"]), given)
    store = CredentialStore(context.command)
    place = find_place(store.places(), workspace) if workspace else store.current()
    token = store.admin_token(place) if place else ""
    if place is None or not token:
        raise unauthorized(place)
    return Desk(plane, place.workspace_id, token)


def unauthorized(place: Place | None) -> Failed:
    where = f"for {place.workspace}" if place else "on this machine"
    return Failed(
        f"Nothing {where} may manage CI keys.",
        code="ci_key.no_token",
        actions=("cloudlet auth login --admin", "CLOUDLET_ADMIN_TOKEN=lsadm_… cloudlet ci-key list"),
    )
