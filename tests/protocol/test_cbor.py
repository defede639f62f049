"""CBOR: what botocore does not speak (Kinesis's form), and what the round trips do not show."""

from __future__ import annotations

from typing import Any

import cbor2
import orjson
import pytest

from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError
from cloudlet.emulator.protocol.codec import codec
from cloudlet.emulator.protocol.message import HttpRequest, InlineBody
from tests.protocol import wire


def kinesis(operation: str) -> Any:
    return codec(wire.MODELS.service("kinesis"), operation, "json-cbor")


def request(value: Any) -> HttpRequest:
    return HttpRequest("POST", "/", {"content-type": "application/x-amz-cbor-1.1"}, InlineBody(cbor2.dumps(value)))


def test_kinesis_moments_are_milliseconds() -> None:
    sent = {"ShardId": "s", "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": cbor2.CBORTag(1, 1732444800123)}
    found = kinesis("GetShardIterator").parse(request({"StreamName": "a", **sent}))
    assert found["Timestamp"] == pytest.approx(1732444800.123)
    response = kinesis("GetRecords").serialize(
        {"Records": [{"ApproximateArrivalTimestamp": 1732444800.5, "Data": b"\x00"}]}, "r"
    )
    assert response.headers["Content-Type"] == "application/x-amz-cbor-1.1"
    assert response.body == cbor2.dumps(
        {"Records": [{"ApproximateArrivalTimestamp": cbor2.CBORTag(1, 1732444800500), "Data": b"\x00"}]}
    )


def test_kinesis_blobs_are_bytes() -> None:
    found = kinesis("PutRecord").parse(request({"StreamName": "a", "Data": b"\xff", "PartitionKey": "p"}))
    assert found == {"StreamName": "a", "Data": b"\xff", "PartitionKey": "p"}


def test_kinesis_errors_are_cbor() -> None:
    response = kinesis("PutRecord").error(UnmodelledError("ResourceNotFoundException", "gone"), "r")
    assert isinstance(response.body, bytes)
    assert cbor2.loads(response.body) == {"__type": "ResourceNotFoundException", "message": "gone"}


def test_items_that_were_encoded_before_go_out_as_data() -> None:
    wire_codec = codec(wire.MODELS.service("dynamodb"), "GetItem", "json-cbor")
    response = wire_codec.serialize({"Item": orjson.Fragment(b'{"a":{"B":"AAE="}}')}, "r")
    assert isinstance(response.body, bytes)
    assert cbor2.loads(response.body) == {"Item": {"a": {"B": b"\x00\x01"}}}


def test_indefinite_lengths_are_read() -> None:
    wire_codec = codec(wire.MODELS.service("cloudwatch"), "ListMetrics", "smithy-rpc-v2-cbor")
    body = b"\xbfiNamespace\x7fbABbCD\xff\xff"
    assert wire_codec.parse(HttpRequest("POST", "/", {}, InlineBody(body))) == {"Namespace": "ABCD"}


def test_an_operation_without_a_result_has_no_body_and_no_type() -> None:
    response = codec(wire.MODELS.service("cloudwatch"), "PutMetricData", "smithy-rpc-v2-cbor").serialize(None, "r")
    assert (response.body, response.headers) == (b"", {"x-amzn-RequestId": "r", "smithy-protocol": "rpc-v2-cbor"})


def test_errors_name_their_package() -> None:
    error = type("DashboardNotFoundError", (AwsError,), {"code": "ResourceNotFound", "status": 404})("gone")
    response = codec(wire.MODELS.service("cloudwatch"), "GetDashboard", "smithy-rpc-v2-cbor").error(error, "r")
    assert isinstance(response.body, bytes)
    assert cbor2.loads(response.body)["__type"] == "com.amazonaws.cloudwatch#DashboardNotFoundError"
    assert response.headers["x-amzn-query-error"] == "ResourceNotFound;Sender"
