"""`/_aws/iam/check-actions-allowed`: what the policies of an access key's owner say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway.internal.test_localstack_endpoints import call

Unique = Callable[..., str]
EVERYTHING = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]

TRUST = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}
)


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def ask(emulator: Any, key: str, *wanted: tuple[str, str], region: str = "us-east-1") -> dict[str, Any]:
    body = {
        "access_key_id": key,
        "region_name": region,
        "required_permission": [{"action": action, "resource": resource} for action, resource in wanted],
    }
    status, answer = call(emulator, "POST", "/_aws/iam/check-actions-allowed", body)
    assert status == 200, answer
    found: dict[str, Any] = json.loads(answer)
    return found


def user_with(emulator: Any, name: str, *statements: dict[str, Any], **options: Any) -> str:
    """The access key of a new user with an inline policy."""
    iam = emulator.client("iam", **options)
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    key: str = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    return key


def test_the_lists_say_what_is_allowed_and_what_is_not(emulator: Any, unique: Unique) -> None:
    name = unique("user")
    key = user_with(
        emulator, name, allow(["s3:Get*", "sqs:*"], ["arn:aws:s3:::photos/*", "arn:aws:sqs:*"]), deny("sqs:Delete*")
    )
    queue = "arn:aws:sqs:us-east-1:111122223333:jobs"
    found = ask(
        emulator,
        key,
        ("s3:GetObject", "arn:aws:s3:::photos/a"),
        ("s3:PutObject", "arn:aws:s3:::photos/a"),
        ("sqs:DeleteQueue", queue),
    )
    own = "000000000000"
    assert found == {
        "allowed": False,
        "explicit_allow": [{"action": "s3:GetObject", "resource": "arn:aws:s3:::photos/a", "account": own}],
        "implicit_deny": [{"action": "s3:PutObject", "resource": "arn:aws:s3:::photos/a", "account": own}],
        "explicit_deny": [{"action": "sqs:DeleteQueue", "resource": queue, "account": "111122223333"}],
        "source_principal": {"arn": f"arn:aws:iam::{own}:user/{name}", "account": own},
    }
    assert ask(emulator, key, ("sqs:SendMessage", queue))["allowed"] is True


@pytest.mark.parametrize(
    ("statements", "action", "resource", "allowed"),
    [
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "s3:GetObject", "*", True),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "iam:CreateUser", "*", False),
        ([{"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::secret/*"}], "s3:GetObject", "arn:aws:s3:::open/a", True),
        ([{"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::secret/*"}], "s3:GetObject", "arn:aws:s3:::secret/a", False),
        ([allow("s3:*", "arn:aws:s3:::home/${aws:username}/*")], "s3:GetObject", "arn:aws:s3:::home/USER/a", True),
        ([allow("s3:*", "arn:aws:s3:::home/${aws:username}/*")], "s3:GetObject", "arn:aws:s3:::home/other/a", False),
        ([allow("sqs:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})], "sqs:ListQueues", "*", False),
        ([allow("sqs:*", Condition={"StringLike": {"aws:RequestedRegion": "us-*"}})], "sqs:ListQueues", "*", True),
        ([allow("sqs:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})], "sqs:ListQueues", "*", False),
        ([*EVERYTHING, deny("*", Condition={"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}})], "sqs:ListQueues", "*", True),
    ],
)  # fmt: skip
def test_statements_mean_what_they_mean_in_aws(
    emulator: Any, unique: Unique, statements: list[dict[str, Any]], action: str, resource: str, allowed: bool
) -> None:
    name = unique("user")
    key = user_with(emulator, name, *statements)
    assert ask(emulator, key, (action, resource.replace("USER", name)))["allowed"] is allowed


def test_groups_managed_policies_and_boundaries_count(emulator: Any, unique: Unique) -> None:
    name = unique("user")
    iam = emulator.client("iam")
    key = user_with(emulator, name)
    assert ask(emulator, key, ("s3:ListAllMyBuckets", "*"))["implicit_deny"]
    iam.create_group(GroupName=name)
    iam.add_user_to_group(GroupName=name, UserName=name)
    iam.put_group_policy(GroupName=name, PolicyName="of-group", PolicyDocument=document(allow("s3:*")))
    assert ask(emulator, key, ("s3:ListAllMyBuckets", "*"))["allowed"] is True
    managed = iam.create_policy(PolicyName=name, PolicyDocument=document(allow("sqs:*"), allow("s3:Get*")))["Policy"]
    iam.attach_user_policy(UserName=name, PolicyArn=managed["Arn"])
    assert ask(emulator, key, ("sqs:ListQueues", "*"))["allowed"] is True
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=managed["Arn"])
    assert ask(emulator, key, ("s3:ListAllMyBuckets", "*"))["implicit_deny"]
    assert ask(emulator, key, ("s3:GetObject", "arn:aws:s3:::a/b"))["allowed"] is True


def test_a_session_is_allowed_what_role_and_session_policy_allow(emulator: Any, unique: Unique) -> None:
    name = unique("role")
    iam, sts = emulator.client("iam"), emulator.client("sts")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(allow(["s3:*", "sqs:*"])))
    whole = sts.assume_role(RoleArn=role, RoleSessionName="all")["Credentials"]["AccessKeyId"]
    found = ask(emulator, whole, ("s3:PutObject", "arn:aws:s3:::a/b"))
    assert found["allowed"] is True
    assert found["source_principal"]["arn"] == f"arn:aws:sts::000000000000:assumed-role/{name}/all"
    narrow = sts.assume_role(RoleArn=role, RoleSessionName="some", Policy=document(allow(["s3:Get*", "sns:*"])))
    key = narrow["Credentials"]["AccessKeyId"]
    assert ask(emulator, key, ("s3:GetObject", "arn:aws:s3:::a/b"))["allowed"] is True
    assert ask(emulator, key, ("s3:PutObject", "arn:aws:s3:::a/b"))["implicit_deny"]
    assert ask(emulator, key, ("sns:Publish", "*"))["implicit_deny"]


def test_a_key_that_the_volume_has_is_known_after_a_restart(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    key = user_with(emulator, "kept", allow("s3:*"))
    emulator.stop()
    emulator.restart()
    assert ask(emulator, key, ("sqs:ListQueues", "*"))["implicit_deny"]


def test_whoever_has_no_policies_is_the_root_of_its_account(emulator: Any) -> None:
    found = ask(emulator, "111122223333", ("iam:DeleteUser", "*"))
    assert found["allowed"] is True
    assert found["source_principal"] == {"arn": "arn:aws:iam::111122223333:root", "account": "111122223333"}


@pytest.mark.parametrize(
    "body", [None, [], {}, {"access_key_id": "x", "region_name": "y"}, {"access_key_id": 1, "region_name": "y"}]
)
def test_a_question_that_is_none_is_refused(emulator: Any, body: Any) -> None:
    status, answer = call(emulator, "POST", "/_aws/iam/check-actions-allowed", body)
    assert (status, json.loads(answer)["code"]) == (400, "request.invalid")
