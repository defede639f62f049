"""An emulator with a clock that a test moves, and queues to look into."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.request import Request, urlopen

from tests.conftest import RunningEmulator

ROLE = "arn:aws:iam::000000000000:role/scheduler"
BASE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC).timestamp()
YEARS_ON = datetime(2096, 3, 1, 12, 0, tzinfo=UTC).timestamp()  # a restarted emulator begins with the machine's time


class Timed:
    """An emulator with a clock that stands still until it is moved."""

    def __init__(self, emulator: RunningEmulator, base: float = BASE) -> None:
        self.emulator = emulator
        self.client = emulator.client
        self.post("freeze", {"epoch": base})

    def post(self, verb: str, body: dict[str, Any]) -> None:
        request = Request(f"{self.emulator.url}/_cloudlet/clock/{verb}", json.dumps(body).encode(), method="POST")
        with urlopen(request, timeout=60) as answer:
            answer.read()

    def advance(self, seconds: float) -> None:
        """Let time pass; what falls due has run when this returns."""
        self.post("advance", {"seconds": seconds})

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """URL and ARN of a new queue."""
        sqs = self.client("sqs")
        kept = {"MessageRetentionPeriod": "1209600"}  # the tests let days pass
        url = sqs.create_queue(QueueName=name, Attributes=kept | attributes)["QueueUrl"]
        return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def messages(self, url: str) -> list[dict[str, Any]]:
        """All messages that are there now, taken out."""
        sqs = self.client("sqs")
        found: list[dict[str, Any]] = []
        while True:
            answer = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
            ).get("Messages", [])
            if not answer:
                return found
            entries = [{"Id": str(at), "ReceiptHandle": message["ReceiptHandle"]} for at, message in enumerate(answer)]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)
            found += answer

    def bodies(self, url: str) -> list[str]:
        return [message["Body"] for message in self.messages(url)]

    def schedule(
        self, name: str, expression: str, arn: str, target: dict[str, Any] | None = None, **members: Any
    ) -> str:
        """Create one; its ARN."""
        made: str = self.client("scheduler").create_schedule(
            Name=name,
            ScheduleExpression=expression,
            Target={"Arn": arn, "RoleArn": ROLE, "Input": name, **(target or {})},
            **{"FlexibleTimeWindow": {"Mode": "OFF"}, **members},
        )["ScheduleArn"]
        return made
