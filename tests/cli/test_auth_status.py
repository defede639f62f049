"""`auth status`: where the token comes from, whose it is, and whether it is good; the token itself never shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudlet.control.bootstrap import BootstrapResult
from tests.cli.conftest import CommandLine
from tests.cli.people import forget_limits, logged_in
from tests.control.serving import RunningPlatform


@pytest.fixture
def member(platform: RunningPlatform, tmp_path: Path) -> BootstrapResult:
    forget_limits(platform)
    return platform.bootstrap(f"{tmp_path.name}@example.com", workspace="Acme Research")


def test_without_a_token_it_says_how_to_get_one(connected: CommandLine) -> None:
    done = connected("auth", "status")
    assert done.code == 1
    assert "cloudlet auth login" in done.err
    assert connected("auth", "status", "--json").json["error"]["code"] == "credentials.missing"


def test_a_pasted_token_is_known(connected: CommandLine, member: BootstrapResult) -> None:
    connected("auth", "set-token", member.token)
    done = connected("auth", "status")
    assert done.code == 0, done.err
    for shown in ("personal token", "Acme Research", member.email, "admin", "trial, active", "auth.json"):
        assert shown in done.out
    assert member.token not in done.out + done.err
    data = connected("auth", "status", "--json").json["data"]
    assert (data["valid"], data["kind"], data["role"]) == (True, "auth", "admin")
    assert data["workspace"] == {"id": member.workspace_id, "name": "Acme Research"}
    assert data["license"]["plan"] == "trial"


def test_a_device_is_known_by_its_name(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    logged_in(connected, platform, member)
    assert "token of a device, cloudlet on" in connected("auth", "status").out


@pytest.mark.parametrize("variable", ["LOCALSTACK_AUTH_TOKEN", "LOCALSTACK_API_KEY", "LOCALSTACK_AUTH_TOKEN_FILE"])
def test_where_it_comes_from_is_told(connected: CommandLine, member: BootstrapResult, variable: str) -> None:
    value = member.token
    if variable.endswith("_FILE"):
        value = str(connected.home / "token")
        Path(value).write_text(member.token + "\n")
    data = connected("auth", "status", "--json", **{variable: value}).json["data"]
    assert data["valid"] is True
    assert variable in data["source"]


def test_a_token_that_was_reset_is_55(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    logged_in(connected, platform, member)
    token = connected("auth", "show-token", "--plain").out.strip()
    connected("auth", "logout")
    done = connected("auth", "status", "--json", LOCALSTACK_AUTH_TOKEN=token)
    assert (done.code, done.json["status"], done.json["data"]["valid"]) == (55, "error", False)
    assert done.json["error"]["code"] == "credentials.invalid"
    assert "revoked" in done.json["error"]["message"]
    assert token not in done.out


def test_a_typing_error_is_55_without_a_network(connected: CommandLine, member: BootstrapResult) -> None:
    wrong = member.token[:-1] + ("0" if member.token[-1] != "0" else "1")
    extra = {"LOCALSTACK_AUTH_TOKEN": wrong, "API_ENDPOINT": "http://127.0.0.1:1/v1"}
    done = connected("auth", "status", "--json", **extra)
    assert (done.code, done.json["error"]["code"]) == (55, "credentials.checksum")
    assert wrong not in done.out


def test_nobody_to_ask_is_not_a_no(connected: CommandLine, member: BootstrapResult) -> None:
    connected("auth", "set-token", member.token)
    down = {"API_ENDPOINT": "http://127.0.0.1:1/v1"}
    done = connected("auth", "status", "--json", **down)
    assert (done.code, done.json["data"]["valid"], done.json["error"]["code"]) == (1, None, "server.connect")
    offline = connected("auth", "status", "--offline", **down)
    assert offline.code == 0
    assert "not asked" in offline.out


def test_a_token_file_that_cannot_be_read_is_named(connected: CommandLine) -> None:
    done = connected("auth", "status", "--json", LOCALSTACK_AUTH_TOKEN_FILE="/nowhere/token")
    assert (done.code, done.json["error"]["code"]) == (1, "credentials.file")
    assert "/nowhere/token" in done.json["error"]["message"]
