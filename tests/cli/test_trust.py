"""`cloudlet trust`: where the authority is, and the system's store, played by a folder and a script of the test."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from cloudlet.cli.context import Failed
from cloudlet.cli.trust import NAME, STORES, SystemStore, authority_file, change, explanation, find_store
from tests.conftest import RunningEmulator


def volume_of(cloudlet: Any) -> Path:
    return Path(cloudlet.home, "volume")


@pytest.fixture(name="cloudlet")
def with_a_volume(cloudlet: Any) -> Any:
    cloudlet.variables["LOCALSTACK_VOLUME_DIR"] = str(volume_of(cloudlet))
    return cloudlet


@pytest.fixture
def store(tmp_path: Path) -> SystemStore:
    """A folder, and a tool that writes down how it was called."""
    tool = tmp_path / "tool"
    tool.write_text('#!/bin/sh\necho "$@" >> "$0.log"\n')
    tool.chmod(0o755)
    return SystemStore(str(tmp_path / "anchors"), ".crt", (str(tool), "add"), (str(tool), "remove"))


def test_it_says_where_the_authority_is_and_changes_nothing(cloudlet: Any) -> None:
    done = cloudlet("trust")
    certificate = volume_of(cloudlet) / "tls" / "ca.pem"
    assert done.code == 0
    assert str(certificate) in done.out
    assert "cloudlet trust --env" in done.out
    assert certificate.read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert (certificate.parent / "ca.key").stat().st_mode & 0o077 == 0
    assert cloudlet("trust", "--json").json["data"]["certificate"] == str(certificate)


def test_the_shell_lines_can_be_evaluated(cloudlet: Any) -> None:
    lines = cloudlet("trust", "--env").out
    shown = subprocess.run(
        ["sh", "-c", f'{lines}\necho "$AWS_CA_BUNDLE"'], capture_output=True, text=True, check=True, env={}
    )
    assert shown.stdout.strip() == str(volume_of(cloudlet) / "tls" / "ca.pem")


def test_a_client_that_trusts_it_reaches_the_emulator_by_tls(
    start_emulator: Callable[..., RunningEmulator], tmp_path: Path
) -> None:
    certificate = authority_file(tmp_path)
    emulator = start_emulator(LOCALSTACK_VOLUME_DIR=str(tmp_path))
    trusting = ssl.create_default_context(cafile=str(certificate))
    url = emulator.url.replace("http://127.0.0.1", "https://localhost")
    with urlopen(f"{url}/_localstack/health", context=trusting) as answer:
        assert answer.status == 200


def test_installing_and_removing(store: SystemStore, tmp_path: Path) -> None:
    certificate = authority_file(tmp_path)
    placed = tmp_path / "anchors" / f"{NAME}.crt"
    change(store, certificate, install=True)
    assert placed.read_bytes() == certificate.read_bytes()
    change(store, certificate, install=False)
    assert not placed.exists()
    assert (tmp_path / "tool.log").read_text().split() == ["add", "remove"]
    change(store, certificate, install=False)


def test_what_the_tool_says_is_told(tmp_path: Path) -> None:
    store = SystemStore("", "", ("sh", "-c", "echo no such token >&2; exit 3", "{}"), ("true",))
    with pytest.raises(Failed) as failed:
        change(store, tmp_path / "ca.pem", install=True)
    assert failed.value.code == "trust.store"
    assert failed.value.details == "no such token"


def test_without_a_tool_it_says_what_else_to_do(cloudlet: Any) -> None:
    assert find_store("Linux", (SystemStore("", "", ("no-such-tool",), ("no-such-tool",)),)) is None
    with pytest.raises(Failed, match="No tool of a system store"):
        change(None, Path("ca.pem"), install=True)
    assert "no tool of such a store" in explanation(None, Path("ca.pem"))


def test_every_system_has_its_store() -> None:
    assert find_store("Darwin") is not None
    assert find_store("Windows") is not None
    assert {store.add[0] for store in STORES} == {"update-ca-certificates", "update-ca-trust", "trust"}


def test_the_options_exclude_each_other(cloudlet: Any) -> None:
    done = cloudlet("trust", "--env", "--install")
    assert done.code == 2
    assert "exclude each other" in done.err


def test_a_volume_that_cannot_be_written_is_told(cloudlet: Any) -> None:
    volume_of(cloudlet).write_text("a file")
    done = cloudlet("trust")
    assert done.code == 1
    assert "cannot be read or made" in done.err
