"""What the operator does with accounts from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine, Finished
from tests.control.people import post, sequence, sign_in
from tests.control.serving import RunningPlatform


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """On SQLite: what differs by database is tested without the command line."""
    running = RunningPlatform(tmp_path_factory.mktemp("control"))
    yield running
    running.close()


@pytest.fixture
def command_line(tmp_path: Path, platform: RunningPlatform) -> CommandLine:
    made = CommandLine(tmp_path)
    made.variables.update(platform.variables)
    return made


def user(command_line: CommandLine, *words: str) -> Finished:
    return command_line("admin", "user", *words)


def test_an_account_is_made_and_its_link_sets_a_password(platform: RunningPlatform, command_line: CommandLine) -> None:
    email = f"person{next(sequence)}@example.com"
    made = user(command_line, "create", email, "--name", "Grace", "--json")
    assert (made.code, made.json["data"]["state"]) == (0, "active")
    again = user(command_line, "create", email.upper(), "--json")
    assert (again.code, again.json["error"]["code"]) == (1, "account.exists")
    link = made.json["data"]["link"].removeprefix(platform.settings.base_url)
    with platform.client() as client:
        answer = post(client, link, new="quartz orbit meadow lantern")
        assert answer.status_code == 303, answer.text
        signed_in = post(client, "/sign-in", email=email, password="quartz orbit meadow lantern")
    assert signed_in.status_code == 303


def test_who_is_disabled_is_out_at_once_and_may_come_back(
    platform: RunningPlatform, command_line: CommandLine, email: str
) -> None:
    member = platform.bootstrap(email, workspace="Only admin here")
    with platform.client() as client:
        sign_in(client, member)
        assert client.get("/account").status_code == 200
        gone = user(command_line, "disable", email)
        assert gone.code == 0
        assert "has no admin now" in gone.err
        assert client.get("/account").status_code == 303
    assert platform.request_license(member.token).status_code == 403
    listed = user(command_line, "list", email)
    assert "disabled" in listed.out
    assert "Only admin here (admin)" in listed.out
    assert max(map(len, listed.out.splitlines())) <= 80
    assert user(command_line, "enable", email).code == 0
    assert platform.request_license(member.token).status_code == 200


def test_a_forgotten_password_ends_all_sessions(
    platform: RunningPlatform, command_line: CommandLine, email: str
) -> None:
    member = platform.bootstrap(email)
    with platform.client() as client:
        sign_in(client, member)
        answer = user(command_line, "reset-password", email, "--drop-2fa", "--json")
        assert answer.json["data"]["second_factor_dropped"] is True
        assert "/reset/" in answer.json["data"]["link"]
        assert client.get("/account").status_code == 303
    unknown = user(command_line, "reset-password", "nobody@example.com", "--json")
    assert (unknown.code, unknown.json["error"]["code"]) == (1, "not_found")


def test_somebody_becomes_an_admin_of_a_workspace_they_were_not_in(
    platform: RunningPlatform, command_line: CommandLine, email: str
) -> None:
    found = platform.bootstrap(email)
    other = f"person{next(sequence)}@example.com"
    user(command_line, "create", other)
    assert user(command_line, "make-admin", other, found.workspace_id).code == 0
    rows = user(command_line, "list", other, "--json").json["data"]
    assert rows[0]["workspaces"] == [f"{found.workspace} (admin)"]
    assert user(command_line, "make-admin", other, "no such place").code == 1
