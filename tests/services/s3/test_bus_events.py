"""A bucket with EventBridge on tells the default bus what happens to its objects."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Client = Callable[..., Any]
Unique = Callable[..., str]


def test_objects_that_come_and_go_are_events(client: Client, unique: Unique) -> None:
    s3, sqs, events, name = client("s3"), client("sqs"), client("events"), unique("bucket")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [name]}}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:000000000000:{name}"}])
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="before", Body=b"nobody is told")
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}})
    s3.put_object(Bucket=name, Key="a b+c", Body=b"hello")
    s3.put_object_tagging(Bucket=name, Key="a b+c", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.delete_object(Bucket=name, Key="a b+c")
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    told = [json.loads(message["Body"]) for message in messages]
    assert [event["detail-type"] for event in told] == ["Object Created", "Object Tags Added", "Object Deleted"]
    created = told[0]
    assert created["resources"] == [f"arn:aws:s3:::{name}"]
    assert created["detail"]["object"].pop("sequencer")
    assert created["detail"]["object"] == {"key": "a b+c", "size": 5, "etag": "5d41402abc4b2a76b9719d911017c592"}
    assert created["detail"]["reason"] == "PutObject"
    assert told[2]["detail"]["deletion-type"] == "Permanently Deleted"
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={})
    s3.put_object(Bucket=name, Key="after", Body=b"nobody is told")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
