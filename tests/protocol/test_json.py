"""JSON bodies: the fast way and the slow way agree, and what is wrong is said in AWS's words."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from cloudlet.emulator.kernel.errors import AwsError, SerializationError
from cloudlet.emulator.protocol.codec import codec
from cloudlet.emulator.protocol.constraints import NOTHING
from cloudlet.emulator.protocol.json_wire import JsonBody
from cloudlet.emulator.protocol.message import HttpRequest, InlineBody
from tests.protocol import wire
from tests.protocol.features import of_structure
from tests.protocol.values import Values

JSON_SERVICES = [name for name in wire.SERVICES if "json" in wire.protocols_of(name)]


@pytest.mark.parametrize("service", JSON_SERVICES[:: 1 if wire.WHOLE else 5])
def test_both_ways_read_the_same(service: str) -> None:
    model = wire.botocore_model(service)
    ours = wire.MODELS.service(service)
    for name in wire.chosen(service, "json"):
        described = model.operation_model(name).input_shape
        shape = ours.operation(name).input
        if described is None or shape is None:
            continue
        value = Values(f"{service}.{name}", "json", output=False).structure(described, full=True)
        body = JsonBody(shape, NOTHING)
        data = orjson.dumps(value, default=base64_text)
        if body._decode is None:  # moments as text are the one thing that a type cannot say
            assert {"timestamp iso8601", "timestamp rfc822"} & set(of_structure(shape, set())), f"{service}.{name}"
            continue
        assert body._decode(data) == body.decode_slowly(data)


def base64_text(value: Any) -> str:
    return base64.b64encode(value).decode()


def parse(service: str, operation: str, body: bytes) -> dict[str, Any]:
    return codec(wire.MODELS.service(service), operation, "json").parse(HttpRequest("POST", "/", {}, InlineBody(body)))


def words(service: str, operation: str, body: bytes) -> str:
    with pytest.raises(SerializationError) as caught:
        parse(service, operation, body)
    return caught.value.message


def test_an_empty_body_is_an_empty_request() -> None:
    assert parse("dynamodb", "ListTables", b"") == {}
    assert parse("dynamodb", "ListTables", b"  ") == {}


def test_null_is_absence_and_unknown_members_are_dropped() -> None:
    body = (
        b'{"TableName": "abc", "Key": {"a": {"S": "x", "N": null, "New": 1}}, "ConsistentRead": null, "New": {"a": []}}'
    )
    assert parse("dynamodb", "GetItem", body) == {"TableName": "abc", "Key": {"a": {"S": "x"}}}


def test_a_recursive_structure_is_read_to_its_end() -> None:
    value: dict[str, Any] = {"S": "deep"}
    for _ in range(50):
        value = {"L": [{"M": {"x": value}}]}
    body = orjson.dumps({"TableName": "abc", "Item": {"a": value}})
    assert parse("dynamodb", "PutItem", body)["Item"]["a"] == value


def test_blobs_are_bytes() -> None:
    item = parse("dynamodb", "PutItem", b'{"TableName": "abc", "Item": {"a": {"B": "AAE="}, "b": {"BS": ["/w=="]}}}')[
        "Item"
    ]
    assert item == {"a": {"B": b"\x00\x01"}, "b": {"BS": [b"\xff"]}}


def test_numbers_are_converted_where_aws_converts() -> None:
    assert parse("dynamodb", "ListTables", b'{"Limit": 5.0}') == {"Limit": 5}
    assert parse("dynamodb", "ListTables", b'{"Limit": 5.7}') == {"Limit": 5}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", ""),
        (b"nonsense", ""),
        (b'{"Limit": "a"}', "STRING_VALUE cannot be converted to Integer"),
        (b'{"Limit": true}', "TRUE_VALUE cannot be converted to Integer"),
        (b'{"Limit": []}', "Unrecognized collection type class java.lang.Integer"),
        (b'{"Limit": {}}', "Start of structure or map found where not expected"),
        (b'{"ExclusiveStartTableName": 1}', "NUMBER_VALUE cannot be converted to String"),
        (b'{"ExclusiveStartTableName": false}', "FALSE_VALUE cannot be converted to String"),
        (b"[]", "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.ListTablesInput"),
        (b'"a"', "Unexpected value type in payload"),
    ],
)
def test_wrong_types_are_named_as_aws_names_them(body: bytes, expected: str) -> None:
    assert words("dynamodb", "ListTables", body) == expected


def test_wrong_collections_are_named_as_aws_names_them() -> None:
    assert words("dynamodb", "GetItem", b'{"Key": 1}') == "Unexpected field type"
    assert words("dynamodb", "GetItem", b'{"AttributesToGet": 1}') == "Unexpected field type"
    assert words("dynamodb", "GetItem", b'{"Key": {"a": "x"}}') == "Unexpected value type in payload"
    assert words("dynamodb", "GetItem", b'{"ConsistentRead": "yes"}') == "Unexpected token received from parser"


def test_results_have_whole_moments_as_whole_numbers() -> None:
    wire_codec = codec(wire.MODELS.service("dynamodb"), "DescribeTable", "json")
    body = wire_codec.serialize({"Table": {"CreationDateTime": 1732444800.0}}, "r").body
    assert body == b'{"Table":{"CreationDateTime":1732444800}}'
    body = wire_codec.serialize({"Table": {"CreationDateTime": 1732444800.123}}, "r").body
    assert body == b'{"Table":{"CreationDateTime":1732444800.123}}'


def test_an_operation_without_a_result_has_an_empty_body() -> None:
    assert codec(wire.MODELS.service("sqs"), "DeleteQueue", "json").serialize(None, "r").body == b""
    assert codec(wire.MODELS.service("dynamodb"), "PutItem", "json").serialize({}, "r").body == b"{}"


def test_dynamodb_has_a_checksum_and_a_request_id() -> None:
    response = codec(wire.MODELS.service("dynamodb"), "PutItem", "json").serialize({}, "request-id")
    assert response.headers == {
        "Content-Type": "application/x-amz-json-1.0",
        "x-amzn-RequestId": "request-id",
        "x-amz-crc32": "2745614147",
    }


def test_errors_of_json_1_1_have_short_names() -> None:
    error = type("ResourceNotFoundException", (AwsError,), {"code": "ResourceNotFoundException", "status": 400})("gone")
    response = codec(wire.MODELS.service("secretsmanager"), "GetSecretValue", "json").error(error, "r")
    assert response.body == b'{"__type":"ResourceNotFoundException","Message":"gone"}'
