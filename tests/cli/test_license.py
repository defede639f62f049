"""The license commands, against a real control plane. Installing a license file is in tests/control/test_offline_machine.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloudlet.control.accounts.service import find_user
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.credentials.service import reset_auth_token
from cloudlet.control.workspaces.service import memberships_of
from tests.cli.conftest import CommandLine
from tests.cli.people import forget_limits, logged_in
from tests.control.serving import RunningPlatform

DOWN = {"API_ENDPOINT": "http://127.0.0.1:1/v1"}


@pytest.fixture
def member(platform: RunningPlatform, tmp_path: Path) -> BootstrapResult:
    forget_limits(platform)
    return platform.bootstrap(f"{tmp_path.name}@example.com")


@pytest.fixture
def licensed(connected: CommandLine, member: BootstrapResult) -> CommandLine:
    """A machine with a stored token and a license."""
    assert connected("auth", "set-token", member.token).code == 0
    assert connected("license", "activate").code == 0
    return connected


def code_of(line: CommandLine, *words: str, **extra: str) -> tuple[int, str]:
    done = line(*words, "--json", **extra)
    assert done.json["status"] == ("success" if done.code == 0 else "error")
    return done.code, (done.json["error"] or {}).get("code", "")


def test_activating_fetches_a_license_that_works_without_a_network(
    connected: CommandLine, member: BootstrapResult
) -> None:
    connected("auth", "set-token", member.token)
    assert code_of(connected, "license", "info") == (55, "credentials.missing")
    done = connected("license", "activate")
    assert done.code == 0, done.err
    assert "Successfully requested and activated new license" in done.out
    info = connected("license", "info", **DOWN)
    assert info.code == 0
    assert "trial" in info.out
    assert member.token not in done.out + done.err + info.out + info.err
    data = connected("license", "info", "--json", **DOWN).json["data"]
    assert (data["plan"], data["state"]) == ("trial", "active_cached")
    assert json.loads(connected("license", "info", "-f", "json").out)["plan"] == "trial"
    offline = connected("license", "activate", "--offline", **DOWN)
    assert (offline.code, "Successfully activated cached license" in offline.out) == (0, True)


def test_the_token_of_a_login_fetches_a_license(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    logged_in(connected, platform, member)
    assert connected("license", "activate", "--json").json["data"]["plan"] == "trial"


def test_each_failure_has_its_code_and_55(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    activate = ("license", "activate")
    assert code_of(connected, *activate) == (55, "credentials.missing")
    connected("auth", "set-token", member.token)
    assert code_of(connected, *activate, **DOWN) == (55, "server.connect")
    assert code_of(connected, *activate, "--offline")[0] == 55
    assert code_of(connected, *activate, LOCALSTACK_AUTH_TOKEN="<YOUR_AUTH_TOKEN>") == (55, "credentials.placeholder")
    with platform.database.transaction() as session:
        user = find_user(session, member.email)
        assert user is not None
        reset_auth_token(session, platform.platform, memberships_of(session, user.id)[0][0], actor="test")
    assert code_of(connected, *activate) == (55, "credentials.invalid")
    shown = connected("license", "activate")
    assert "  → " in shown.err
    assert member.token not in shown.err


def test_a_request_file_names_the_machine(connected: CommandLine) -> None:
    out = connected.home / "request.json"
    data = connected("license", "request", "--out", str(out), "--json").json["data"]
    written = json.loads(out.read_text())
    assert written["format"] == "cloudlet-license-request-1"
    assert written["machine"]["id"] == data["machine"]["id"]
    assert code_of(connected, "license", "request", "--out", "/nowhere/request.json") == (1, "file.write")


@pytest.mark.parametrize("content", [b"", b"no license", b"{}", b"\xff\xfe", b"-----BEGIN LICENSE-----\nx\n"])
def test_a_file_that_is_no_license_is_not_installed_and_the_old_one_stays(
    licensed: CommandLine, content: bytes
) -> None:
    file = licensed.home / "wrong.lic"
    file.write_bytes(content)
    code, why = code_of(licensed, "license", "install", str(file))
    assert (code, why.startswith("license.")) == (55, True)
    assert licensed("license", "info").code == 0
    assert licensed("license", "install", str(licensed.home / "absent.lic")).code == 2
    keys = licensed.home / "keys.json"
    keys.write_text("[]")
    assert code_of(licensed, "license", "install", str(file), "--trust-keys", str(keys)) == (55, "license.format")


def test_removing_forgets_the_license_and_not_the_token(licensed: CommandLine) -> None:
    removed = licensed("license", "remove")
    assert removed.code == 0
    assert "license.json" in removed.out
    assert licensed("license", "info").code == 55
    assert licensed("license", "remove").out == "There was no license\n"
    assert licensed("license", "activate").code == 0
