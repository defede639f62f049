"""Form bodies: decoding, trees and lists."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.codec import codec
from cloudlet.emulator.protocol.form_reader import MalformedInput, form_pairs, form_tree
from cloudlet.emulator.protocol.message import HttpRequest, InlineBody
from tests.protocol import wire


def unescape(text: str) -> str:
    ((name, value),) = form_pairs(f"A={text}".encode())
    assert name == "A"
    return value


@given(st.text())
def test_what_was_quoted_comes_back(text: str) -> None:
    encoded = text.encode("utf-8", "replace").decode()
    assert unescape(quote_plus(encoded)) == encoded
    assert unescape(re.sub("%..", lambda found: found.group().lower(), quote(encoded, safe=""))) == encoded


@given(st.text(st.sampled_from("%0aAzZ=+.f9 \n\r_")))
def test_what_nobody_quoted_reads_as_urllib_reads_it(text: str) -> None:
    assert unescape(text) == unquote_plus(text, errors="replace")


@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_pairs_keep_their_order(pairs: list[tuple[str, str]]) -> None:
    pairs = [(k.encode("utf-8", "replace").decode(), v.encode("utf-8", "replace").decode()) for k, v in pairs]
    assert form_pairs(urlencode(pairs).encode()) == pairs


def test_dotted_names_become_a_tree() -> None:
    assert form_tree(form_pairs(b"A.member.1=x&A.member.2.B=y&C=z")) == {
        "A": {"member": {"1": "x", "2": {"B": "y"}}},
        "C": "z",
    }


def test_a_name_with_parts_wins_over_the_same_name_without() -> None:
    assert form_tree(form_pairs(b"A=&A.1=x")) == {"A": {"1": "x"}}
    assert form_tree(form_pairs(b"A.1=x&A=")) == {"A": {"1": "x"}}


def parse(service: str, operation: str, protocol: str, body: str, query: str = "") -> dict[str, Any]:
    request = HttpRequest("POST", "/" + query, {}, InlineBody(body.encode()))
    return codec(wire.MODELS.service(service), operation, protocol).parse(request)


def test_positions_order_a_list_and_may_have_gaps() -> None:
    body = "Action=TagResource&ResourceArn=a&Tags.member.10.Key=c&Tags.member.10.Value=&Tags.member.2.Key=b&Tags.member.2.Value=v"
    assert parse("sns", "TagResource", "query", body)["Tags"] == [{"Key": "b", "Value": "v"}, {"Key": "c", "Value": ""}]


def test_parameters_may_be_in_the_url() -> None:
    assert parse("sns", "Publish", "query", "", "?Action=Publish&TopicArn=t&Message=a%20b") == {
        "TopicArn": "t",
        "Message": "a b",
    }


def test_an_empty_list_can_be_said() -> None:
    assert parse("cloudformation", "UpdateStack", "query", "StackName=a&Tags=")["Tags"] == []


def test_sqs_is_read_as_it_was_before_json() -> None:
    body = (
        "Action=SendMessage&QueueUrl=u&MessageBody=b&MessageAttribute.1.Name=n&MessageAttribute.1.Value.DataType=String"
        "&MessageAttribute.1.Value.StringValue=v&MessageSystemAttribute.1.Name=AWSTraceHeader"
        "&MessageSystemAttribute.1.Value.DataType=String&MessageSystemAttribute.1.Value.StringValue=t"
    )
    assert parse("sqs", "SendMessage", "query", body) == {
        "QueueUrl": "u",
        "MessageBody": "b",
        "MessageAttributes": {"n": {"DataType": "String", "StringValue": "v"}},
        "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": "t"}},
    }
    assert parse(
        "sqs",
        "CreateQueue",
        "query",
        "QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Tag.1.Key=k&Tag.1.Value=v",
    ) == {
        "QueueName": "q",
        "Attributes": {"DelaySeconds": "5"},
        "tags": {"k": "v"},
    }


def test_sqs_answers_as_it_did_before_json() -> None:
    wire_codec = codec(wire.MODELS.service("sqs"), "ReceiveMessage", "query")
    result = {
        "Messages": [
            {"MessageId": "m", "Attributes": {"SentTimestamp": "1"}, "MessageAttributes": {"n": {"DataType": "String"}}}
        ]
    }
    assert wire_codec.serialize(result, "r").body == (
        b'<ReceiveMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><ReceiveMessageResult><Message>'
        b"<MessageId>m</MessageId><Attribute><Name>SentTimestamp</Name><Value>1</Value></Attribute><MessageAttribute>"
        b"<Name>n</Name><Value><DataType>String</DataType></Value></MessageAttribute></Message></ReceiveMessageResult>"
        b"<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></ReceiveMessageResponse>"
    )


@pytest.mark.parametrize(
    "body",
    ["Tags.member.x.Key=a&ResourceArn=b", "Tags=a&ResourceArn=b", "ResourceArn.x=a", "Tags.member.1=x&ResourceArn=b"],
)
def test_a_misplaced_parameter_is_malformed(body: str) -> None:
    with pytest.raises(MalformedInput):
        parse("sns", "TagResource", "query", body)


def test_a_wrong_number_is_malformed() -> None:
    with pytest.raises(AwsError) as caught:
        parse("sts", "AssumeRole", "query", "RoleArn=a&RoleSessionName=b&DurationSeconds=x")
    assert caught.value.code == "MalformedInput"


def test_ec2_names_are_capitalised_and_its_lists_flat() -> None:
    body = "ImageId=i&MinCount=1&MaxCount=1&SecurityGroupId.1=a&SecurityGroupId.2=b&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=k&TagSpecification.1.Tag.1.Value=v"
    assert parse("ec2", "RunInstances", "ec2", body) == {
        "ImageId": "i",
        "MinCount": 1,
        "MaxCount": 1,
        "SecurityGroupIds": ["a", "b"],
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "k", "Value": "v"}]}],
    }
