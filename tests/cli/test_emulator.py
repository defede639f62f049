"""start, status, wait, logs, restart, stop: with a real emulator."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine, poll
from tests.conftest import free_port


@pytest.fixture
def cloudlet(cloudlet: CommandLine) -> CommandLine:
    """Without a license: these tests are about the process."""
    cloudlet.variables["ACTIVATE_PRO"] = "0"
    return cloudlet


def answers(cloudlet: CommandLine) -> bool:
    try:
        with urllib.request.urlopen(f"{cloudlet.url}/_localstack/health", timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def test_from_start_to_stop_in_the_background(cloudlet: CommandLine) -> None:
    assert cloudlet("status").code == 1
    started = cloudlet("start", "-d", "--json")
    assert started.code == 0, started.out + started.err
    assert started.json["data"]["url"] == cloudlet.url
    assert answers(cloudlet)

    status = cloudlet("status", "-f", "json").json
    assert status["running"] is True
    assert status["pid"] == started.json["data"]["pid"]
    assert status["edition"] == "community"
    assert cloudlet("status").out.splitlines()[0].split() == ["running", "yes"]
    services = cloudlet("status", "services", "--format=json").json
    assert services["s3"] in ("available", "running")

    assert cloudlet("wait", "-t", "5").code == 0
    assert "Ready.\n" in cloudlet("logs").out
    assert cloudlet("logs", "-n", "1").out.count("\n") == 1

    restarted = cloudlet("restart", "--json")
    assert restarted.code == 0, restarted.out + restarted.err
    assert cloudlet("status", "-f", "json").json["pid"] != status["pid"]

    assert cloudlet("stop").out == f"Stopped {cloudlet.url}\n"
    assert not answers(cloudlet)
    assert cloudlet("stop").code == 1


def test_a_second_start_says_that_it_runs_already(cloudlet: CommandLine) -> None:
    assert cloudlet("start", "-d").code == 0
    second = cloudlet("start", "-d")
    assert second.code == 1
    assert f"The emulator runs already at {cloudlet.url}" in second.err


def test_two_run_beside_each_other_and_stop_by_their_ports(cloudlet: CommandLine) -> None:
    listen = f"127.0.0.1:{free_port()}"
    assert cloudlet("start", "-d").code == 0
    assert cloudlet("start", "-d", GATEWAY_LISTEN=listen).code == 0
    first = cloudlet("status", "--json").json["data"]
    second = cloudlet("status", "--json", GATEWAY_LISTEN=listen).json["data"]
    assert first["pid"] != second["pid"]
    assert cloudlet("stop", GATEWAY_LISTEN=listen).out == f"Stopped http://{listen}\n"
    assert answers(cloudlet)


def test_a_taken_port_is_one_sentence(cloudlet: CommandLine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", cloudlet.port))
        taken.listen()
        for words in (("start",), ("start", "-d"), ("restart",)):
            shown = cloudlet(*words)
            assert shown.code == 1
            assert f"Port {cloudlet.port}, where the emulator would listen, is taken" in shown.err
            assert "GATEWAY_LISTEN=127.0.0.1:" in shown.err
            assert "Traceback" not in shown.err
        if Path("/proc/net/tcp").exists():
            assert "(process " in cloudlet("start").err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_a_signal_ends_it_with_0(cloudlet: CommandLine, number: signal.Signals) -> None:
    process = cloudlet.start("start")
    poll(lambda: answers(cloudlet))
    assert cloudlet("status", "-f", "json").json["pid"] == process.pid
    process.send_signal(number)
    assert process.wait(20) == 0
    assert process.stdout is not None
    text = process.stdout.read()
    assert "Ready.\n" in text
    assert "Traceback" not in text
    assert cloudlet("status").code == 1


def test_stop_ends_one_in_the_foreground(cloudlet: CommandLine) -> None:
    process = cloudlet.start("start", "--no-banner")
    poll(lambda: answers(cloudlet))
    assert cloudlet("stop").code == 0
    assert process.wait(20) == 0


def test_stop_asks_an_emulator_that_it_did_not_start(cloudlet: CommandLine) -> None:
    process = cloudlet.start("start")
    poll(lambda: answers(cloudlet))
    cloudlet.file("run", "emulator").unlink()
    assert cloudlet("stop").code == 0
    assert process.wait(20) == 0


def test_a_file_of_a_dead_process_is_no_running_emulator(cloudlet: CommandLine) -> None:
    process = cloudlet.start("start")
    poll(lambda: answers(cloudlet))
    process.kill()
    process.wait()
    assert cloudlet("status", "-f", "json").json["pid"] is None
    assert cloudlet("start", "-d").code == 0


def test_waiting_too_long_ends_with_124(cloudlet: CommandLine) -> None:
    shown = cloudlet("wait", "-t", "0.2")
    assert shown.code == 124
    assert "No emulator answered" in shown.err


def test_variables_of_the_command_line_reach_the_emulator(cloudlet: CommandLine) -> None:
    assert cloudlet("start", "-d", "-e", "SERVICES=sqs").code == 0
    services = cloudlet("status", "services", "--json").json["data"]
    assert services["sqs"] == "available"
    assert services.get("s3") == "disabled"
    assert cloudlet("start", "-e", "nonsense").code == 2


def test_an_emulator_that_cannot_start_is_told_with_its_last_lines(cloudlet: CommandLine) -> None:
    shown = cloudlet("start", "-d", PERSISTENCE="1", LOCALSTACK_VOLUME_DIR="/dev/null")
    assert shown.code == 1
    assert "before it was ready" in shown.err
    assert "/dev/null" in shown.err


def test_a_license_that_is_demanded_and_missing_ends_with_55(cloudlet: CommandLine) -> None:
    for words in (("start",), ("start", "-d")):
        shown = cloudlet(*words, ACTIVATE_PRO="1")
        assert shown.code == 55
        assert "License activation failed" in shown.out + shown.err


def test_the_stored_token_is_handed_to_the_emulator(cloudlet: CommandLine) -> None:
    path = cloudlet.home / ".localstack"
    path.mkdir()
    (path / "auth.json").write_text(json.dumps({"LOCALSTACK_AUTH_TOKEN": "ls-not-a-token"}))
    del cloudlet.variables["ACTIVATE_PRO"]
    shown = cloudlet("start", "-d")
    assert shown.code == 55
    assert "does not look like an auth token" in shown.err


def test_logs_without_a_log_say_how_to_get_one(cloudlet: CommandLine) -> None:
    shown = cloudlet("logs")
    assert shown.code == 1
    assert "cloudlet start -d" in shown.err


def test_a_followed_log_goes_on(cloudlet: CommandLine) -> None:
    assert cloudlet("start", "-d").code == 0
    follower = cloudlet.start("logs", "-f")
    assert follower.stdout is not None
    assert "Ready.\n" in iter(follower.stdout.readline, "")
    log = cloudlet.file("logs", "emulator")
    with log.open("a") as file:
        file.write("one more line\n")
    assert "one more line\n" in iter(follower.stdout.readline, "")
    follower.send_signal(signal.SIGINT)
    assert follower.wait(10) == 130
