"""Publishing to many queues is one transaction: a killed emulator has told all of them, or none."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.conftest import RunningEmulator

QUEUES = 12
ROUNDS = 6


def publish_until_it_dies(sns: Any, topic: str, acknowledged: list[str]) -> None:
    number = 0
    while True:
        text = f"{threading.get_ident()}-{number}"
        try:
            sns.publish(TopicArn=topic, Message=text)
        except (BotoCoreError, ClientError):
            return
        acknowledged.append(text)
        number += 1


def test_all_queues_get_a_message_or_none_does(start_emulator: Callable[..., RunningEmulator]) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    sns, sqs = emulator.client("sns"), emulator.client("sqs")
    topic = sns.create_topic(Name="all-or-none")["TopicArn"]
    urls = []
    for number in range(QUEUES):
        urls.append(sqs.create_queue(QueueName=f"q{number}")["QueueUrl"])
        arn = f"arn:aws:sqs:us-east-1:000000000000:q{number}"
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    for turn in range(ROUNDS):
        acknowledged: list[str] = []
        writer = threading.Thread(target=publish_until_it_dies, args=(sns, topic, acknowledged))
        writer.start()
        assert emulator.wait_until(lambda: len(acknowledged) > 3)  # noqa: B023  the thread ends in this turn
        time.sleep(0.0007 * turn)  # where in a publish the kill falls
        emulator.kill()
        writer.join()
        emulator.restart()
        found = [drain(sqs, url) for url in urls]
        assert all(texts == found[0] for texts in found)
        assert found[0].issuperset(acknowledged)
        assert len(found[0]) <= len(acknowledged) + 1


def drain(sqs: Any, url: str) -> set[str]:
    texts: set[str] = set()
    while True:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        if not messages:
            return texts
        texts |= {json.loads(message["Body"])["Message"] for message in messages}
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)
