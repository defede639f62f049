from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from cloudlet.emulator.activation import machine as machines
from cloudlet.emulator.activation.machine import identify_machine
from cloudlet.license.effects import SYSTEM
from tests.activation.people import changed, settings_for


def test_the_system_is_name_release_and_architecture(tmp_path: Path) -> None:
    found = identify_machine(settings_for(tmp_path))
    assert re.fullmatch(r"\w+,[^,]+,\w+", found.system)
    assert found.is_docker is False


def test_a_container_is_known_as_one_and_by_the_same_id_each_time(tmp_path: Path) -> None:
    settings = changed(settings_for(tmp_path), in_container=True)
    found = identify_machine(settings)
    assert re.fullmatch(r"dkr_[0-9a-f]{12}", found.id)
    assert found.is_docker
    assert identify_machine(settings) == found


def test_a_machine_id_is_never_sent_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "machine-id"
    path.write_text("0123456789abcdef0123456789abcdef\n")
    monkeypatch.setattr(machines, "SYSTEM_IDS", (tmp_path / "gone", path))
    found = identify_machine(settings_for(tmp_path))
    assert re.fullmatch(r"sys_[0-9a-f]{12}", found.id)
    assert found.id[4:] not in path.read_text()


def test_without_any_id_one_is_made_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "SYSTEM_IDS", ())
    settings = settings_for(tmp_path)
    found = identify_machine(settings)
    assert re.fullmatch(r"gen_[0-9a-f]{12}", found.id)
    assert identify_machine(settings).id == found.id


def test_the_id_that_the_command_line_left_wins(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "machine.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"machine_id": "gen_aaaaaaaaaaaa"}))
    assert identify_machine(settings_for(tmp_path)).id == "gen_aaaaaaaaaaaa"
    path.write_text(json.dumps({"machine_id": "../../etc/passwd"}))
    assert identify_machine(settings_for(tmp_path)).id != "../../etc/passwd"


def test_starts_at_the_same_time_on_one_volume_are_one_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "SYSTEM_IDS", ())
    settings = settings_for(tmp_path)
    barrier = threading.Barrier(20)
    found: list[str] = []

    class Together:
        """Each start has looked for an id before any of them keeps one."""

        def __getattr__(self, name: str) -> Any:
            return getattr(SYSTEM, name)

        def random_bytes(self, count: int) -> bytes:
            barrier.wait(60)
            return SYSTEM.random_bytes(count)

    def start() -> None:
        found.append(identify_machine(settings, Together()).id)

    threads = [threading.Thread(target=start) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert set(found) == {identify_machine(settings).id}
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["machine.json"]


def test_what_is_no_id_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "SYSTEM_IDS", ())
    path = tmp_path / "cache" / "machine.json"
    path.parent.mkdir()
    path.write_text("{")
    found = identify_machine(settings_for(tmp_path)).id
    assert json.loads(path.read_text()) == {"machine_id": found}
