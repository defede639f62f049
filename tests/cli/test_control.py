"""The control plane by hand: start, bootstrap, set the token, start the emulator."""

from __future__ import annotations

import re
import socket
import urllib.request
from collections.abc import Iterator

import pytest

from tests.cli.conftest import CommandLine, poll

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def control_plane(cloudlet: CommandLine) -> Iterator[CommandLine]:
    process = cloudlet.start("control", "start")

    def answers() -> bool:
        assert process.poll() is None, process.stdout and process.stdout.read()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", cloudlet.web_port)) == 0

    poll(answers)
    yield cloudlet
    process.terminate()
    assert process.wait(20) == 0


def test_from_bootstrap_to_an_activated_emulator(control_plane: CommandLine) -> None:
    cloudlet = control_plane
    shown = cloudlet("admin", "bootstrap", "--email", "me@example.com", "--workspace", "Mine", "--show-token", "--json")
    assert shown.code == 0, shown.err
    data = shown.json["data"]
    assert (data["created"], data["email"], data["workspace"], data["plan"]) == (
        True,
        "me@example.com",
        "Mine",
        "trial",
    )
    with urllib.request.urlopen(data["sign_in_link"], timeout=10) as response:
        assert response.status == 200

    assert cloudlet("auth", "set-token", data["token"]).code == 0
    started = cloudlet("start", "-d", "--json")
    assert started.code == 0, started.out
    assert started.json["data"]["edition"] == "pro"
    assert started.json["data"]["is_license_activated"] is True
    assert re.search("Successfully .*activated .*license .*:trial", cloudlet("logs").out)
    assert data["token"] not in cloudlet("logs").out

    again = cloudlet("admin", "bootstrap", "--email", "me@example.com", "--json").json["data"]
    assert again["created"] is False
    assert again["token"].endswith("****")
    assert again["sign_in_link"] != data["sign_in_link"]


def test_a_token_that_the_control_plane_does_not_know_ends_with_55(control_plane: CommandLine) -> None:
    from_another = CommandLine(control_plane.home / "another")
    token = from_another("admin", "bootstrap", "--show-token", "--json").json["data"]["token"]
    shown = control_plane("start", "-d", LOCALSTACK_AUTH_TOKEN=token)
    assert shown.code == 55
    assert "credentials.invalid" in shown.err


def test_without_a_control_plane_a_licensed_start_says_so(cloudlet: CommandLine) -> None:
    token = cloudlet("admin", "bootstrap", "--show-token", "--json").json["data"]["token"]
    shown = cloudlet("start", "-d", LOCALSTACK_AUTH_TOKEN=token, LICENSE_TIMEOUT="2")
    assert shown.code == 55
    assert "server.connect" in shown.err
    assert cloudlet("start", "-d", LOCALSTACK_AUTH_TOKEN=token, ACTIVATE_PRO="0").code == 0


def test_a_taken_port_is_one_sentence(control_plane: CommandLine) -> None:
    shown = control_plane("control", "start")
    assert shown.code == 1
    assert f"Port {control_plane.web_port}, where the control plane would listen, is taken" in shown.err
