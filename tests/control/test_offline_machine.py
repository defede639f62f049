"""A machine without a network, from its request file to a started emulator: the real command line, page and emulator."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.conftest import RunningEmulator
from tests.control.browsing import CONTRAST, OpenPage, sign_in
from tests.control.serving import RunningPlatform

NOWHERE = "http://127.0.0.1:9/v1"  # nobody listens: whoever asks a server here gets no answer


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """On SQLite: what differs by database is tested without a browser."""
    running = RunningPlatform(tmp_path_factory.mktemp("control"))
    yield running
    running.close()


class OfflineMachine:
    """Its own home and volume, and no control plane that it could reach."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables = {
            "HOME": str(folder / "home"),
            "CONFIG_DIR": str(folder / "home" / "config"),
            "LOCALSTACK_VOLUME_DIR": str(folder / "volume"),
            "API_ENDPOINT": NOWHERE,
            "WEB_APP_URL": "http://127.0.0.1:9",
            "LOCALSTACK_AUTH_TOKEN": "",
            "PYTHONWARNINGS": "error",
        }
        (folder / "home").mkdir()

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cloudlet", *arguments],
            env={**os.environ, **self.variables, **variables},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def start(self, **variables: str) -> RunningEmulator:
        return RunningEmulator(self.folder / "emulator.log", **{"ACTIVATE_PRO": "1", **self.variables, **variables})


@pytest.fixture
def machine(tmp_path: Path) -> OfflineMachine:
    return OfflineMachine(tmp_path)


def test_from_the_request_file_to_an_emulator_without_a_network(
    platform: RunningPlatform, open_page: OpenPage, machine: OfflineMachine, email: str
) -> None:
    asked = machine.run("license", "request", "--out", "request.json")
    assert asked.returncode == 0, asked.stderr
    machine_id = json.loads((machine.folder / "request.json").read_text())["machine"]["id"]

    page = open_page(viewport={"width": 390, "height": 800})
    sign_in(page, platform.bootstrap(email, workspace="Acme"))
    page.goto("/workspace/offline")
    page.get_by_label("Request file").set_input_files(machine.folder / "request.json")
    page.get_by_label("Good for how many days").fill("7")
    page.get_by_label("Name (optional)").fill("Lab machine")
    page.get_by_role("button", name="Issue license file").click()
    expect(page.get_by_role("status")).to_contain_text("The license file is issued")
    expect(page.get_by_text("Lab machine")).to_be_visible()
    expect(page.get_by_text(machine_id)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(CONTRAST) == []
    with page.expect_download() as license_download:
        page.get_by_role("button", name="Download").click()
    license_download.value.save_as(machine.folder / "cloudlet.lic")
    with page.expect_download() as keys_download:
        page.get_by_role("link", name="license-keys.json").click()
    keys_download.value.save_as(machine.folder / "keys.json")

    refused = machine.run("license", "install", "cloudlet.lic")
    assert refused.returncode == 55, "its keys are not known yet"
    installed = machine.run("license", "install", "cloudlet.lic", "--trust-keys", "keys.json")
    assert installed.returncode == 0, installed.stderr
    shown = machine.run("license", "info", "-f", "json")
    assert shown.returncode == 0, shown.stderr

    for variables in ({}, {"LICENSE_FILE": str(machine.folder / "cloudlet.lic")}):
        emulator = machine.start(**variables)
        try:
            with urllib.request.urlopen(f"{emulator.url}/_localstack/info") as answer:
                info = json.load(answer)
            assert (info["is_license_activated"], info["machine_id"]) == (True, machine_id)
            assert re.search(r"Successfully activated license file \S+:trial", emulator.printed())
            assert emulator.client("mq", account="000000000000").list_brokers()["BrokerSummaries"] == []
        finally:
            emulator.stop()


def test_a_file_that_is_bound_to_a_token_wants_that_token(
    platform: RunningPlatform, machine: OfflineMachine, email: str
) -> None:
    member = platform.bootstrap(email, workspace="Acme")
    assert machine.run("license", "request", "--bind-token").returncode == 55
    asked = machine.run("license", "request", "--bind-token", LOCALSTACK_AUTH_TOKEN=member.token)
    assert asked.returncode == 0, asked.stderr
    request = (machine.folder / "license-request.json").read_bytes()
    assert member.token.encode() not in request
    with platform.client() as client:
        link = member.sign_in_link.removeprefix(platform.url)
        client.post(link, data={"_csrf_token": token_of(client.get(link).text)})
        page = client.get("/workspace/offline").text
        membership = re.search(r'<option value="(mem_\w+)"', page)
        assert membership
        answer = client.post(
            "/workspace/offline",
            data={"_csrf_token": token_of(page), "membership": membership[1], "days": "3"},
            files={"request": request},
        )
        file_id = answer.headers["location"].rpartition("=")[2]
        raw = client.post(f"/workspace/offline/{file_id}/download", data={"_csrf_token": token_of(page)}).content
        (machine.folder / "keys.json").write_bytes(client.get("/.well-known/license-keys.json").content)
    (machine.folder / "cloudlet.lic").write_bytes(raw)
    install = ("license", "install", "cloudlet.lic", "--trust-keys", "keys.json")
    refused = machine.run(*install)
    assert (refused.returncode, "belongs to another token" in refused.stderr) == (55, True)
    installed = machine.run(*install, LOCALSTACK_AUTH_TOKEN=member.token)
    assert installed.returncode == 0, installed.stderr
    emulator = machine.start(LOCALSTACK_AUTH_TOKEN=member.token)
    try:
        assert "Successfully activated license file" in emulator.printed()
    finally:
        emulator.stop()


def token_of(page: str) -> str:
    found = re.search(r'name="_csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]
