"""The model's constraints in AWS's words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cloudlet.emulator.kernel.errors import AwsError, ValidationError
from cloudlet.emulator.protocol.codec import codec
from cloudlet.emulator.protocol.constraints import ALL, Rules
from cloudlet.emulator.protocol.message import HttpRequest, InlineBody
from cloudlet.emulator.protocol.validate import full_pattern, in_words, validator
from tests.protocol import wire


def complaint(service: str, operation: str, request: dict[str, Any], rules: Rules = ALL) -> AwsError:
    check = validator(wire.MODELS.service(service).operation(operation).input, rules)
    assert check is not None
    with pytest.raises(AwsError) as caught:
        check(request)
    return caught.value


def test_one_violation() -> None:
    error = complaint("kinesis", "CreateStream", {"StreamName": "a" * 129})
    assert isinstance(error, ValidationError)
    assert error.message == (
        f"1 validation error detected: Value '{'a' * 129}' at 'streamName' failed to satisfy constraint: "
        "Member must have length less than or equal to 128"
    )


def test_several_violations_are_listed_pattern_first() -> None:
    assert complaint("kinesis", "CreateStream", {"StreamName": "", "ShardCount": 0}).message == (
        "3 validation errors detected: Value '' at 'streamName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; "
        "Value '' at 'streamName' failed to satisfy constraint: Member must have length greater than or equal to 1; "
        "Value '0' at 'shardCount' failed to satisfy constraint: Member must have value greater than or equal to 1"
    )


def test_an_absent_member() -> None:
    assert complaint("sts", "AssumeRole", {"RoleArn": "arn:aws:iam::1:role/a" * 2}).message == (
        "1 validation error detected: Value null at 'roleSessionName' failed to satisfy constraint: "
        "Member must not be null"
    )


def test_an_enumeration() -> None:
    message = complaint("dynamodb", "GetItem", {"TableName": "abc", "Key": {}, "ReturnConsumedCapacity": "X"}).message
    assert message == (
        "1 validation error detected: Value 'X' at 'returnConsumedCapacity' failed to satisfy constraint: "
        "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
    )


def test_paths_into_lists_and_maps() -> None:
    request = {"RequestItems": {"tab": [{"PutRequest": {"Item": {}}}, {"PutRequest": {}}]}}
    assert complaint("dynamodb", "BatchWriteItem", request).message == (
        "1 validation error detected: Value null at 'requestItems.tab.member.2.member.putRequest.item' "
        "failed to satisfy constraint: Member must not be null"
    )


def test_elements_of_a_list_are_worded_together() -> None:
    request = {"TableName": "abc", "ResourceArn": "abc", "TagKeys": ["x" * 129]}
    assert complaint("dynamodb", "UntagResource", request).message == (
        f"1 validation error detected: Value '[{'x' * 129}]' at 'tagKeys' failed to satisfy constraint: "
        "Member must satisfy constraint: [Member must have length less than or equal to 128, "
        "Member must have length greater than or equal to 1, Member must not be null]"
    )


def test_query_services_without_a_front_end_name_the_parameter() -> None:
    rules = Rules("missing-parameter", length=False, range=False, pattern=False, enum=False)
    error = complaint("sqs", "SendMessage", {"QueueUrl": "u"}, rules)
    assert (error.query_code, error.message) == (
        "MissingParameter",
        "The request must contain the parameter MessageBody.",
    )


def test_a_recursive_shape_is_checked_at_every_depth() -> None:
    nested = {"And": [{"Not": {"Dimensions": {"Key": "AZ", "Values": ["a"], "MatchOptions": ["NOPE"]}}}]}
    request = {
        "TimePeriod": {"Start": "2026-01-01", "End": "2026-01-02"},
        "Granularity": "DAILY",
        "Metrics": [],
        "Filter": nested,
    }
    message = complaint("ce", "GetCostAndUsage", request).message
    assert "at 'filter.and.1.member.not.dimensions.matchOptions'" in message


def test_nothing_to_check_costs_nothing() -> None:
    assert (
        validator(
            wire.MODELS.service("s3").operation("PutObject").input, Rules("unchecked", False, False, False, False)
        )
        is None
    )
    assert validator(None, ALL) is None
    assert validator(wire.MODELS.service("sts").operation("GetCallerIdentity").input, ALL) is None


def test_a_service_is_checked_by_its_own_rules() -> None:
    request = HttpRequest("POST", "/", {}, InlineBody(b"Action=AssumeRole&RoleArn=x&RoleSessionName=y"))
    with pytest.raises(ValidationError) as caught:
        codec(wire.MODELS.service("sts"), "AssumeRole", "query").parse(request)
    assert caught.value.query_code == "ValidationError"
    assert caught.value.message.startswith("2 validation errors detected: Value 'x' at 'roleArn' failed to satisfy")


@pytest.mark.parametrize(
    ("pattern", "fits", "breaks"),
    [
        ("[a-z]+", "abc", "abc1"),
        (r"[\p{Alnum}_-]+", "aB9_-", "a b"),
        (r"\S", "a b", "  "),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "é a1_", "a#"),
        (r"(?s)a.*", "a\nb", "b"),
        ("a|b", "b", "ab"),
    ],
)
def test_java_patterns_mean_the_same_in_python(pattern: str, fits: str, breaks: str) -> None:
    text = full_pattern(pattern)
    assert text is not None
    assert re.search(text, fits)
    assert not re.search(text, breaks)


def test_a_pattern_that_python_cannot_say_is_not_checked() -> None:
    assert full_pattern(r"[\p{IsHan}&&[^a]]+(?<n>\k<n>)") is None


def test_values_are_printed_as_java_prints_them() -> None:
    assert (
        in_words({"a": [1, True, "x"], "b": b"12"}) == "{a=[1, true, x], b=java.nio.HeapByteBuffer[pos=0 lim=2 cap=2]}"
    )
