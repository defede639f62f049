"""Several workspaces on one machine: a token for each, one in use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloudlet.control.accounts.service import find_user
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.workspaces.service import create_workspace
from tests.cli.conftest import CommandLine
from tests.cli.people import Login, decide, forget_limits, is_accepted, logged_in, stored
from tests.control.serving import RunningPlatform


@pytest.fixture
def member(platform: RunningPlatform, tmp_path: Path) -> BootstrapResult:
    """Ada, who has a workspace of her own beside the team's."""
    forget_limits(platform)
    made = platform.bootstrap(f"{tmp_path.name}@example.com", workspace="Acme Research")
    with platform.database.transaction() as session:
        user = find_user(session, made.email)
        assert user is not None
        create_workspace(session, platform.platform, "Side project", user)
    return made


def login_to(line: CommandLine, platform: RunningPlatform, member: BootstrapResult, workspace: str) -> None:
    login = Login(line)
    decide(platform, member, login.url, "approve", workspace)
    assert login.end()[0] == 0


def names(line: CommandLine) -> dict[str, bool]:
    return {row["name"]: row["current"] for row in line("workspace", "list", "--json").json["data"]}


def test_nobody_is_signed_in_at_first(connected: CommandLine) -> None:
    done = connected("workspace", "list")
    assert (done.code, "cloudlet auth login" in done.out) == (0, True)
    assert connected("workspace", "list", "--json").json["data"] == []


def test_each_workspace_has_its_token_and_one_is_in_use(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    login_to(connected, platform, member, "Acme Research")
    first = connected("auth", "show-token", "--plain").out.strip()
    login_to(connected, platform, member, "Side project")
    second = connected("auth", "show-token", "--plain").out.strip()
    assert first != second
    assert names(connected) == {"Acme Research": False, "Side project": True}
    done = connected("workspace", "use", "acme research")
    assert (done.code, "Using Acme Research" in done.out) == (0, True)
    assert connected("auth", "show-token", "--plain").out.strip() == first
    assert names(connected) == {"Acme Research": True, "Side project": False}
    assert connected("workspace", "use", member.workspace_id, "--json").json["data"]["id"] == member.workspace_id
    listed = connected("workspace", "list")
    assert "*" in listed.out
    for token in (first, second):
        assert token not in listed.out
        assert is_accepted(platform, token)


def test_a_suggested_workspace_is_chosen_on_the_page(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    logged_in(connected, platform, member, "--workspace", "Side project")
    assert names(connected) == {"Side project": True}


def test_signing_out_of_one_keeps_the_other(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    login_to(connected, platform, member, "Acme Research")
    login_to(connected, platform, member, "Side project")
    assert connected("auth", "logout").out == "Signed out of Side project\n"
    assert names(connected) == {"Acme Research": False}
    assert connected("auth", "show-token").code == 1
    assert connected("workspace", "use", "Acme Research").code == 0
    assert connected("auth", "status").code == 0


def test_signing_out_of_all_leaves_nothing(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    login_to(connected, platform, member, "Acme Research")
    login_to(connected, platform, member, "Side project")
    data = connected("auth", "logout", "--all", "--json").json["data"]
    assert (len(data["signed_out"]), data["revoked"]) == (2, 2)
    assert stored(connected) == ""


def test_a_workspace_that_is_not_there_is_named_with_those_that_are(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    login_to(connected, platform, member, "Acme Research")
    done = connected("workspace", "use", "Side project", "--json")
    error = done.json["error"]
    assert (done.code, error["code"], done.json["command"]) == (1, "workspace.unknown", "workspace use")
    assert "Acme Research" in error["message"]
    assert error["actions"] == ['cloudlet auth login --workspace "Side project"']


def test_two_of_one_name_are_told_apart_by_id(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    other = platform.bootstrap("two-" + member.email, workspace="Acme Research")
    login_to(connected, platform, member, "Acme Research")
    logged_in(connected, platform, other)
    done = connected("workspace", "use", "Acme Research", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "workspace.ambiguous")
    assert member.workspace_id in done.json["error"]["message"]
    assert connected("workspace", "use", member.workspace_id).code == 0


def test_a_token_that_somebody_removed_is_missed(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    login_to(connected, platform, member, "Acme Research")
    (connected.home / ".localstack/cloudlet-tokens.json").unlink()
    done = connected("workspace", "use", "Acme Research", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "workspace.no_token")


def test_damaged_files_count_as_none(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    folder = connected.home / ".localstack"
    folder.mkdir()
    for name in ("auth.json", "cloudlet.json", "cloudlet-tokens.json"):
        (folder / name).write_text('{"places": 1')
    assert connected("workspace", "list", "--json").json["data"] == []
    login_to(connected, platform, member, "Acme Research")
    assert names(connected) == {"Acme Research": True}
    assert json.loads((folder / "auth.json").read_text())
