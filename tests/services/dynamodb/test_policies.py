"""Resource policies of tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})


def test_policy_comes_and_goes(dynamodb: Any, make_table: Callable[..., str], message: Callable[..., str]) -> None:
    arn = dynamodb.describe_table(TableName=make_table())["Table"]["TableArn"]
    assert "not found" in message(dynamodb.get_resource_policy, "PolicyNotFoundException", ResourceArn=arn)
    revision = dynamodb.put_resource_policy(ResourceArn=arn, Policy=POLICY)["RevisionId"]
    got = dynamodb.get_resource_policy(ResourceArn=arn)
    assert (got["Policy"], got["RevisionId"]) == (POLICY, revision)
    message(dynamodb.delete_resource_policy, "PolicyNotFoundException", ResourceArn=arn, ExpectedRevisionId="1")
    assert dynamodb.delete_resource_policy(ResourceArn=arn, ExpectedRevisionId=revision)["RevisionId"] == revision
    message(dynamodb.get_resource_policy, "PolicyNotFoundException", ResourceArn=arn)
