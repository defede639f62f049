"""Attributes of queues: defaults, limits, and rules between them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError


def read(sqs: Any, url: str, *names: str) -> dict[str, str]:
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names)).get("Attributes", {})
    return found


def test_a_standard_queue_has_awss_defaults(sqs: Any, create_queue: Any) -> None:
    found = read(sqs, create_queue(), "All")
    assert found.pop("QueueArn").startswith("arn:aws:sqs:us-east-1:000000000000:")
    assert found.pop("CreatedTimestamp") == found.pop("LastModifiedTimestamp")
    assert found == {
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "DelaySeconds": "0",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "30",
    }


def test_a_fifo_queue_has_its_own_defaults(sqs: Any, create_queue: Any) -> None:
    found = read(sqs, create_queue(fifo=True), "All")
    assert found["FifoQueue"] == "true"
    assert found["ContentBasedDeduplication"] == "false"
    assert found["DeduplicationScope"] == "queue"
    assert found["FifoThroughputLimit"] == "perQueue"


def test_without_names_no_attributes_come_back(sqs: Any, create_queue: Any) -> None:
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=create_queue())


def test_unknown_names_are_refused(sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    for call in (
        lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Nonsense"]),
        lambda: sqs.set_queue_attributes(QueueUrl=url, Attributes={"Nonsense": "1"}),
        lambda: sqs.set_queue_attributes(QueueUrl=url, Attributes={"ContentBasedDeduplication": "true"}),
    ):
        with pytest.raises(sqs.exceptions.InvalidAttributeName, match="Unknown Attribute"):
            call()


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("DelaySeconds", 0, 900),
        ("KmsDataKeyReusePeriodSeconds", 60, 86_400),
        ("MaximumMessageSize", 1024, 1_048_576),
        ("MessageRetentionPeriod", 60, 1_209_600),
        ("ReceiveMessageWaitTimeSeconds", 0, 20),
        ("VisibilityTimeout", 0, 43_200),
    ],
)
def test_numbers_have_limits(sqs: Any, create_queue: Any, name: str, least: int, most: int) -> None:
    url = create_queue()
    for value in (least, most):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: str(value)})
        assert read(sqs, url, name) == {name: str(value)}
    for refused in (str(least - 1), str(most + 1), "x", "", "1.5"):
        with pytest.raises(sqs.exceptions.InvalidAttributeValue, match=f"Invalid value for the parameter {name}"):
            sqs.set_queue_attributes(QueueUrl=url, Attributes={name: refused})


def test_a_policy_is_set_and_removed(sqs: Any, create_queue: Any) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    url = create_queue(Policy=policy)
    assert read(sqs, url, "Policy") == {"Policy": policy}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert read(sqs, url, "Policy") == {}


def test_one_kind_of_encryption_at_a_time(sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    assert read(sqs, url, "KmsMasterKeyId", "SqsManagedSseEnabled", "KmsDataKeyReusePeriodSeconds") == {
        "KmsMasterKeyId": "alias/aws/sqs",
        "SqsManagedSseEnabled": "false",
        "KmsDataKeyReusePeriodSeconds": "300",
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "", "SqsManagedSseEnabled": "true"})
    assert read(sqs, url, "KmsMasterKeyId", "SqsManagedSseEnabled") == {"SqsManagedSseEnabled": "true"}
    with pytest.raises(ClientError, match="one type of server-side encryption"):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "k", "SqsManagedSseEnabled": "true"})


def test_the_kind_of_a_queue_cannot_be_changed(sqs: Any, create_queue: Any) -> None:
    fifo = create_queue(fifo=True)
    sqs.set_queue_attributes(QueueUrl=fifo, Attributes={"FifoQueue": "true"})
    with pytest.raises(sqs.exceptions.InvalidAttributeValue, match="Modifying queue type is not supported"):
        sqs.set_queue_attributes(QueueUrl=fifo, Attributes={"FifoQueue": "false"})
    for value in ("true", "false"):
        with pytest.raises(sqs.exceptions.InvalidAttributeName):
            sqs.set_queue_attributes(QueueUrl=create_queue(), Attributes={"FifoQueue": value})


def test_high_throughput_needs_deduplication_by_group(sqs: Any, create_queue: Any) -> None:
    with pytest.raises(ClientError):
        create_queue(fifo=True, FifoThroughputLimit="perMessageGroupId")
    url = create_queue(fifo=True, FifoThroughputLimit="perMessageGroupId", DeduplicationScope="messageGroup")
    assert read(sqs, url, "DeduplicationScope") == {"DeduplicationScope": "messageGroup"}


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("nonsense", "not a valid JSON map"),
        ("[]", "not a valid JSON map"),
        ('{"deadLetterTargetArn": "ARN"}', "does not contain mandatory attribute: maxReceiveCount"),
        ('{"maxReceiveCount": 1}', "does not contain mandatory attribute: deadLetterTargetArn"),
        ('{"deadLetterTargetArn": "ARN", "maxReceiveCount": 0}', "Invalid value for maxReceiveCount: 0"),
        ('{"deadLetterTargetArn": "ARN", "maxReceiveCount": 1001}', "Invalid value for maxReceiveCount: 1001"),
        ('{"deadLetterTargetArn": "ARN-missing", "maxReceiveCount": 1}', "Dead letter target does not exist"),
    ],
)
def test_redrive_policies_are_checked(sqs: Any, create_queue: Any, arn_of: Any, policy: str, reason: str) -> None:
    arn = arn_of(create_queue())
    with pytest.raises(ClientError, match=reason) as caught:
        create_queue(RedrivePolicy=policy.replace("ARN", arn))
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_a_dead_letter_queue_is_of_the_same_kind(sqs: Any, create_queue: Any, arn_of: Any) -> None:
    policy = json.dumps({"deadLetterTargetArn": arn_of(create_queue(fifo=True)), "maxReceiveCount": 1})
    with pytest.raises(ClientError, match="must be same type of queue"):
        create_queue(RedrivePolicy=policy)


def test_a_redrive_allow_policy_chooses_sources(sqs: Any, create_queue: Any, arn_of: Any) -> None:
    target = create_queue(RedriveAllowPolicy='{"redrivePermission": "denyAll"}')
    policy = json.dumps({"deadLetterTargetArn": arn_of(target), "maxReceiveCount": 1})
    source = create_queue()
    with pytest.raises(ClientError):
        sqs.set_queue_attributes(QueueUrl=source, Attributes={"RedrivePolicy": policy})
    allow = json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [arn_of(source)]})
    sqs.set_queue_attributes(QueueUrl=target, Attributes={"RedriveAllowPolicy": allow})
    sqs.set_queue_attributes(QueueUrl=source, Attributes={"RedrivePolicy": policy})
    assert read(sqs, source, "RedrivePolicy") == {"RedrivePolicy": policy}
