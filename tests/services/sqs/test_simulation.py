"""Random work on a queue, step by step against a model of what SQS promises. The clock moves only when a step says so."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

STEPS = 250
VISIBILITY = 30
DEDUPLICATION = 300
RECEIVES_BEFORE_DEATH = 4  # of a standard queue's messages; which message a FIFO queue looks at first is not promised


class Sent:
    """What the model knows of one message."""

    def __init__(self, body: str, group: str, visible_at: float) -> None:
        self.body = body
        self.group = group
        self.visible_at = visible_at
        self.receives = 0
        self.handle = ""


class Model:
    """A queue as a list in the order of sending."""

    def __init__(self, fifo: bool) -> None:
        self.fifo = fifo
        self.now = 0.0
        self.live: list[Sent] = []
        self.dead: list[str] = []
        self.known: dict[str, float] = {}  # deduplication id -> until when

    def in_flight(self) -> list[Sent]:
        return [sent for sent in self.live if sent.receives and sent.visible_at > self.now]

    def receivable(self) -> list[Sent]:
        """What may be received now, in the order in which it has to come."""
        blocked: set[str] = set()  # an invisible message blocks those behind it in its group
        found = []
        for sent in self.live:
            if sent.visible_at <= self.now and sent.group not in blocked:
                found.append(sent)
            elif self.fifo:
                blocked.add(sent.group)
        return found

    def bury(self, limit: int) -> None:
        """The dead letters among what a receive of `limit` messages looks at."""
        if self.fifo:
            return
        receivable = sorted(self.receivable(), key=lambda sent: sent.visible_at)
        for sent in receivable:
            if not limit:
                break
            if sent.receives >= RECEIVES_BEFORE_DEATH:
                self.live.remove(sent)
                self.dead.append(sent.body)
            else:
                limit -= 1

    def counts(self) -> tuple[int, int, int]:
        in_flight = len(self.in_flight())
        delayed = sum(1 for sent in self.live if not sent.receives and sent.visible_at > self.now)
        return len(self.live) - in_flight - delayed, in_flight, delayed


class Simulation:
    def __init__(self, time: Any, url: str, model: Model, seed: int) -> None:
        self.time = time
        self.sqs = time.sqs
        self.url = url
        self.model = model
        self.random = random.Random(seed)
        self.sent = 0
        self.bodies = 0

    def run(self) -> None:
        steps = [self.send, self.send, self.send_again, self.receive, self.receive, self.delete, self.change, self.wait]
        for _ in range(STEPS):
            self.random.choice(steps)()
            assert self.counted() == self.model.counts()

    def counted(self) -> tuple[int, int, int]:
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        names = ("", "NotVisible", "Delayed")
        visible, in_flight, delayed = (int(found[f"ApproximateNumberOfMessages{name}"]) for name in names)
        return visible, in_flight, delayed

    def send(self) -> None:
        self.sent += 1
        body = f"m{self.sent}"
        if self.model.fifo:
            self.send_fifo(str(self.sent))
            return
        delay = self.random.choice((0, 0, 0, 7))
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body, DelaySeconds=delay)
        self.model.live.append(Sent(body, "", self.model.now + delay))

    def send_fifo(self, deduplication_id: str) -> None:
        self.bodies += 1
        body = f"m{self.bodies}"
        group = self.random.choice("abc")
        self.sqs.send_message(
            QueueUrl=self.url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=deduplication_id
        )
        if self.model.known.get(deduplication_id, 0.0) <= self.model.now:
            self.model.known[deduplication_id] = self.model.now + DEDUPLICATION
            self.model.live.append(Sent(body, group, self.model.now))

    def send_again(self) -> None:
        if self.model.fifo and self.sent:
            self.send_fifo(str(self.random.randint(1, self.sent)))

    def receive(self) -> None:
        limit = self.random.choice((1, 3, 10))
        self.model.bury(limit)
        expected = self.model.receivable()
        answer = self.sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=limit, AttributeNames=["ApproximateReceiveCount"]
        )
        messages = answer.get("Messages", [])
        received = {message["Body"]: message for message in messages}
        assert len(received) == len(messages) == min(limit, len(expected))
        assert set(received) <= {sent.body for sent in expected}
        for group in {sent.group for sent in expected} if self.model.fifo else ():
            in_order = [sent.body for sent in expected if sent.group == group]
            got = [message["Body"] for message in messages if message["Body"] in in_order]
            assert got == in_order[: len(got)], f"group {group} came out of order"
        for sent in expected:
            message = received.get(sent.body)
            if message is not None:
                sent.receives += 1
                sent.visible_at = self.model.now + VISIBILITY
                sent.handle = message["ReceiptHandle"]
                assert message["Attributes"]["ApproximateReceiveCount"] == str(sent.receives)

    def delete(self) -> None:
        found = self.model.in_flight()
        if found:
            sent = self.random.choice(found)
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=sent.handle)
            self.model.live.remove(sent)

    def change(self) -> None:
        found = self.model.in_flight()
        if found:
            sent = self.random.choice(found)
            timeout = self.random.choice((0, 5, 60))
            self.sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=sent.handle, VisibilityTimeout=timeout)
            sent.visible_at = self.model.now + timeout

    def wait(self) -> None:
        seconds = self.random.choice((1, 10, 31, 301))
        self.time.advance(seconds)
        self.model.now += seconds


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fifo", [False, True])
def test_a_queue_does_what_its_model_does(frozen_time: Any, unique: Callable[..., str], fifo: bool, seed: int) -> None:
    suffix = ".fifo" if fifo else ""
    kind = {"FifoQueue": "true"} if fifo else {}
    sqs = frozen_time.sqs
    dead = sqs.create_queue(QueueName=unique("dead") + suffix, Attributes=kind)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": {1000 if fifo else RECEIVES_BEFORE_DEATH}}}'
    url = sqs.create_queue(QueueName=unique("simulated") + suffix, Attributes={**kind, "RedrivePolicy": policy})[
        "QueueUrl"
    ]
    model = Model(fifo)
    Simulation(frozen_time, url, model, seed).run()
    found = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    assert int(found["ApproximateNumberOfMessages"]) == len(model.dead)
