"""IAM: names, limits, conflicts and documents, in AWS's words; what policies allow."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Unique = Callable[..., str]


def document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


TRUST = document(Effect="Allow", Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole")
READ = document(Effect="Allow", Action="s3:Get*", Resource="arn:aws:s3:::mine/*")


def refused(act: Callable[..., Any], **request: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        act(**request)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_names_differ_in_more_than_their_case(client: Client, unique: Unique) -> None:
    iam, name = client("iam"), unique("user")
    made = iam.create_user(UserName=name)["User"]
    assert made["UserId"].startswith("AIDA")
    assert made["CreateDate"].microsecond == 0
    again = name.upper()
    assert refused(iam.create_user, UserName=again) == (
        "EntityAlreadyExists",
        f"User with name {again} already exists.",
        409,
    )


def test_what_is_missing_is_named(client: Client) -> None:
    iam = client("iam")
    assert refused(iam.get_role, RoleName="none")[1] == "The role with name none cannot be found."
    assert refused(iam.get_group, GroupName="none")[1] == "The group with name none cannot be found."
    arn = "arn:aws:iam::000000000000:policy/none"
    assert refused(iam.get_policy, PolicyArn=arn) == ("NoSuchEntity", f"Policy {arn} was not found.", 404)
    assert refused(iam.get_policy, PolicyArn="x" * 20)[1] == f"Invalid ARN:  Could not be parsed!  ARN: {'x' * 20}"


def test_a_new_role_tells_less_than_one_that_is_asked_for(client: Client, unique: Unique) -> None:
    iam, name = client("iam"), unique("role")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]
    assert not {"MaxSessionDuration", "RoleLastUsed"} & set(made)
    found = iam.get_role(RoleName=name)["Role"]
    assert (found["MaxSessionDuration"], found["RoleLastUsed"]) == (3600, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "This policy contains invalid Json"),
        (READ, "Has prohibited field Resource"),
        (document(Effect="Allow", Action="sts:AssumeRole"), "Missing required field Principal"),
        (
            document(Effect="Allow", Principal="*", Action="s3:GetObject"),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
    ],
)
def test_a_role_trusts_by_a_policy_of_its_own_kind(client: Client, unique: Unique, text: str, message: str) -> None:
    act = client("iam").create_role
    answer = refused(act, RoleName=unique("role"), AssumeRolePolicyDocument=text)
    assert answer == ("MalformedPolicyDocument", message, 400)


def test_the_policy_of_an_identity_names_no_principal(client: Client, unique: Unique) -> None:
    text = document(Effect="Allow", Principal="*", Action="s3:*", Resource="*")
    answer = refused(client("iam").create_policy, PolicyName=unique("policy"), PolicyDocument=text)
    assert answer[:2] == ("MalformedPolicyDocument", "Policy document should not specify a principal.")


def test_a_user_with_something_left_is_not_deleted(client: Client, unique: Unique) -> None:
    iam, name, group = client("iam"), unique("user"), unique("group")
    iam.create_user(UserName=name)
    iam.create_group(GroupName=group)
    key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    iam.add_user_to_group(UserName=name, GroupName=group)
    assert refused(iam.delete_group, GroupName=group)[1] == "Cannot delete entity, must remove users from group first."
    assert refused(iam.delete_user, UserName=name)[0] == "DeleteConflict"
    iam.remove_user_from_group(UserName=name, GroupName=group)
    assert refused(iam.delete_user, UserName=name)[1] == "Cannot delete entity, must delete access keys first."
    iam.delete_access_key(UserName=name, AccessKeyId=key)
    iam.delete_user(UserName=name)
    iam.delete_group(GroupName=group)


def test_a_policy_in_use_is_not_deleted_and_has_five_versions(client: Client, unique: Unique) -> None:
    iam, name = client("iam"), unique("policy")
    arn = iam.create_policy(PolicyName=name, PolicyDocument=READ)["Policy"]["Arn"]
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    assert refused(iam.delete_policy, PolicyArn=arn)[1] == "Cannot delete a policy attached to entities."
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=READ, SetAsDefault=True)
    assert refused(iam.create_policy_version, PolicyArn=arn, PolicyDocument=READ)[0] == "LimitExceeded"
    assert refused(iam.delete_policy_version, PolicyArn=arn, VersionId="v5")[0] == "DeleteConflict"
    assert refused(iam.get_policy_version, PolicyArn=arn, VersionId="v9")[1] == (
        f"Policy {arn} version v9 does not exist or is not attachable."
    )


def test_users_have_boundaries(client: Client, unique: Unique) -> None:
    iam, name = client("iam"), unique("user")
    arn = iam.create_policy(PolicyName=name, PolicyDocument=READ)["Policy"]["Arn"]
    iam.create_user(UserName=name)
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=arn)
    assert iam.get_user(UserName=name)["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    assert iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"] == 1
    iam.delete_user_permissions_boundary(UserName=name)
    assert "PermissionsBoundary" not in iam.get_user(UserName=name)["User"]
    assert refused(iam.put_user_permissions_boundary, UserName=name, PermissionsBoundary=arn + "x")[1] == (
        f"Scope ARN: {arn}x does not exist or is not attachable."
    )


def test_roles_of_services_have_their_names(client: Client) -> None:
    iam = client("iam", account="111122224444")
    role = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")["Role"]
    assert role["RoleName"] == "AWSServiceRoleForAutoScaling"
    assert role["Arn"].endswith("role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling")
    assert refused(iam.create_service_linked_role, AWSServiceName="autoscaling.amazonaws.com")[:2] == (
        "InvalidInput",
        "Service role name AWSServiceRoleForAutoScaling has been taken in this account, please try a different suffix.",
    )


def decisions(answer: dict[str, Any]) -> list[str]:
    return [result["EvalDecision"] for result in answer["EvaluationResults"]]


def test_policies_are_simulated(client: Client, unique: Unique) -> None:
    iam, name = client("iam"), unique("user")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    iam.put_user_policy(UserName=name, PolicyName="read", PolicyDocument=READ)
    wanted = {"PolicySourceArn": arn, "ResourceArns": ["arn:aws:s3:::mine/a"]}
    answer = iam.simulate_principal_policy(ActionNames=["s3:GetObject", "s3:PutObject"], **wanted)
    assert decisions(answer) == ["allowed", "implicitDeny"]
    deny = document(Effect="Deny", Action="s3:GetObject", Resource="*")
    answer = iam.simulate_principal_policy(ActionNames=["s3:GetObject"], PolicyInputList=[deny], **wanted)
    assert decisions(answer) == ["explicitDeny"]


@pytest.mark.parametrize(
    ("condition", "values", "decision"),
    [
        ({"StringEquals": {"aws:username": "eve"}}, ["eve"], "allowed"),
        ({"StringEquals": {"aws:username": "eve"}}, ["bob"], "implicitDeny"),
        ({"StringNotLike": {"aws:username": "e*"}}, ["bob"], "allowed"),
        ({"StringLike": {"aws:username": ["x", "e?e"]}}, ["eve"], "allowed"),
        ({"NumericLessThan": {"aws:username": "7"}}, ["6"], "allowed"),
        ({"NotIpAddress": {"aws:username": "10.0.0.0/8"}}, ["10.1.2.3"], "implicitDeny"),
        ({"ForAllValues:StringEquals": {"aws:username": ["a", "b"]}}, ["a", "c"], "implicitDeny"),
        ({"ForAnyValue:StringEquals": {"aws:username": ["a", "b"]}}, ["a", "c"], "allowed"),
        ({"Null": {"aws:username": "true"}}, ["a"], "implicitDeny"),
    ],
)
def test_conditions_count(client: Client, condition: dict[str, Any], values: list[str], decision: str) -> None:
    policy = document(Effect="Allow", Action="sqs:*", Resource="*", Condition=condition)
    entry = {"ContextKeyName": "aws:username", "ContextKeyType": "stringList", "ContextKeyValues": values}
    answer = client("iam").simulate_custom_policy(
        PolicyInputList=[policy], ActionNames=["sqs:SendMessage"], ContextEntries=[entry]
    )
    assert decisions(answer) == [decision]
    keys = client("iam").get_context_keys_for_custom_policy(PolicyInputList=[policy])["ContextKeyNames"]
    assert keys == ["aws:username"]


def test_credentials_for_single_services(client: Client, unique: Unique) -> None:
    iam, name = client("iam"), unique("user")
    iam.create_user(UserName=name)
    make = {"UserName": name, "ServiceName": "codecommit.amazonaws.com"}
    made = iam.create_service_specific_credential(**make)["ServiceSpecificCredential"]
    assert made["ServiceUserName"] == f"{name}-at-000000000000"
    wanted = {"UserName": name, "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
    reset = iam.reset_service_specific_credential(**wanted)["ServiceSpecificCredential"]
    assert reset["ServicePassword"] != made["ServicePassword"]
    iam.update_service_specific_credential(Status="Inactive", **wanted)
    (listed,) = iam.list_service_specific_credentials(UserName=name)["ServiceSpecificCredentials"]
    assert (listed["Status"], "ServicePassword" in listed) == ("Inactive", False)
    iam.delete_service_specific_credential(**wanted)
    assert refused(iam.delete_service_specific_credential, **wanted)[0] == "NoSuchEntity"


def test_tags_of_aws_are_not_for_users(client: Client, unique: Unique) -> None:
    answer = refused(client("iam").create_user, UserName=unique("u"), Tags=[{"Key": "aws:x", "Value": "1"}])
    assert answer[:2] == ("InvalidInput", "aws: prefixed tag key names are not allowed for external use.")


def test_devices_by_assignment(client: Client, unique: Unique) -> None:
    iam, name = client("iam"), unique("device")
    free, taken = (
        iam.create_virtual_mfa_device(VirtualMFADeviceName=f"{name}-{kind}")["VirtualMFADevice"]["SerialNumber"]
        for kind in ("free", "taken")
    )
    iam.create_user(UserName=name)
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    iam.enable_mfa_device(UserName=name, SerialNumber=taken, **codes)

    def listed(status: str) -> set[str]:
        devices = iam.list_virtual_mfa_devices(AssignmentStatus=status)["VirtualMFADevices"]
        assert not any("Base32StringSeed" in device for device in devices)
        return {device["SerialNumber"] for device in devices} & {free, taken}

    assert (listed("Assigned"), listed("Unassigned"), listed("Any")) == ({taken}, {free}, {free, taken})
