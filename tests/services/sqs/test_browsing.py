"""`/_aws/sqs/messages`: looking into a queue."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.conftest import RunningEmulator
from tests.services.sqs.test_receiving import bodies


@pytest.fixture
def browse(emulator: RunningEmulator) -> Any:
    def get(path: str = "", **parameters: str) -> list[dict[str, Any]]:
        request = urllib.request.Request(
            f"{emulator.url}/_aws/sqs/messages{path}?{urllib.parse.urlencode(parameters)}",
            headers={"Accept": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: list[dict[str, Any]] = json.load(answer)["ReceiveMessageResponse"]["ReceiveMessageResult"].get(
                "Message", []
            )
            return found

    return get


def seen(messages: list[dict[str, Any]]) -> list[str]:
    return [message["Body"] for message in messages]


@pytest.mark.parametrize("fifo", [False, True])
def test_messages_are_shown_and_stay(sqs: Any, create_queue: Any, browse: Any, counts: Any, fifo: bool) -> None:
    url = create_queue(fifo=fifo)
    for body in ("one", "two"):
        more = {"MessageGroupId": body, "MessageDeduplicationId": body} if fifo else {}
        sqs.send_message(QueueUrl=url, MessageBody=body, **more)
    assert seen(browse(QueueUrl=url)) == ["one", "two"]
    path = urllib.parse.urlsplit(url).path
    assert seen(browse(f"/us-east-1{path}")) == ["one", "two"]
    assert counts(url) == (2, 0, 0)


def test_invisible_and_delayed_messages_are_shown_when_asked_for(sqs: Any, create_queue: Any, browse: Any) -> None:
    url = create_queue()
    sqs.send_message(QueueUrl=url, MessageBody="in flight")
    sqs.receive_message(QueueUrl=url)
    sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=900)
    sqs.send_message(QueueUrl=url, MessageBody="visible")
    assert seen(browse(QueueUrl=url)) == ["visible"]
    assert seen(browse(QueueUrl=url, ShowInvisible="true")) == ["in flight", "visible"]
    assert seen(browse(QueueUrl=url, ShowDelayed="true")) == ["delayed", "visible"]
    message = browse(QueueUrl=url)[0]
    assert {entry["Name"] for entry in message["Attribute"]} >= {"SentTimestamp", "SenderId"}


def test_a_client_may_have_the_address_as_its_endpoint(emulator: RunningEmulator, sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    sqs.send_message(QueueUrl=url, MessageBody="body")
    developer = emulator.client("sqs", endpoint_url=f"{emulator.url}/_aws/sqs/messages")
    for _ in range(2):
        assert bodies(developer.receive_message(QueueUrl=url)) == ["body"]


def test_without_accept_the_answer_is_xml(emulator: RunningEmulator, sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    sqs.send_message(QueueUrl=url, MessageBody="body")
    query = urllib.parse.urlencode({"QueueUrl": url})
    with urllib.request.urlopen(f"{emulator.url}/_aws/sqs/messages?{query}", timeout=30) as answer:
        root = ElementTree.fromstring(answer.read())
    assert root.findtext(".//{*}Body") == "body"


def test_a_queue_that_is_not_there_is_an_error(emulator: RunningEmulator, unique: Any) -> None:
    query = urllib.parse.urlencode({"QueueUrl": f"http://localhost:4566/000000000000/{unique()}"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{emulator.url}/_aws/sqs/messages?{query}", timeout=30)
    with caught.value as error:
        assert error.code == 400
        assert b"NonExistentQueue" in error.read()
