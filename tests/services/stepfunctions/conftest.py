"""State machines of the tests."""

from __future__ import annotations

import itertools
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config

from tests.conftest import RunningEmulator

ROLE = "arn:aws:iam::000000000000:role/states"
LIMIT_SECONDS = 60
NUMBERS = itertools.count(1)
ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


class Machines:
    """Makes state machines and runs them."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def make(self, definition: dict[str, Any], **options: Any) -> str:
        """The ARN of a new machine. `definition` is a whole one, or its states (the first one starts)."""
        if "States" not in definition:
            definition = {"StartAt": next(iter(definition)), "States": definition}
        name = options.pop("name", f"machine-{next(NUMBERS)}-{time.monotonic_ns()}")
        answer = self.client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE, **options)
        arn: str = answer["stateMachineArn"]
        return arn

    def start(self, arn: str, given: Any = None, **options: Any) -> str:
        """The ARN of a new execution."""
        answer = self.client.start_execution(
            stateMachineArn=arn, input=json.dumps({} if given is None else given), **options
        )
        execution: str = answer["executionArn"]
        return execution

    def ended(self, execution: str) -> dict[str, Any]:
        """The execution when it is over."""
        found: dict[str, Any] = self.until(lambda: self.over(execution))
        return found

    def over(self, execution: str) -> dict[str, Any] | None:
        found: dict[str, Any] = self.client.describe_execution(executionArn=execution)
        return found if found["status"] in ENDED else None

    def until(self, condition: Callable[[], Any]) -> Any:
        """What the condition gives once it gives something."""
        end = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError("nothing came in time")

    def run(self, definition: dict[str, Any], given: Any = None, **options: Any) -> dict[str, Any]:
        """The execution of a new machine, when it is over."""
        return self.ended(self.start(self.make(definition, **options), given))

    def output(self, definition: dict[str, Any], given: Any = None) -> Any:
        """The output of a new machine, which has to succeed."""
        ended = self.run(definition, given)
        assert ended["status"] == "SUCCEEDED", ended
        return json.loads(ended["output"])

    def failure(self, definition: dict[str, Any], given: Any = None) -> tuple[str | None, str | None]:
        """Error and cause of a new machine, which has to fail."""
        ended = self.run(definition, given)
        assert ended["status"] == "FAILED", ended
        return ended.get("error"), ended.get("cause")

    def events(self, execution: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get_execution_history(executionArn=execution)["events"]
        return found

    def types(self, execution: str) -> list[str]:
        return [event["type"] for event in self.events(execution)]


@pytest.fixture
def client(emulator: RunningEmulator) -> Any:
    return emulator.client("stepfunctions", config=Config(inject_host_prefix=False))


@pytest.fixture
def machines(client: Any) -> Machines:
    return Machines(client)


@pytest.fixture
def sqs(emulator: RunningEmulator) -> Iterator[Any]:
    return emulator.client("sqs")  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """An emulator of the module's own, whose clock stands still until somebody moves it."""
    running = RunningEmulator(tmp_path_factory.mktemp("timed") / "output.log")
    post(running, "freeze", {})
    yield running
    running.stop()


def advance(emulator: RunningEmulator, seconds: float) -> None:
    """Let time pass; what falls due has run when this returns."""
    post(emulator, "advance", {"seconds": seconds})


def post(emulator: RunningEmulator, action: str, content: dict[str, Any]) -> None:
    body = json.dumps(content).encode()
    request = urllib.request.Request(f"{emulator.url}/_cloudlet/clock/{action}", body, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200
