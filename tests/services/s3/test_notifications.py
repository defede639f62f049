"""Event notifications."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cloudlet.emulator.services.s3.events import is_wanted


class Inbox:
    """A queue that a bucket tells of its events."""

    def __init__(self, sqs: Any, name: str) -> None:
        self.sqs = sqs
        self.url = sqs.create_queue(QueueName=name)["QueueUrl"]
        self.arn = sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def read(self) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        bodies = []
        for message in answer.get("Messages", []):
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            bodies.append(json.loads(message["Body"]))
        return bodies

    def records(self) -> list[dict[str, Any]]:
        return [record for body in self.read() for record in body.get("Records", [])]


@pytest.fixture
def inbox(client: Callable[..., Any], unique: Callable[..., str]) -> Inbox:
    return Inbox(client("sqs"), unique("inbox"))


def watch(s3: Any, bucket: str, inbox: Inbox, *events: str, **target: Any) -> None:
    configuration = {"QueueConfigurations": [{"QueueArn": inbox.arn, "Events": list(events), **target}]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)


def test_which_events_a_target_wants() -> None:
    rules = [{"Name": "Prefix", "Value": "a/"}, {"Name": "Suffix", "Value": ".txt"}]
    target = {"Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}}}
    assert is_wanted(target, "ObjectCreated:Put", "a/b.txt")
    assert not is_wanted(target, "ObjectCreated:Put", "a/b.png")
    assert not is_wanted(target, "ObjectRemoved:Delete", "a/b.txt")


def test_a_new_target_gets_a_test(s3: Any, bucket: str, inbox: Inbox) -> None:
    watch(s3, bucket, inbox, "s3:ObjectCreated:*")
    body = inbox.read()[0]
    assert body["Event"] == "s3:TestEvent"
    assert body["Bucket"] == bucket
    found = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert found[0]["QueueArn"] == inbox.arn
    assert found[0]["Id"]


def test_what_happens_is_told(s3: Any, bucket: str, inbox: Inbox) -> None:
    watch(s3, bucket, inbox, "s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*", Id="mine")
    inbox.read()
    s3.put_object(Bucket=bucket, Key="a b", Body=b"12345")
    record = inbox.records()[0]
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["configurationId"] == "mine"
    assert record["s3"]["object"]["key"] == "a+b"
    assert record["s3"]["object"]["size"] == 5
    s3.copy_object(Bucket=bucket, Key="c", CopySource={"Bucket": bucket, "Key": "a b"})
    s3.put_object_tagging(Bucket=bucket, Key="c", Tagging={"TagSet": []})
    s3.delete_object(Bucket=bucket, Key="c")
    names = [entry["eventName"] for entry in inbox.records()]
    assert sorted(names) == ["ObjectCreated:Copy", "ObjectRemoved:Delete", "ObjectTagging:Put"]


def test_delete_markers_are_told_with_their_version(s3: Any, versioned: str, inbox: Inbox) -> None:
    watch(s3, versioned, inbox, "s3:ObjectRemoved:DeleteMarkerCreated")
    inbox.read()
    s3.put_object(Bucket=versioned, Key="k")
    version = s3.delete_object(Bucket=versioned, Key="k")["VersionId"]
    assert inbox.records()[0]["s3"]["object"]["versionId"] == version


def test_nothing_is_told_of_what_did_not_happen(
    s3: Any, bucket: str, inbox: Inbox, refused: Callable[..., Any]
) -> None:
    watch(s3, bucket, inbox, "s3:ObjectCreated:*")
    inbox.read()
    refused("BadDigest", s3.put_object, Bucket=bucket, Key="k", Body=b"x", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
    assert inbox.read() == []


def test_targets_that_are_refused(s3: Any, bucket: str, inbox: Inbox, refused: Callable[..., Any]) -> None:
    put = s3.put_bucket_notification_configuration

    def configuration(arn: str, event: str = "s3:ObjectCreated:*") -> dict[str, Any]:
        return {"QueueConfigurations": [{"QueueArn": arn, "Events": [event]}]}

    missing = inbox.arn + "-x"
    error = refused("InvalidArgument", put, Bucket=bucket, NotificationConfiguration=configuration(missing))
    assert error["Message"] == "Unable to validate the following destination configurations"
    assert error["ArgumentName1"] == missing
    put(Bucket=bucket, NotificationConfiguration=configuration(missing), SkipDestinationValidation=True)
    s3.put_object(Bucket=bucket, Key="k")  # what cannot be delivered is dropped
    error = refused("InvalidArgument", put, Bucket=bucket, NotificationConfiguration=configuration("nonsense"))
    assert error["Message"] == "The ARN could not be parsed"
    wrong = configuration(inbox.arn, "s3:Nothing")
    refused("InvalidArgument", put, Bucket=bucket, NotificationConfiguration=wrong)
