"""Whatever a body or a header holds, parsing gives a request or a client's error; never anything else."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.codec import Codec, codec
from cloudlet.emulator.protocol.message import HttpRequest, InlineBody
from tests.protocol import wire

OPERATIONS = [
    ("dynamodb", "PutItem", "json"),
    ("dynamodb", "PutItem", "json-cbor"),
    ("sqs", "SendMessage", "json"),
    ("sqs", "SendMessage", "query"),
    ("sns", "Publish", "query"),
    ("ec2", "RunInstances", "ec2"),
    ("lambda", "CreateFunction", "rest-json"),
    ("s3", "PutBucketLifecycleConfiguration", "rest-xml"),
    ("s3", "PutBucketAcl", "rest-xml"),
    ("s3", "ListObjectsV2", "rest-xml"),
    ("s3", "PutObject", "rest-xml"),
    ("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor"),
]
PIECES = [
    b"{", b"}", b"[", b"]", b'"', b":", b",", b"null", b"1e999", b"-0", b"\xff", b"\x00", b"\\ud800", b'"TableName"', b'"Item"',
    b"<", b">", b"</", b"&#0;", b"<!DOCTYPE a>", b"<LifecycleConfiguration>", b"<Rule>", b"</Rule>", b"<Days>x</Days>",
    b"&", b"=", b"%", b"%zz", b"+", b".", b"Message.1.2", b"MessageAttributes.entry.1.Name=a", b"DelaySeconds=x", b"MaxCount=",
    b"\xbf", b"\x9f", b"\xc1", b"\xfb", b"\x1b", b"\x5f", b"\xa1", b"9" * 400,
]  # fmt: skip
BODIES = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
TEXTS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)


@pytest.mark.parametrize(("service", "operation", "protocol"), OPERATIONS)
@settings(max_examples=1500 if wire.WHOLE else 150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_malformed_request_is_the_clients_error(
    service: str, operation: str, protocol: str, data: st.DataObject
) -> None:
    wire_codec = CODECS[service, operation, protocol]
    body = data.draw(BODIES)
    headers = {
        name: data.draw(TEXTS) for name in data.draw(st.lists(st.sampled_from(HEADERS), max_size=3, unique=True))
    }
    query = data.draw(
        st.sampled_from(["", "max-keys=x", "%zz=%", "list-type=2&max-keys=99999999999999999999", "a&b=&=c"])
    )
    request = HttpRequest("POST", "/bucket/key?" + query, headers, InlineBody(body))
    outcome = parsed(wire_codec, request)
    assert isinstance(outcome, dict) or 400 <= outcome.status < 500
    if isinstance(outcome, AwsError):
        assert wire_codec.error(outcome, "request-id").status == outcome.status


def parsed(wire_codec: Codec, request: HttpRequest) -> dict[str, Any] | AwsError:
    try:
        return wire_codec.parse(request)
    except AwsError as error:
        return error


HEADERS = [
    "content-encoding",
    "x-amz-object-lock-retain-until-date",
    "expires",
    "content-length",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-meta-a",
    "x-amz-client-context",
]
CODECS = {key: codec(wire.MODELS.service(key[0]), key[1], key[2]) for key in OPERATIONS}


@pytest.mark.parametrize(("service", "operation", "protocol"), OPERATIONS[:6])
def test_deep_nesting_is_refused_and_not_fatal(service: str, operation: str, protocol: str) -> None:
    for body in (b'{"Item":' + b'{"a":{"L":[' * 50_000, b"[" * 100_000, b"a." * 100_000 + b"=1", b"\x9f" * 100_000):
        outcome = parsed(CODECS[service, operation, protocol], HttpRequest("POST", "/", {}, InlineBody(body)))
        assert isinstance(outcome, dict) or outcome.status == 400


def test_a_gzip_body_is_unpacked_and_a_bomb_refused() -> None:
    wire_codec = CODECS["sqs", "SendMessage", "json"]
    body = gzip.compress(b'{"QueueUrl":"u","MessageBody":"m"}')
    headers = {"content-encoding": "gzip"}
    assert wire_codec.parse(HttpRequest("POST", "/", headers, InlineBody(body))) == {
        "QueueUrl": "u",
        "MessageBody": "m",
    }
    for broken in (b"no gzip", body[:-4], gzip.compress(b" " * (65 * 1024 * 1024), 9)):
        with pytest.raises(AwsError) as caught:
            wire_codec.parse(HttpRequest("POST", "/", headers, InlineBody(broken)))
        assert caught.value.status == 400
