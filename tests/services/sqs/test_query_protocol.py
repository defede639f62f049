"""SQS over the query protocol, as older SDKs and plain HTTP clients speak it."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.conftest import RunningEmulator

NAMESPACE = "{http://queue.amazonaws.com/doc/2012-11-05/}"
AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"


@pytest.fixture
def post(emulator: RunningEmulator) -> Callable[..., tuple[int, ElementTree.Element]]:
    """Sends form parameters to a path; status and XML."""

    def send(path: str, **parameters: str) -> tuple[int, ElementTree.Element]:
        request = urllib.request.Request(
            emulator.url + path,
            urllib.parse.urlencode({"Version": "2012-11-05", **parameters}).encode(),
            {"Authorization": AUTHORIZATION, "Content-Type": "application/x-www-form-urlencoded"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, ElementTree.fromstring(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, ElementTree.fromstring(error.read())

    return send


def text(root: ElementTree.Element, name: str) -> str:
    found = root.find(f".//{NAMESPACE}{name}")
    assert found is not None, ElementTree.tostring(root)
    return found.text or ""


def test_a_message_goes_round_over_the_query_protocol(post: Any, unique: Callable[..., str]) -> None:
    name = unique()
    status, created = post("/", Action="CreateQueue", QueueName=name)
    assert status == 200
    assert created.tag == f"{NAMESPACE}CreateQueueResponse"
    url = text(created, "QueueUrl")
    path = urllib.parse.urlsplit(url).path
    status, sent = post("/", Action="SendMessage", QueueUrl=url, MessageBody="a <b> & c")
    assert status == 200
    assert len(text(sent, "MessageId")) == 36
    status, received = post(path, **{"Action": "ReceiveMessage", "AttributeName.1": "All"})
    assert status == 200
    assert text(received, "Body") == "a <b> & c"
    assert len(received.findall(f".//{NAMESPACE}Attribute")) == 4
    status, _ = post(path, Action="DeleteMessage", ReceiptHandle=text(received, "ReceiptHandle"))
    assert status == 200
    status, found = post(
        path, **{"Action": "GetQueueAttributes", "AttributeName.1": "ApproximateNumberOfMessagesNotVisible"}
    )
    assert status == 200
    assert text(found, "Value") == "0"


def test_errors_have_the_query_protocols_codes(post: Any, unique: Callable[..., str]) -> None:
    status, root = post("/", Action="GetQueueUrl", QueueName=unique())
    assert status == 400
    assert text(root, "Code") == "AWS.SimpleQueueService.NonExistentQueue"
    assert text(root, "Type") == "Sender"
    assert text(root, "Message") == "The specified queue does not exist."


def test_batches_are_flattened_lists(post: Any, unique: Callable[..., str]) -> None:
    path = urllib.parse.urlsplit(text(post("/", Action="CreateQueue", QueueName=unique())[1], "QueueUrl")).path
    parameters = {
        "SendMessageBatchRequestEntry.1.Id": "one",
        "SendMessageBatchRequestEntry.1.MessageBody": "first",
        "SendMessageBatchRequestEntry.2.Id": "two",
        "SendMessageBatchRequestEntry.2.MessageBody": "second",
        "SendMessageBatchRequestEntry.2.MessageAttribute.1.Name": "n",
        "SendMessageBatchRequestEntry.2.MessageAttribute.1.Value.DataType": "Number",
        "SendMessageBatchRequestEntry.2.MessageAttribute.1.Value.StringValue": "1",
    }
    status, root = post(path, Action="SendMessageBatch", **parameters)
    assert status == 200
    assert [entry.findtext(f"{NAMESPACE}Id") for entry in root.iter(f"{NAMESPACE}SendMessageBatchResultEntry")] == [
        "one",
        "two",
    ]
    status, root = post(
        path, **{"Action": "ReceiveMessage", "MaxNumberOfMessages": "10", "MessageAttributeName.1": "All"}
    )
    assert [body.text for body in root.iter(f"{NAMESPACE}Body")] == ["first", "second"]
    assert text(root, "StringValue") == "1"


def test_an_answer_is_json_where_the_client_accepts_it(emulator: RunningEmulator, post: Any, unique: Any) -> None:
    path = urllib.parse.urlsplit(text(post("/", Action="CreateQueue", QueueName=unique())[1], "QueueUrl")).path
    post(path, Action="SendMessage", MessageBody='{"a": "b"}')

    def get(**parameters: str) -> Any:
        request = urllib.request.Request(
            f"{emulator.url}{path}?{urllib.parse.urlencode(parameters)}",
            headers={"Authorization": AUTHORIZATION, "Accept": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.headers["Content-Type"] == "application/json"
            return json.load(answer)

    attributes = get(Action="GetQueueAttributes", **{"AttributeName.1": "DelaySeconds"})
    assert attributes["GetQueueAttributesResponse"]["GetQueueAttributesResult"] == {
        "Attributes": [{"Name": "DelaySeconds", "Value": "0"}]
    }
    received = get(Action="ReceiveMessage")["ReceiveMessageResponse"]
    assert received["ReceiveMessageResult"]["Message"]["Body"] == '{"a": "b"}'
    assert set(get(Action="ReceiveMessage")["ReceiveMessageResponse"]) == {"ReceiveMessageResult", "ResponseMetadata"}


def test_listing_queues_at_a_queues_own_address_is_refused(post: Any, unique: Any) -> None:
    path = urllib.parse.urlsplit(text(post("/", Action="CreateQueue", QueueName=unique())[1], "QueueUrl")).path
    status, root = post(path, Action="ListQueues")
    assert (status, text(root, "Code")) == (400, "InvalidAction")
