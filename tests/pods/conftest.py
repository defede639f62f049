"""Licensed emulators, with hands on their pods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.activation.running import licensed as on_volume
from tests.conftest import RunningEmulator

Licensed = Callable[..., "Pods"]


class Pods:
    """An emulator whose license opens Cloud Pods."""

    def __init__(self, running: RunningEmulator) -> None:
        self.running = running
        self.client = running.client

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return httpx.request(method, f"{self.running.url}/_localstack/pods{path}", timeout=60, **options)

    def events(self, method: str, path: str, **options: Any) -> list[dict[str, Any]]:
        """The lines of an answer; the last one is the completion."""
        answer = self.request(method, path, **options)
        assert answer.status_code == 200, answer.text
        lines = [orjson.loads(line) for line in answer.content.splitlines()]
        assert [line["event"] for line in lines[:-1]] == ["service"] * (len(lines) - 1)
        assert lines[-1]["event"] == "completion"
        return lines

    def imported(self, **options: Any) -> list[str]:
        """The services of a file that was loaded."""
        answer = self.request("POST", "", **options)
        assert answer.status_code == 201, answer.text
        lines = [orjson.loads(line) for line in answer.content.splitlines()]
        assert {(line["event"], line["operation"], line["status"]) for line in lines} == {("service", "load", "ok")}
        return [line["service"] for line in lines]

    def done(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The completion of what went well."""
        last = self.events(method, path, **options)[-1]
        assert last["status"] == "ok", last
        info: dict[str, Any] = last["info"]
        return info


@pytest.fixture
def licensed(tmp_path: Path) -> Iterator[Licensed]:
    """`licensed("a", ent={…})`: one volume a name."""
    started: list[RunningEmulator] = []

    def start(volume: str = "volume", ent: Any = None, **variables: str) -> Pods:
        place = tmp_path / volume
        changes = {} if ent is None else {"ent": ent}
        running = RunningEmulator(tmp_path / f"log{len(started)}", **on_volume(place, **changes), **variables)
        started.append(running)
        return Pods(running)

    yield start
    for running in started:
        running.process.kill()
        running.process.wait()
