"""Queues: creating, finding, listing, purging, deleting."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def code_of(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_a_created_queue_is_found_by_name(sqs: Any, unique: Callable[..., str]) -> None:
    name = unique()
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    assert url.endswith(f"/000000000000/{name}")
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == url
    assert sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId="000000000000")["QueueUrl"] == url


def test_a_missing_queue_does_not_exist(sqs: Any, unique: Callable[..., str]) -> None:
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as caught:
        sqs.get_queue_url(QueueName=unique())
    error = caught.value.response["Error"]
    assert error["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert error["Message"] == "The specified queue does not exist."
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_creating_again_with_the_same_attributes_gives_the_same_queue(sqs: Any, unique: Callable[..., str]) -> None:
    name = unique()
    attributes = {"VisibilityTimeout": "45"}
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    assert sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"] == url
    assert sqs.create_queue(QueueName=name)["QueueUrl"] == url
    assert sqs.create_queue(QueueName=name, Attributes={"DelaySeconds": "0"})["QueueUrl"] == url


def test_creating_again_with_other_attributes_is_refused(sqs: Any, unique: Callable[..., str]) -> None:
    name = unique()
    sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "45"})
    with pytest.raises(ClientError) as caught:
        sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "46"})
    assert code_of(caught) == "QueueAlreadyExists"
    assert "different value for attribute VisibilityTimeout" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "attributes"),
    [("", {}), ("a" * 81, {}), ("with space", {}), ("x.fifo", {}), ("x", {"FifoQueue": "true"}), ("é", {})],
)
def test_invalid_names_are_refused(sqs: Any, name: str, attributes: dict[str, str]) -> None:
    with pytest.raises(ClientError) as caught:
        sqs.create_queue(QueueName=name, Attributes=attributes)
    assert code_of(caught) == "InvalidParameterValue"


def test_queues_are_listed_by_prefix_in_pages(sqs: Any, unique: Callable[..., str]) -> None:
    prefix = unique("listed")
    urls = [sqs.create_queue(QueueName=f"{prefix}-{number}")["QueueUrl"] for number in range(5)]
    assert sqs.list_queues(QueueNamePrefix=prefix)["QueueUrls"] == urls
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix, PaginationConfig={"PageSize": 2})
    assert [page["QueueUrls"] for page in pages] == [urls[:2], urls[2:4], urls[4:]]


def test_a_list_without_queues_has_no_urls(sqs: Any, unique: Callable[..., str]) -> None:
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix=unique("nothing"))


def test_accounts_and_regions_keep_their_queues_apart(client: Callable[..., Any], unique: Callable[..., str]) -> None:
    name = unique()
    here = client("sqs")
    other_account = client("sqs", account="111122223333")
    other_region = client("sqs", region_name="eu-central-1")
    urls = {each.create_queue(QueueName=name)["QueueUrl"] for each in (here, other_account, other_region)}
    assert len(urls) == 3
    here.send_message(QueueUrl=here.get_queue_url(QueueName=name)["QueueUrl"], MessageBody="here")
    for other in (other_account, other_region):
        url = other.get_queue_url(QueueName=name)["QueueUrl"]
        assert "Messages" not in other.receive_message(QueueUrl=url)
        assert "Messages" not in here.receive_message(QueueUrl=url)  # by its URL, from anywhere


def test_a_deleted_queue_is_gone(sqs: Any, unique: Callable[..., str]) -> None:
    name = unique()
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="old")
    sqs.delete_queue(QueueUrl=url)
    for call in (sqs.delete_queue, sqs.receive_message, sqs.get_queue_attributes, sqs.purge_queue):
        with pytest.raises(sqs.exceptions.QueueDoesNotExist):
            call(QueueUrl=url)
    assert sqs.create_queue(QueueName=name)["QueueUrl"] == url
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_a_purged_queue_is_empty_and_goes_on(sqs: Any, create_queue: Any, counts: Any) -> None:
    url = create_queue()
    for number in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    in_flight = sqs.receive_message(QueueUrl=url)["Messages"][0]
    sqs.purge_queue(QueueUrl=url)
    assert counts(url) == (0, 0, 0)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=in_flight["ReceiptHandle"])
    sqs.send_message(QueueUrl=url, MessageBody="new")
    assert counts(url) == (1, 0, 0)
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=url)["Messages"]] == ["new"]


def test_purging_twice_in_a_minute_is_refused_where_asked_for(frozen_time: Any, unique: Callable[..., str]) -> None:
    url = frozen_time.sqs.create_queue(QueueName=unique())["QueueUrl"]
    frozen_time.sqs.purge_queue(QueueUrl=url)
    with pytest.raises(frozen_time.sqs.exceptions.PurgeQueueInProgress):
        frozen_time.sqs.purge_queue(QueueUrl=url)
    frozen_time.advance(60)
    frozen_time.sqs.purge_queue(QueueUrl=url)


def test_a_deleted_name_rests_for_a_minute_where_asked_for(frozen_time: Any, unique: Callable[..., str]) -> None:
    name = unique()
    frozen_time.sqs.delete_queue(QueueUrl=frozen_time.sqs.create_queue(QueueName=name)["QueueUrl"])
    with pytest.raises(frozen_time.sqs.exceptions.QueueDeletedRecently):
        frozen_time.sqs.create_queue(QueueName=name)
    frozen_time.advance(60)
    frozen_time.sqs.create_queue(QueueName=name)


def test_tags_are_added_listed_and_removed(sqs: Any, unique: Callable[..., str]) -> None:
    url = sqs.create_queue(QueueName=unique(), tags={"a": "1", "b": "2"})["QueueUrl"]
    sqs.tag_queue(QueueUrl=url, Tags={"b": "3", "c": ""})
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "1", "b": "3", "c": ""}
    sqs.untag_queue(QueueUrl=url, TagKeys=["a", "b", "unknown"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"c": ""}


def test_permissions_make_and_remove_statements(sqs: Any, create_queue: Any, arn_of: Any) -> None:
    url = create_queue()
    sqs.add_permission(QueueUrl=url, Label="one", AWSAccountIds=["111122223333"], Actions=["SendMessage"])
    policy = json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])
    assert policy["Statement"] == [
        {
            "Sid": "one",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "SQS:SendMessage",
            "Resource": arn_of(url),
        }
    ]
    with pytest.raises(ClientError, match="Already exists"):
        sqs.add_permission(QueueUrl=url, Label="one", AWSAccountIds=["111122223333"], Actions=["SendMessage"])
    sqs.remove_permission(QueueUrl=url, Label="one")
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    with pytest.raises(ClientError, match="can't find label"):
        sqs.remove_permission(QueueUrl=url, Label="one")
