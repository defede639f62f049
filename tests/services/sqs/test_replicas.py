"""Two emulators on one PostgreSQL: a queue is the same queue from either side."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import RunningEmulator
from tests.services.sqs.test_receiving import Poll, bodies
from tests.store.postgres_server import PostgresServer, find_binaries

MESSAGES = 40


@pytest.fixture
def replicas(start_emulator: Callable[..., RunningEmulator]) -> Iterator[tuple[Any, Any]]:
    """SQS clients of two emulators that share their state."""
    server = PostgresServer(find_binaries())
    try:
        url = server.new_database()
        emulators = [start_emulator(STATE_URL=url) for _ in range(2)]
        yield emulators[0].client("sqs"), emulators[1].client("sqs")
        for emulator in emulators:
            emulator.stop()
    finally:
        server.close()


def test_a_message_sent_to_one_replica_wakes_a_poll_on_the_other(replicas: tuple[Any, Any]) -> None:
    here, there = replicas
    name = here.create_queue(QueueName="shared")["QueueUrl"].rsplit("/", 1)[1]
    poll = Poll(there, QueueUrl=there.get_queue_url(QueueName=name)["QueueUrl"], WaitTimeSeconds=20)
    here.send_message(QueueUrl=here.get_queue_url(QueueName=name)["QueueUrl"], MessageBody="hello")
    assert bodies(poll.finished()) == ["hello"]


@pytest.mark.parametrize("fifo", [False, True])
def test_every_message_is_received_once_by_whichever_replica(replicas: tuple[Any, Any], fifo: bool) -> None:
    name = "busy.fifo" if fifo else "busy"
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {}
    for sqs in replicas:
        sqs.create_queue(QueueName=name, Attributes=attributes)
    received: Counter[str] = Counter()
    failures: list[Exception] = []
    lock = threading.Lock()

    def send(sqs: Any, sender: int) -> None:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        for number in range(MESSAGES // 4):
            group = {"MessageGroupId": f"g{number % 3}"} if fifo else {}
            sqs.send_message(QueueUrl=url, MessageBody=f"{sender}-{number}", **group)

    def receive(sqs: Any, _: int) -> None:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        while sum(received.values()) < MESSAGES:
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=5).get("Messages", []):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                with lock:
                    received[message["Body"]] += 1

    def guarded(work: Callable[[Any, int], None], sqs: Any, number: int) -> None:
        try:
            work(sqs, number)
        except Exception as error:
            failures.append(error)
            received["failed"] += MESSAGES

    threads = [
        threading.Thread(target=guarded, args=(work, replicas[number % 2], number))
        for number in range(4)
        for work in (send, receive)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert not failures
    assert received == Counter(f"{sender}-{number}" for sender in range(4) for number in range(MESSAGES // 4))
