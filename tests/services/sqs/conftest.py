"""An emulator whose clock the tests of this folder stop and move."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import RunningEmulator


class FrozenTime:
    """SQS with a clock that moves only by `advance`."""

    def __init__(self, emulator: RunningEmulator) -> None:
        self.emulator = emulator
        self.sqs = emulator.client("sqs")
        self.now: float = self._clock("freeze", {"epoch": 1_800_000_000.0})["epoch"]

    def advance(self, seconds: float) -> None:
        self.now = self._clock("advance", {"seconds": seconds})["epoch"]

    def _clock(self, action: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.emulator.url}/_cloudlet/clock/{action}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            result: dict[str, Any] = json.load(answer)
            return result


@pytest.fixture(scope="session")
def frozen_time(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrozenTime]:
    running = RunningEmulator(
        tmp_path_factory.mktemp("frozen") / "output.log", SQS_DELAY_PURGE_RETRY="1", SQS_DELAY_RECENTLY_DELETED="1"
    )
    yield FrozenTime(running)
    running.stop()


@pytest.fixture
def sqs(client: Callable[..., Any]) -> Any:
    return client("sqs")


@pytest.fixture
def create_queue(sqs: Any, unique: Callable[..., str]) -> Callable[..., str]:
    """Makes a queue with a new name and these attributes; its URL."""

    def create(fifo: bool = False, **attributes: str) -> str:
        name = unique("queue")
        if fifo:
            name += ".fifo"
            attributes["FifoQueue"] = "true"
        url: str = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    return create


@pytest.fixture
def arn_of(sqs: Any) -> Callable[[str], str]:
    def arn(url: str) -> str:
        found: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return found

    return arn


@pytest.fixture
def counts(sqs: Any) -> Callable[[str], tuple[int, int, int]]:
    """How many messages are visible, in flight, delayed."""

    def count(url: str) -> tuple[int, int, int]:
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return (
            int(found["ApproximateNumberOfMessages"]),
            int(found["ApproximateNumberOfMessagesNotVisible"]),
            int(found["ApproximateNumberOfMessagesDelayed"]),
        )

    return count
