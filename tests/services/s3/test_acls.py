"""Access control lists, ownership, public access blocks and policies."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cloudlet.emulator.services.s3.policy import is_public

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"


def test_new_buckets_have_no_acls(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    acl = s3.get_bucket_acl(Bucket=bucket)
    assert [grant["Permission"] for grant in acl["Grants"]] == ["FULL_CONTROL"]
    assert acl["Grants"][0]["Grantee"]["ID"] == acl["Owner"]["ID"]
    refused("AccessControlListNotSupported", s3.put_bucket_acl, Bucket=bucket, ACL="public-read")
    refused("AccessControlListNotSupported", s3.put_object, Bucket=bucket, Key="k", ACL="public-read")
    s3.put_object(Bucket=bucket, Key="k", ACL="bucket-owner-full-control")
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_canned_acls(s3: Any, acl_bucket: str, refused: Callable[..., Any]) -> None:
    s3.put_bucket_acl(Bucket=acl_bucket, ACL="public-read")
    grants = s3.get_bucket_acl(Bucket=acl_bucket)["Grants"]
    assert {"Grantee": {"Type": "Group", "URI": ALL_USERS}, "Permission": "READ"} in grants
    s3.put_object(Bucket=acl_bucket, Key="k", ACL="authenticated-read")
    assert len(s3.get_object_acl(Bucket=acl_bucket, Key="k")["Grants"]) == 2
    s3.put_object_acl(Bucket=acl_bucket, Key="k", ACL="private")
    assert len(s3.get_object_acl(Bucket=acl_bucket, Key="k")["Grants"]) == 1
    refused("InvalidArgument", s3.put_bucket_acl, Bucket=acl_bucket, ACL="nonsense")


def test_grants_by_header_and_by_xml(s3: Any, acl_bucket: str, refused: Callable[..., Any]) -> None:
    owner = s3.get_bucket_acl(Bucket=acl_bucket)["Owner"]
    s3.put_bucket_acl(Bucket=acl_bucket, GrantRead=f'uri="{ALL_USERS}"', GrantFullControl=f"id={owner['ID']}")
    assert len(s3.get_bucket_acl(Bucket=acl_bucket)["Grants"]) == 2
    grants = [{"Grantee": {"Type": "CanonicalUser", "ID": owner["ID"]}, "Permission": "WRITE"}]
    s3.put_bucket_acl(Bucket=acl_bucket, AccessControlPolicy={"Owner": owner, "Grants": grants})
    assert s3.get_bucket_acl(Bucket=acl_bucket)["Grants"] == grants
    refused("InvalidArgument", s3.put_bucket_acl, Bucket=acl_bucket, GrantRead="id=nobody")
    refused("InvalidRequest", s3.put_bucket_acl, Bucket=acl_bucket, ACL="private", GrantRead=f'uri="{ALL_USERS}"')
    refused("MissingSecurityHeader", s3.put_bucket_acl, Bucket=acl_bucket)


def test_ownership_controls(s3: Any, bucket: str, acl_bucket: str, refused: Callable[..., Any]) -> None:
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    refused("OwnershipControlsNotFoundError", s3.get_bucket_ownership_controls, Bucket=bucket)
    s3.put_bucket_acl(Bucket=acl_bucket, ACL="public-read")
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    put = s3.put_bucket_ownership_controls
    refused("InvalidBucketAclWithObjectOwnership", put, Bucket=acl_bucket, OwnershipControls=enforced)


def test_public_access_blocks(s3: Any, acl_bucket: str, refused: Callable[..., Any]) -> None:
    block = s3.get_public_access_block(Bucket=acl_bucket)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    s3.put_public_access_block(Bucket=acl_bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    block = s3.get_public_access_block(Bucket=acl_bucket)["PublicAccessBlockConfiguration"]
    assert block["BlockPublicAcls"] is True
    assert block["BlockPublicPolicy"] is False
    refused("AccessDenied", s3.put_bucket_acl, Bucket=acl_bucket, ACL="public-read")
    s3.delete_public_access_block(Bucket=acl_bucket)
    refused("NoSuchPublicAccessBlockConfiguration", s3.get_public_access_block, Bucket=acl_bucket)
    s3.put_bucket_acl(Bucket=acl_bucket, ACL="public-read")


def policy_of(bucket: str, **changes: Any) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **changes}]})


def test_policies(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    refused("NoSuchBucketPolicy", s3.get_bucket_policy, Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy_of(bucket))
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == policy_of(bucket)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicPolicy": True})
    refused("AccessDenied", s3.put_bucket_policy, Bucket=bucket, Policy=policy_of(bucket))
    s3.delete_bucket_policy(Bucket=bucket)
    refused("NoSuchBucketPolicy", s3.get_bucket_policy_status, Bucket=bucket)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("not json", "Policies must be valid JSON and the first byte must be '{'"),
        ("{}", "Missing required field Statement"),
        (policy_of("other"), "Policy has invalid resource"),
        (policy_of("x", Action="ec2:Run"), "Policy has invalid action"),
    ],
)
def test_policies_that_are_refused(
    s3: Any, bucket: str, refused: Callable[..., Any], policy: str, message: str
) -> None:
    assert refused("MalformedPolicy", s3.put_bucket_policy, Bucket=bucket, Policy=policy)["Message"] == message


def test_which_policies_are_public() -> None:
    def public(**changes: Any) -> bool:
        return is_public(json.loads(policy_of("b", **changes)))

    assert public()
    assert public(Principal={"AWS": "*"})
    assert not public(Principal={"AWS": "arn:aws:iam::111122223333:root"})
    assert not public(Effect="Deny")
    assert not public(Condition={"StringEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:1:t"}})
    assert public(Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}})
