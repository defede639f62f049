"""`cloudlet auth status`: whose token is used, where it comes from, and whether it is good."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import click

from cloudlet.cli import tables
from cloudlet.cli.context import FAILURE, LICENSE, Context, Failed, pass_context
from cloudlet.cli.control_plane import ControlPlane, Refused, Unreachable
from cloudlet.cli.sources import active_token
from cloudlet.license.token import mask

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "auth": "personal token",
        "device": "token of a device",
        "ci": "CI key",
        "legacy_api": "legacy API key",
        "admin_api": "API token",
    }
)


@click.command()
@click.option("--offline", is_flag=True, help="Do not ask the control plane.")
@pass_context
def status(context: Context, offline: bool) -> None:
    """Show whose token is used, where it comes from, and whether it is good.

    Exit code 1 when there is none or nobody could be asked, 55 when it is not good.
    """
    active = active_token(context.command)
    if not active.value:
        raise missing()
    plane = ControlPlane(context)
    data: dict[str, Any] = {
        "token": mask(active.value),
        "source": active.source,
        "valid": None,
        "kind": None,
        "name": None,
        "workspace": None,
        "user": None,
        "role": None,
        "license": None,
        "expires_at": None,
        "server": plane.endpoint,
    }
    problem = active.problem(context.emulator.web_app_url)
    if problem is not None:
        data["valid"] = False
        failed = Failed(problem.text(), code=problem.code, actions=problem.advice(), exit_code=LICENSE)
        fail(context, data, failed)
    if not offline:
        try:
            facts = plane.call("GET", "/v1/auth/token", bearer=active.value)
        except Refused as error:
            data["valid"] = False if error.status == 401 else None
            error.exit_code = LICENSE if error.status == 401 else FAILURE  # type: ignore[misc]
            fail(context, data, error)
        except Unreachable as error:
            fail(context, data, error)
        data |= {name: facts[name] for name in data.keys() & facts.keys()} | {"valid": True}
    if context.json:
        context.answer(data)
    else:
        tables.show(in_words(data), "table", ("Signed in", ""))


def fail(context: Context, data: dict[str, Any], error: Failed) -> NoReturn:
    """What is known, then why it is not good."""
    if not context.json:
        tables.show(in_words(data), "table", ("Signed in", ""))
    context.answer_and_fail(data, None, error)


def in_words(data: dict[str, Any]) -> dict[str, str]:
    rows = {"Token": data["token"], "From": data["source"].replace(f"{Path.home()}/", "~/")}
    if data["kind"]:
        rows["Kind"] = KINDS.get(data["kind"], data["kind"]) + (f", {data['name']}" if data["name"] else "")
    if data["workspace"]:
        rows["Workspace"] = f"{data['workspace']['name']} ({data['workspace']['id']})"
    if data["user"]:
        rows["User"] = f"{data['user']['email']}, {data['role']}"
    if data["valid"]:
        held = data["license"]
        rows["License"] = (
            f"{held['plan']}, {held['status'].lower()}, until {held['expires_at'][:10]}" if held else "none is assigned"
        )
    if data["expires_at"]:
        rows["Ends"] = data["expires_at"]
    rows["Server"] = data["server"]
    rows["Valid"] = {True: "yes", False: "no", None: "not asked"}[data["valid"]]
    return rows


def missing() -> Failed:
    return Failed(
        "No auth token is stored, and no variable holds one.",
        code="credentials.missing",
        actions=("cloudlet auth login", "cloudlet auth set-token <TOKEN>"),
    )
