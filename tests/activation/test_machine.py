from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cloudlet.emulator.activation import machine as machines
from cloudlet.emulator.activation.machine import identify_machine
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
