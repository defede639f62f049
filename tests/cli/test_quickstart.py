"""`cloudlet quickstart`: the first run, the second, and how it ends. Real servers, an empty home directory."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import urllib.request

import pytest

from tests.cli.conftest import CommandLine, poll

pytestmark = pytest.mark.timeout(180)


def read_until(process: subprocess.Popen[str], wanted: str) -> str:
    """What it printed up to and with the line that holds `wanted`; its end fails the test."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if wanted in line:
            return text
    raise AssertionError(f"it ended without {wanted!r}:\n{text}")


def info(cloudlet: CommandLine) -> dict[str, object]:
    with urllib.request.urlopen(f"{cloudlet.url}/_localstack/info", timeout=5) as response:
        found: dict[str, object] = json.load(response)
        return found


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_twice_from_an_empty_home_to_an_activated_emulator(cloudlet: CommandLine, number: signal.Signals) -> None:
    first = cloudlet.start("quickstart")
    printed = read_until(first, "Stop: Ctrl-C")
    assert "made" in printed
    assert "activated" in printed
    assert f"Endpoint          {cloudlet.url}" in printed
    assert [line for line in printed.splitlines() if len(line) > 80 and "/sign-in/" not in line] == []
    found = info(cloudlet)
    assert (found["edition"], found["is_license_activated"]) == ("pro", True)

    link = re.search(r"Sign in \(once\)\s+(\S+)", printed)
    assert link is not None
    assert link[1].startswith(cloudlet.web_url)
    stored = cloudlet("auth", "show-token", "--plain").out.strip()
    assert stored.startswith("ls-")
    assert stored not in printed
    assert stored not in cloudlet.file("logs", "control").read_text()

    first.send_signal(number)
    assert first.wait(30) == 0
    assert is_free(cloudlet.port)
    assert is_free(cloudlet.web_port)

    second = cloudlet.start("quickstart")
    printed = read_until(second, "Stop: Ctrl-C")
    assert "found" in printed
    assert cloudlet("auth", "show-token", "--plain").out.strip() == stored
    assert info(cloudlet)["is_license_activated"] is True
    assert cloudlet("stop").code == 0
    assert second.wait(30) == 0
    assert is_free(cloudlet.web_port)


def test_json_says_all_of_it_in_one_document(cloudlet: CommandLine) -> None:
    process = cloudlet.start("quickstart", "--json")
    text = read_until(process, '"error": null')
    document = json.loads(text + "}")
    assert document["data"]["endpoint"] == cloudlet.url
    assert document["data"]["is_license_activated"] is True
    assert document["data"]["token"].endswith("****")


@pytest.mark.parametrize(("which", "variable"), [("port", "GATEWAY_LISTEN"), ("web_port", "PLATFORM_LISTEN")])
def test_a_taken_port_is_one_sentence_and_leaves_nothing_behind(
    cloudlet: CommandLine, which: str, variable: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", getattr(cloudlet, which)))
        taken.listen()
        shown = cloudlet("quickstart")
    assert shown.code == 1
    assert f"Port {getattr(cloudlet, which)}, where the " in shown.err
    assert f"{variable}=127.0.0.1:" in shown.err
    assert "Traceback" not in shown.err
    assert is_free(cloudlet.port)
    assert is_free(cloudlet.web_port)


def test_a_second_quickstart_says_that_one_runs(cloudlet: CommandLine) -> None:
    first = cloudlet.start("quickstart")
    read_until(first, "Stop: Ctrl-C")
    shown = cloudlet("quickstart")
    assert shown.code == 1
    assert "A quickstart runs already" in shown.err
    assert info(cloudlet)["is_license_activated"] is True


@pytest.mark.parametrize("name", ["emulator", "control"])
def test_a_child_that_dies_is_reported_and_the_other_stops(cloudlet: CommandLine, name: str) -> None:
    process = cloudlet.start("quickstart")
    read_until(process, "Stop: Ctrl-C")
    record = json.loads(cloudlet.file("run", name).read_text())
    subprocess.run(["kill", "-KILL", str(record["pid"])], check=True)
    assert process.wait(30) == 1
    assert process.stdout is not None
    rest = process.stdout.read()
    assert "ended with exit code -9" in rest
    assert cloudlet.file("logs", name).name in rest
    poll(lambda: is_free(cloudlet.port) and is_free(cloudlet.web_port))


def test_a_token_of_another_control_plane_is_left_alone(cloudlet: CommandLine) -> None:
    path = cloudlet.home / ".localstack"
    path.mkdir()
    (path / "auth.json").write_text(json.dumps({"LOCALSTACK_AUTH_TOKEN": "ls-other"}))
    process = cloudlet.start("quickstart", LOCALSTACK_API_KEY="something-else")
    printed = read_until(process, "Stop: Ctrl-C")
    assert "holds another token" in printed
    assert info(cloudlet)["is_license_activated"] is True
    assert json.loads((path / "auth.json").read_text()) == {"LOCALSTACK_AUTH_TOKEN": "ls-other"}
