"""Signing this machine in and out, against a real control plane, with a person at the browser."""

from __future__ import annotations

import json
import os
import pty
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.devices.tables import DeviceRequest
from tests.cli.conftest import CommandLine, poll
from tests.cli.people import Login, decide, forget_limits, is_accepted, logged_in, stored
from tests.control.serving import RunningPlatform

KEYRING = {"CLOUDLET_KEYRING": "auto", "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring"}


@pytest.fixture
def member(platform: RunningPlatform, unique: Callable[[str], str]) -> BootstrapResult:
    forget_limits(platform)
    return platform.bootstrap(unique("ada") + "@example.com", workspace="Acme Research")


@pytest.fixture
def unique(tmp_path: Path) -> Callable[[str], str]:
    return lambda name: f"{name}-{tmp_path.name}"


def token_in_use(line: CommandLine, **extra: str) -> str:
    return line("auth", "show-token", "--plain", **extra).out.strip()


def test_a_login_stores_a_token_of_this_machine(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    login = Login(connected)
    assert login.url.startswith(f"{platform.url}/auth/request/dev_")
    page = decide(platform, member, login.url, "approve")
    assert login.code in page
    assert os.uname().nodename in page
    code, out, err = login.end()
    assert code == 0, err
    assert f"Signed in to Acme Research as {member.email}" in out
    token = token_in_use(connected)
    assert token.startswith("ls-")
    assert token != member.token
    assert token not in login.read + out + err
    for path in (connected.home / ".localstack").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads((connected.home / ".localstack/auth.json").read_text()) == {"LOCALSTACK_AUTH_TOKEN": token}
    assert is_accepted(platform, token)


def test_json_goes_to_standard_output_and_the_address_beside_it(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    login = Login(connected, "--json")
    decide(platform, member, login.url, "approve")
    answer = login.answer()
    assert (answer["status"], answer["command"]) == ("success", "auth login")
    data = answer["data"]
    assert isinstance(data, dict)
    assert data["workspace"] == {"id": member.workspace_id, "name": "Acme Research"}
    assert data["user"] == {"email": member.email}
    assert data["token"].endswith("-****")
    assert token_in_use(connected) not in json.dumps(answer)


def test_a_denied_login_stores_nothing(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    login = Login(connected, "--json")
    decide(platform, member, login.url, "deny")
    code, out, _ = login.end()
    assert (code, json.loads(out)["error"]["code"]) == (1, "auth.request.denied")
    assert stored(connected) == ""


def test_a_login_that_nobody_answers_ends(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    login = Login(connected)
    with platform.database.transaction() as session:
        past = platform.platform.now() - timedelta(minutes=1)
        session.execute(update(DeviceRequest).values(expires_at=past))
    code, _, err = login.end()
    assert code == 1
    assert "This sign-in request is over." in err
    assert "cloudlet auth login" in err


def test_ctrl_c_ends_a_login_with_130(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    login = Login(connected)
    login.process.send_signal(signal.SIGINT)
    code, _, err = login.end()
    assert code == 130
    assert "Interrupted." in err
    assert "Traceback" not in err
    assert stored(connected) == ""


def test_a_login_outlives_a_restart_of_the_control_plane(
    connected: CommandLine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    own = RunningPlatform(tmp_path_factory.mktemp("restarted"))
    try:
        member = own.bootstrap("ada@example.com")
        connected.variables |= {"API_ENDPOINT": f"{own.url}/v1"}
        login = Login(connected)
        own.stop()
        own.start()
        decide(own, member, login.url, "approve")
        code, out, err = login.end()
        assert code == 0, out + err
    finally:
        own.close()


def test_in_a_terminal_a_spinner_turns(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(
            connected.arguments("x")[0],
            connected.arguments("auth", "login", "--no-browser"),
            {**connected.variables, "TERM": "xterm-256color"},
        )
    seen = b""

    def read() -> bool:
        nonlocal seen
        seen += os.read(terminal, 4096)
        return b"Waiting for your answer" in seen

    poll(read)
    url = seen.decode().split("\r\n")[2].strip()
    decide(platform, member, url, "approve")
    try:
        while True:
            seen += os.read(terminal, 4096)
    except OSError:  # the program has ended
        pass
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, seen
    assert b"Signed in to Acme Research" in seen
    assert b"\x1b[?25h" in seen  # the cursor is there again


def test_the_browser_is_opened_unless_forbidden(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    """BROWSER is a program that approves nothing and writes down what it was to open."""
    opened = connected.home / "opened"
    browser = connected.home / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o700)
    process = connected.start("auth", "login", BROWSER=f"{browser} %s")
    poll(lambda: opened.exists() and opened.read_text())
    decide(platform, member, opened.read_text().strip(), "approve")
    assert process.wait(60) == 0


@pytest.mark.parametrize("way", ["nobody", "other", "limit"])
def test_a_control_plane_that_does_not_help_is_named(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult, way: str
) -> None:
    if way == "nobody":
        endpoint, code = "http://127.0.0.1:1/v1", "server.connect"
    elif way == "other":
        endpoint, code = f"{platform.url}/no-such-place/v1", "server.intercepted"
    else:
        endpoint, code = f"{platform.url}/v1", "rate_limited"
        for _ in range(10):
            httpx.post(f"{platform.url}/v1/auth/request", json={})
    done = connected("auth", "login", "--no-browser", "--json", API_ENDPOINT=endpoint)
    assert done.code == 1
    error = done.json["error"]
    assert error["code"] == code
    assert error["message"]
    assert error["actions"]


def test_a_logout_revokes_and_forgets(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    logged_in(connected, platform, member)
    token = token_in_use(connected)
    done = connected("auth", "logout")
    assert (done.code, done.out) == (0, "Signed out of Acme Research\n")
    assert not is_accepted(platform, token)
    assert is_accepted(platform, member.token)
    assert stored(connected) == ""
    again = connected("auth", "logout")
    assert (again.code, again.out) == (0, "You were not signed in\n")


def test_a_logout_without_a_network_forgets_and_warns(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    connected.variables["API_ENDPOINT"] = f"{platform.url}/v1"
    logged_in(connected, platform, member)
    token = token_in_use(connected)
    down = f"{platform.url}/v1/"  # the same control plane; the way there is a proxy that is not there
    done = connected("auth", "logout", "--json", API_ENDPOINT=down, CONFIG_DIR=str(connected.home / "elsewhere"))
    assert done.json["data"] == {"signed_out": [], "revoked": 0, "forgotten": False}
    broken = connected("auth", "logout", API_ENDPOINT="http://127.0.0.1:1/v1")
    assert broken.code == 0
    assert "sign this machine out on its Auth Token page" in " ".join(broken.err.split())
    assert stored(connected) == ""
    assert is_accepted(platform, token)


def test_a_pasted_token_is_forgotten_and_stays_good(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    connected("auth", "set-token", member.token)
    done = connected("auth", "logout")
    assert done.code == 0
    assert "stays good" in done.out
    assert member.token not in done.out
    assert stored(connected) == ""
    assert is_accepted(platform, member.token)


def test_a_second_login_to_a_workspace_replaces_the_first(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    logged_in(connected, platform, member)
    first = token_in_use(connected)
    logged_in(connected, platform, member)
    second = token_in_use(connected)
    assert first != second
    assert (is_accepted(platform, first), is_accepted(platform, second)) == (False, True)


def test_a_variable_that_outranks_the_login_is_named(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    login = Login(connected, LOCALSTACK_AUTH_TOKEN=member.token)
    decide(platform, member, login.url, "approve")
    code, _, err = login.end()
    assert code == 0
    assert "LOCALSTACK_AUTH_TOKEN is set and outranks the stored token" in err


def test_tokens_are_in_the_keyring_where_there_is_one(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    connected.variables |= KEYRING
    out = logged_in(connected, platform, member, "--admin")
    assert "in the keyring" in out
    token = token_in_use(connected)
    kept = stored(connected)
    assert "Acme Research" in kept
    assert token not in kept
    assert "lsadm_" not in kept
    assert sorted(path.name for path in (connected.home / ".localstack").iterdir()) == ["cloudlet.json"]
    status = connected("auth", "status", "--json").json["data"]
    assert (status["source"], status["valid"]) == ("the keyring", True)
    assert connected("auth", "logout").code == 0
    assert connected("auth", "show-token").code == 1
    assert stored(connected) == ""
    assert not is_accepted(platform, token)


def test_a_pasted_token_goes_into_the_keyring_and_the_peers_file_outranks_it(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    connected.variables |= KEYRING
    folder = connected.home / ".localstack"
    assert connected("auth", "set-token", member.token).out == "Token configured successfully\n"
    assert not (folder / "auth.json").exists()
    assert token_in_use(connected) == member.token
    other = platform.bootstrap("other-" + member.email).token
    (folder / "auth.json").write_text(json.dumps({"LOCALSTACK_AUTH_TOKEN": other}))
    assert token_in_use(connected) == other
    assert connected("auth", "clear-token").out == "Token removed\n"
    assert connected("auth", "show-token").code == 1


LOCKED = """
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class Locked(KeyringBackend):
    priority = 5

    def get_password(self, service, username):
        raise KeyringLocked("the collection is locked")

    set_password = delete_password = lambda self, *words: self.get_password(*words[:2])
"""


def test_a_keyring_that_does_not_open_is_named_and_can_be_left_out(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    connected("auth", "set-token", member.token, **KEYRING)
    (connected.home / "locked_keyring.py").write_text(LOCKED)
    connected.variables |= KEYRING | {
        "PYTHONPATH": str(connected.home),
        "PYTHON_KEYRING_BACKEND": "locked_keyring.Locked",
    }
    done = connected("auth", "show-token", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "keyring.unusable")
    assert "the collection is locked" in done.json["error"]["message"]
    assert connected("auth", "set-token", member.token).code == 0  # into the file, as there is nothing else
    assert token_in_use(connected) == member.token
    assert (connected.home / ".localstack/auth.json").exists()
