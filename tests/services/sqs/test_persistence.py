"""What is left of queues and messages when the emulator is killed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.sqs.test_receiving import bodies


def test_acknowledged_messages_survive_a_kill(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    sqs = emulator.client("sqs")
    url = sqs.create_queue(QueueName="kept", Attributes={"VisibilityTimeout": "600"}, tags={"a": "b"})["QueueUrl"]
    fifo = sqs.create_queue(QueueName="kept.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for number in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    sqs.send_message(QueueUrl=fifo, MessageBody="first", MessageGroupId="g", MessageDeduplicationId="d")
    in_flight = sqs.receive_message(QueueUrl=url)["Messages"][0]
    emulator.kill()
    emulator.restart()
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "b"}
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["1", "2"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=in_flight["ReceiptHandle"])
    with pytest.raises(ClientError):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=in_flight["ReceiptHandle"], VisibilityTimeout=0)
    sqs.send_message(QueueUrl=fifo, MessageBody="again", MessageGroupId="g", MessageDeduplicationId="d")
    assert bodies(sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10)) == ["first"]


def test_a_purge_is_finished_after_a_kill(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    sqs = emulator.client("sqs")
    url = sqs.create_queue(QueueName="purged")["QueueUrl"]
    for _ in range(10):
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": "old"} for n in range(10)])
    sqs.purge_queue(QueueUrl=url)
    emulator.kill()
    emulator.restart()
    sqs.send_message(QueueUrl=url, MessageBody="new")
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["new"]
