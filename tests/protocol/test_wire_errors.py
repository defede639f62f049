"""Errors: every modelled error -> our serializer -> botocore's parser -> its code, message and members."""

from __future__ import annotations

from typing import Any

import pytest

from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError, ValidationError
from cloudlet.emulator.protocol.codec import codec
from cloudlet.emulator.protocol.constraints import NOTHING
from tests.protocol import wire
from tests.protocol.values import Values, from_botocore, pruned

MESSAGE = 'It went wrong: <a> & "b" é'


@pytest.mark.parametrize("service", wire.SERVICES)
def test_a_modelled_error_arrives_as_it_was_raised(service: str) -> None:
    failures = []
    for protocol in wire.protocols_of(service):
        model = wire.model_of(service, protocol)
        for name in wire.chosen(service, protocol):
            operation = model.operation_model(name)
            failures += filter(
                None, (difference(service, protocol, operation, shape) for shape in operation.error_shapes)
            )
    assert not failures, "\n".join(failures[:5])


def difference(service: str, protocol: str, operation: Any, shape: Any) -> str:
    """What arrived differently, in words."""
    values = Values(f"{service}.{operation.name}.{shape.name}", protocol, output=True)
    members = {name: item for name, item in values.structure(shape, full=True).items() if name.lower() != "message"}
    for name, member in shape.members.items():
        if member.serialization.get("name", "").lower() == "x-amzn-errortype":
            members[name] = shape.name
    said = shape.metadata.get("error", {})
    code = said.get("code", shape.name)
    error = UnmodelledError(code, MESSAGE, said.get("httpStatusCode", 400))
    error.members = members
    wire_codec = codec(wire.MODELS.service(service), operation.name, protocol, NOTHING)
    response = wire_codec.error(error, "request-id")
    assert response.status == error.status
    answer = wire.parsed_by_botocore(protocol, response, None)["Error"]
    found = from_botocore(wire.parsed_by_botocore(protocol, response, shape))
    # Query-compatible services tell botocore the old code, and it prefers that.
    is_xml = protocol in ("query", "ec2", "rest-xml")
    expected_code = code if is_xml or "QueryErrorCode" in answer else shape.name
    got = {name: item for name, item in found.items() if name.lower() != "message"}
    if is_xml:
        members, got = pruned(members), pruned(got)
        members.pop("Code", None)
        got = {name: item for name, item in got.items() if name in members}
    same = answer.get("Code") == expected_code and answer.get("Message") == MESSAGE and got == members
    if same:
        return ""
    return f"{service}.{operation.name} {shape.name} over {protocol}\n  raised {members}\n  got    {answer} {got}\n  {response.body!r}"


@pytest.mark.parametrize(
    ("service", "operation", "protocol"),
    [
        ("dynamodb", "GetItem", "json"),
        ("sts", "AssumeRole", "query"),
        ("ec2", "RunInstances", "ec2"),
        ("lambda", "Invoke", "rest-json"),
        ("s3", "GetObject", "rest-xml"),
        ("route53", "ListHostedZones", "rest-xml"),
        ("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor"),
        ("cloudwatch", "PutMetricData", "query"),
    ],
)
def test_an_error_that_the_model_lacks_has_code_message_and_request_id(
    service: str, operation: str, protocol: str
) -> None:
    error: AwsError = UnmodelledError("SomethingNew", MESSAGE, 418, Detail="more")
    response = codec(wire.MODELS.service(service), operation, protocol).error(error, "request-id")
    parsed = wire.parsed_by_botocore(protocol, response, None)
    assert response.status == 418
    assert parsed["Error"]["Code"] == "SomethingNew"
    assert parsed["Error"]["Message"] == MESSAGE
    assert "request-id" in (*response.headers.values(),)


def test_query_services_name_a_validation_error_in_their_way() -> None:
    error = ValidationError("1 validation error detected: …")
    response = codec(wire.MODELS.service("sts"), "AssumeRole", "query").error(error, "request-id")
    assert b"<Type>Sender</Type><Code>ValidationError</Code>" in response.body  # type: ignore[operator]


def test_sqs_names_its_old_code_in_a_header() -> None:
    class QueueDoesNotExist(AwsError):
        code = "QueueDoesNotExist"
        query_code = "AWS.SimpleQueueService.NonExistentQueue"
        status = 400
        sender_fault = True

    response = codec(wire.MODELS.service("sqs"), "SendMessage", "json").error(QueueDoesNotExist("gone"), "request-id")
    assert response.headers["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"
    assert response.body == b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"gone"}'
    parsed = wire.parsed_by_botocore("json", response, None)
    assert parsed["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert parsed["Error"]["QueryErrorCode"] == "QueueDoesNotExist"


def test_s3_answers_errors_of_head_without_a_body() -> None:
    wire_codec = codec(wire.MODELS.service("s3"), "HeadObject", "rest-xml")
    assert wire_codec.error(UnmodelledError("NoSuchKey", "gone", 404), "request-id", "HEAD").body == b""
    body = wire_codec.error(UnmodelledError("NoSuchKey", "gone", 404, Key="a&b"), "request-id", "GET").body
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>')  # type: ignore[union-attr]
    assert b"<Key>a&amp;b</Key><RequestId>request-id</RequestId><HostId>" in body  # type: ignore[operator]
