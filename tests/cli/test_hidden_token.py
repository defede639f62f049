"""`admin bootstrap` and `quickstart` where the workspace shows no token again: they say what to do."""

from __future__ import annotations

from sqlalchemy import select

from cloudlet.control.credentials.service import forget_secrets
from cloudlet.control.db import Database
from cloudlet.control.workspaces.tables import Workspace
from cloudlet.settings import read_platform_settings
from tests.cli.conftest import CommandLine


def hide_tokens(cloudlet: CommandLine) -> None:
    """As an admin does by the workspace's policy."""
    database = Database(read_platform_settings(cloudlet.variables))
    with database.transaction() as session:
        workspace = session.scalars(select(Workspace)).one()
        workspace.settings = {"reveal_policy": "never"}
        forget_secrets(session, workspace.id)
    database.close()


def test_a_second_bootstrap_says_where_a_new_token_comes_from(cloudlet: CommandLine) -> None:
    assert cloudlet("admin", "bootstrap").code == 0
    hide_tokens(cloudlet)
    for words in ((), ("--show-token",)):
        again = cloudlet("admin", "bootstrap", *words)
        assert again.code == 0, again.err
        assert "shows no token again" in again.out
        assert "Reset Auth Token" in again.out
        assert "/sign-in/link/" in again.out
    data = cloudlet("--json", "admin", "bootstrap").json["data"]
    assert data["token"] == ""


def test_quickstart_says_how_to_give_this_machine_a_token(cloudlet: CommandLine) -> None:
    assert cloudlet("admin", "bootstrap").code == 0
    hide_tokens(cloudlet)
    refused = cloudlet("quickstart")
    assert refused.code == 1
    assert "shows no token again" in refused.err
    assert "cloudlet auth login" in refused.err
    assert "Traceback" not in refused.out + refused.err
