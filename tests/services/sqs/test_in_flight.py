"""Receipt handles: deleting messages and changing their visibility."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.sqs.test_receiving import bodies


def send_and_receive(sqs: Any, url: str, **options: Any) -> str:
    sqs.send_message(QueueUrl=url, MessageBody="body")
    handle: str = sqs.receive_message(QueueUrl=url, **options)["Messages"][0]["ReceiptHandle"]
    return handle


def test_a_deleted_message_is_gone_for_good(sqs: Any, create_queue: Any, counts: Any) -> None:
    url = create_queue()
    handle = send_and_receive(sqs, url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
    assert counts(url) == (0, 0, 0)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)


@pytest.mark.parametrize("operation", ["delete_message", "change_message_visibility"])
def test_what_is_no_receipt_handle_is_refused(sqs: Any, create_queue: Any, operation: str) -> None:
    more = {"VisibilityTimeout": 1} if operation == "change_message_visibility" else {}
    other = send_and_receive(sqs, create_queue())
    for handle in ("nonsense", "AQEB", other):
        with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
            getattr(sqs, operation)(QueueUrl=create_queue(), ReceiptHandle=handle, **more)


def test_a_handle_works_after_the_visibility_timeout(frozen_time: Any, unique: Callable[..., str]) -> None:
    sqs = frozen_time.sqs
    url = sqs.create_queue(QueueName=unique())["QueueUrl"]
    handle = send_and_receive(sqs, url)
    frozen_time.advance(31)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
    assert bodies(sqs.receive_message(QueueUrl=url)) == []


def test_an_older_handle_deletes_a_message_that_was_received_again(sqs: Any, create_queue: Any, counts: Any) -> None:
    url = create_queue()
    old = send_and_receive(sqs, url, VisibilityTimeout=0)
    new = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    assert old != new
    sqs.delete_message(QueueUrl=url, ReceiptHandle=old)
    assert counts(url) == (0, 0, 0)


def test_a_handle_works_after_the_visibility_was_changed(sqs: Any, create_queue: Any, counts: Any) -> None:
    url = create_queue()
    handle = send_and_receive(sqs, url)
    for timeout in (60, 50, 70):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=timeout)
    assert counts(url) == (0, 1, 0)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
    assert counts(url) == (0, 0, 0)


def test_visibility_counts_from_the_change(frozen_time: Any, unique: Callable[..., str]) -> None:
    sqs = frozen_time.sqs
    url = sqs.create_queue(QueueName=unique())["QueueUrl"]
    handle = send_and_receive(sqs, url)
    frozen_time.advance(20)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=20)
    frozen_time.advance(19)
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
    frozen_time.advance(1)
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["body"]


def test_a_message_is_given_back_with_a_timeout_of_zero(sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    handle = send_and_receive(sqs, url)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["body"]


def test_the_visibility_of_a_deleted_message_cannot_be_changed(sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    handle = send_and_receive(sqs, url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
    with pytest.raises(ClientError, match="not available for visibility timeout change") as caught:
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=5)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_batches_report_each_handle(sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    handles = [send_and_receive(sqs, url) for _ in range(2)]
    changed = sqs.change_message_visibility_batch(
        QueueUrl=url,
        Entries=[
            {"Id": "a", "ReceiptHandle": handles[0], "VisibilityTimeout": 5},
            {"Id": "b", "ReceiptHandle": handles[1], "VisibilityTimeout": 43_201},
        ],
    )
    assert changed["Successful"] == [{"Id": "a"}]
    assert changed["Failed"][0]["Code"] == "InvalidParameterValue"
    deleted = sqs.delete_message_batch(
        QueueUrl=url,
        Entries=[{"Id": "a", "ReceiptHandle": handles[0]}, {"Id": "b", "ReceiptHandle": "nonsense"}],
    )
    assert deleted["Successful"] == [{"Id": "a"}]
    assert deleted["Failed"] == [
        {
            "Id": "b",
            "SenderFault": True,
            "Code": "ReceiptHandleIsInvalid",
            "Message": 'The input receipt handle "nonsense" is not a valid receipt handle.',
        }
    ]
