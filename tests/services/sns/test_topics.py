"""Topics: creating again, names, attributes, tags, permissions, listing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_the_same_name_gives_the_same_topic(sns: Any, unique: Callable[..., str]) -> None:
    name = unique()
    arn = sns.create_topic(Name=name, Attributes={"DisplayName": "d"}, Tags=[{"Key": "a", "Value": "1"}])["TopicArn"]
    assert arn == f"arn:aws:sns:us-east-1:000000000000:{name}"
    assert sns.create_topic(Name=name)["TopicArn"] == arn
    assert sns.create_topic(Name=name, Attributes={"DisplayName": "d"})["TopicArn"] == arn
    assert refused(lambda: sns.create_topic(Name=name, Attributes={"DisplayName": "e"}))[1].endswith(
        "Topic already exists with different attributes"
    )
    assert refused(lambda: sns.create_topic(Name=name, Tags=[{"Key": "a", "Value": "2"}]))[1].endswith(
        "Topic already exists with different tags"
    )


@pytest.mark.parametrize("name", ["a b", "a" * 257, "x.fifo", "a!"])
def test_invalid_names_are_refused(sns: Any, name: str) -> None:
    assert refused(lambda: sns.create_topic(Name=name)) == ("InvalidParameter", "Invalid parameter: Topic Name")


def test_attributes_have_defaults_and_are_set(sns: Any, topic: str) -> None:
    found = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert found["SubscriptionsConfirmed"] == found["SubscriptionsPending"] == found["SubscriptionsDeleted"] == "0"
    assert json.loads(found["Policy"])["Id"] == "__default_policy_ID"
    policy = json.loads(found["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]
    assert (policy["numRetries"], policy["minDelayTarget"], policy["maxDelayTarget"]) == (3, 20, 20)
    retries = json.dumps({"http": {"defaultHealthyRetryPolicy": {"numRetries": 5}}})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DeliveryPolicy", AttributeValue=retries)
    found = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert json.loads(found["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]["numRetries"] == 5
    assert refused(lambda: sns.set_topic_attributes(TopicArn=topic, AttributeName="X", AttributeValue="1")) == (
        "InvalidParameter",
        "Invalid parameter: AttributeName",
    )


def test_a_deleted_topic_is_gone_and_deleting_again_succeeds(sns: Any, topic: str, inbox: Any) -> None:
    inbox()
    sns.delete_topic(TopicArn=topic)
    sns.delete_topic(TopicArn=topic)
    assert refused(lambda: sns.get_topic_attributes(TopicArn=topic)) == ("NotFound", "Topic does not exist")


def test_topics_are_listed_by_hundreds(client: Callable[..., Any]) -> None:
    sns = client("sns", account="111122223333")
    arns = [sns.create_topic(Name=f"listed-{number:03}")["TopicArn"] for number in range(101)]
    first = sns.list_topics()
    assert len(first["Topics"]) == 100
    second = sns.list_topics(NextToken=first["NextToken"])
    assert "NextToken" not in second
    assert [entry["TopicArn"] for entry in first["Topics"] + second["Topics"]] == arns


def test_tags_are_added_replaced_and_removed(sns: Any, topic: str) -> None:
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "a", "Value": "3"}])
    sns.untag_resource(ResourceArn=topic, TagKeys=["b"])
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "a", "Value": "3"}]
    assert refused(lambda: sns.list_tags_for_resource(ResourceArn=topic + "x"))[0] == "ResourceNotFound"


def test_permissions_are_statements_of_the_policy(sns: Any, topic: str) -> None:
    def labels() -> list[str]:
        policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
        return [statement["Sid"] for statement in policy["Statement"]]

    sns.add_permission(TopicArn=topic, Label="l", AWSAccountId=["111122223333"], ActionName=["Publish"])
    assert labels() == ["__default_statement_ID", "l"]
    sns.remove_permission(TopicArn=topic, Label="l")
    assert labels() == ["__default_statement_ID"]


def test_data_protection_policies_are_kept(sns: Any, topic: str) -> None:
    sns.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy='{"Name": "p"}')
    assert sns.get_data_protection_policy(ResourceArn=topic)["DataProtectionPolicy"] == '{"Name": "p"}'
