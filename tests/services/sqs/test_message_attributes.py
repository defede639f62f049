"""Message attributes: limits, MD5, and the names that a receiver may ask by."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudlet.emulator.services.sqs.message_attributes import attributes_md5, has_invalid_character, requested

CITY = {"DataType": "String", "StringValue": "Any City"}


def test_the_md5_is_the_one_that_sdks_compute() -> None:
    """The values are those of the SDKs' own checks; a wrong one would fail their calls."""
    assert attributes_md5({"timestamp": ("Number", b"1493147359900")}) == "235c5c510d26fb653d073faed50ae77c"
    assert attributes_md5({"bytes": ("Binary", b"\x01\x02")}) != attributes_md5({"bytes": ("Binary", b"\x01\x03")})


def test_attributes_come_back_as_they_were_sent(sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    sent = {
        "city": CITY,
        "population": {"DataType": "Number.int", "StringValue": "1250800"},
        "greeting": {"DataType": "Binary", "BinaryValue": b"Hello\x00World"},
    }
    answer = sqs.send_message(QueueUrl=url, MessageBody="body", MessageAttributes=sent)
    message = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"][0]
    assert message["MessageAttributes"] == sent
    assert message["MD5OfMessageAttributes"] == answer["MD5OfMessageAttributes"]


def test_without_names_no_attributes_come_back(sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    sqs.send_message(QueueUrl=url, MessageBody="body", MessageAttributes={"city": CITY})
    message = sqs.receive_message(QueueUrl=url)["Messages"][0]
    assert "MessageAttributes" not in message
    assert "MD5OfMessageAttributes" not in message


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["All"], {"a.x", "a.y", "b"}),
        ([".*"], {"a.x", "a.y", "b"}),
        (["a.*"], {"a.x", "a.y"}),
        (["a*"], {"a.x", "a.y"}),
        (["b", "a.x"], {"b", "a.x"}),
        (["c"], set()),
    ],
)
def test_names_and_prefixes_choose_attributes(names: list[str], found: set[str]) -> None:
    attributes: dict[str, tuple[str, bytes]] = dict.fromkeys(("a.x", "a.y", "b"), ("String", b"v"))
    assert set(requested(attributes, names)) == found


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("AWS.x", CITY, "reserved for internal use"),
        ("with space", CITY, "Invalid non-alphanumeric character '#x20'"),
        ("n" * 257, CITY, "must be less than 256 bytes"),
        (
            "n",
            {"DataType": "Float", "StringValue": "1"},
            "set of supported type prefixes is Binary, Number, and String",
        ),
        ("n", {"DataType": "", "StringValue": "1"}, "non-empty message attribute type"),
        ("n", {"DataType": "String", "StringValue": ""}, "must contain a non-empty value of type"),
        ("n", {"DataType": "String"}, "must contain a non-empty value of type"),
        ("n", {"DataType": "Number", "StringValue": "one"}, "Can't cast the value of message (user) attribute 'n'"),
        ("n", {"DataType": "String", "BinaryValue": b"x"}, "must use field 'String'"),
        ("n", {"DataType": "Binary", "StringValue": "x"}, "must use field 'Binary'"),
    ],
)
def test_invalid_attributes_are_refused(sqs: Any, create_queue: Any, name: str, value: Any, text: str) -> None:
    with pytest.raises(ClientError) as caught:
        sqs.send_message(QueueUrl=create_queue(), MessageBody="body", MessageAttributes={name: value})
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"
    assert text in caught.value.response["Error"]["Message"]


def test_more_than_ten_attributes_are_refused(sqs: Any, create_queue: Any) -> None:
    with pytest.raises(ClientError, match="exceeds the allowed maximum"):
        sqs.send_message(
            QueueUrl=create_queue(), MessageBody="body", MessageAttributes={f"a{number}": CITY for number in range(11)}
        )


@pytest.mark.parametrize("text", ["plain", "tab\t newline\n return\r", "ünïcödé", "\U0001f600", "", "\ufffd"])
def test_valid_characters(text: str) -> None:
    assert not has_invalid_character(text.encode())


@pytest.mark.parametrize("text", ["\x00", "a\x07b", "\ufffe", "\uffff", "\x1f"])
def test_invalid_characters(text: str) -> None:
    assert has_invalid_character(text.encode())
