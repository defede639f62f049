"""JSON that was encoded before."""

from __future__ import annotations

from orjson import Fragment

from cloudlet.emulator.protocol.codec import codec
from cloudlet.emulator.protocol.fragments import thaw
from tests.protocol import wire

ITEM = Fragment(b'{"a":{"B":"AAE="},"b":{"L":[{"S":"x"}]}}')


def test_fragments_go_out_as_they_are() -> None:
    wire_codec = codec(wire.MODELS.service("dynamodb"), "Query", "json")
    response = wire_codec.serialize({"Count": 1, "Items": [ITEM], "ConsumedCapacity": {"CapacityUnits": 0.5}}, "r")
    assert response.body == (
        b'{"Count":1,"Items":[{"a":{"B":"AAE="},"b":{"L":[{"S":"x"}]}}],"ConsumedCapacity":{"CapacityUnits":0.5}}'
    )


def test_thawed_fragments_are_data() -> None:
    assert thaw({"Items": [ITEM], "Count": 1}) == {
        "Items": [{"a": {"B": "AAE="}, "b": {"L": [{"S": "x"}]}}],
        "Count": 1,
    }


def test_with_its_shape_blobs_are_bytes_again() -> None:
    shape = wire.MODELS.service("dynamodb").operation("Query").output
    assert thaw({"Items": Fragment(b'[{"a":{"B":"AAE="}}]')}, shape) == {"Items": [{"a": {"B": b"\x00\x01"}}]}
    assert thaw({"Items": [ITEM]}, shape)["Items"][0]["a"] == {"B": b"\x00\x01"}


def test_a_result_without_fragments_is_itself() -> None:
    result = {"a": [{"b": 1}], "c": b"x"}
    assert thaw(result) is result
