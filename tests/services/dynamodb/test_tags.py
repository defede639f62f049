"""Tags of tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_tags_come_and_go(dynamodb: Any, make_table: Callable[..., str]) -> None:
    name = make_table(Tags=[{"Key": "a", "Value": "1"}])
    arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
    dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "3"}])
    assert dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"] == [
        {"Key": "a", "Value": "3"},
        {"Key": "b", "Value": "2"},
    ]
    dynamodb.untag_resource(ResourceArn=arn, TagKeys=["a", "nothing"])
    assert dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_tags_of_nothing(dynamodb: Any, message: Callable[..., str]) -> None:
    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/nowhere"
    text = message(dynamodb.list_tags_of_resource, "ResourceNotFoundException", ResourceArn=arn)
    assert text == f"Requested resource not found: ResourcArn: {arn} not found"
