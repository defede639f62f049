"""Access control lists: canned ones, grants by header, grants by XML; of buckets and of objects.

A bucket whose ownership is BucketOwnerEnforced (the default) has no ACLs: setting one is refused.
Source: "Access control list (ACL) overview", S3 User Guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, cast

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3.api import (
    GetBucketAclOutput,
    GetBucketAclRequest,
    GetObjectAclOutput,
    GetObjectAclRequest,
    PutBucketAclRequest,
    PutObjectAclOutput,
    PutObjectAclRequest,
)
from cloudlet.emulator.services.s3.configurations import get_config, put_config
from cloudlet.emulator.services.s3.errors import (
    AccessControlListNotSupported,
    AccessDenied,
    InvalidArgument,
    InvalidRequest,
    MalformedACLError,
    MissingSecurityHeader,
    UnexpectedContent,
    UnresolvableGrantByEmailAddress,
)
from cloudlet.emulator.services.s3.events import publish
from cloudlet.emulator.services.s3.history import require_version, rewrite, version_label
from cloudlet.emulator.services.s3.lookup import require_bucket
from cloudlet.emulator.services.s3.records import BucketRecord, Grant, ObjectRecord
from cloudlet.emulator.services.s3.rules import canonical_user_id, owner_of

ENFORCED = "BucketOwnerEnforced"
OWNERSHIPS = frozenset({"BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"})
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
GROUPS = frozenset({ALL_USERS, AUTHENTICATED, LOG_DELIVERY})
EC2_BUNDLES = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c"  # who reads for aws-exec-read
PERMISSIONS = frozenset({"FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"})
GRANT_MEMBERS = MappingProxyType(
    {
        "GrantFullControl": ("FULL_CONTROL", "x-amz-grant-full-control"),
        "GrantRead": ("READ", "x-amz-grant-read"),
        "GrantReadACP": ("READ_ACP", "x-amz-grant-read-acp"),
        "GrantWrite": ("WRITE", "x-amz-grant-write"),
        "GrantWriteACP": ("WRITE_ACP", "x-amz-grant-write-acp"),
    }
)
ACL_MEMBERS = frozenset({"ACL", *GRANT_MEMBERS})
CANNED = MappingProxyType(
    {
        "private": (),
        "public-read": (Grant("Group", ALL_USERS, "READ"),),
        "public-read-write": (Grant("Group", ALL_USERS, "READ"), Grant("Group", ALL_USERS, "WRITE")),
        "authenticated-read": (Grant("Group", AUTHENTICATED, "READ"),),
        "aws-exec-read": (Grant("CanonicalUser", EC2_BUNDLES, "READ"),),
    }
)
OBJECT_CANNED = frozenset({"bucket-owner-read", "bucket-owner-full-control"})
LOG_GRANTS = (Grant("Group", LOG_DELIVERY, "WRITE"), Grant("Group", LOG_DELIVERY, "READ_ACP"))


def has_acl(request: Mapping[str, Any]) -> bool:
    """Whether a request carries an ACL by header."""
    return not ACL_MEMBERS.isdisjoint(request)


def is_private(request: Mapping[str, Any]) -> bool:
    return request.get("ACL") == "private" and not any(member in request for member in GRANT_MEMBERS)


def invalid(name: str, value: str, message: str = "") -> InvalidArgument:
    return InvalidArgument(message, ArgumentName=name, ArgumentValue=value)


def canned_grants(name: str, owner: str, bucket_owner: str | None) -> tuple[Grant, ...]:
    """The grants of a canned ACL; ids are canonical. `bucket_owner` is None for the ACL of a bucket."""
    full = Grant("CanonicalUser", owner, "FULL_CONTROL")
    if name in CANNED:
        return (full, *CANNED[name])
    if name == "log-delivery-write" and bucket_owner is None:
        return (full, *LOG_GRANTS)
    if name in OBJECT_CANNED and bucket_owner is not None:
        if bucket_owner == owner:
            return (full,)
        return (full, Grant("CanonicalUser", bucket_owner, "READ" if name == "bucket-owner-read" else "FULL_CONTROL"))
    raise invalid("x-amz-acl", name)


def header_grants(request: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Grants of the `x-amz-grant-…` headers: lists of `id="…"`, `uri="…"`, `emailAddress="…"`."""
    grants = []
    for member, (permission, header) in GRANT_MEMBERS.items():
        for entry in (request.get(member) or "").split(","):
            if not entry.strip():
                continue
            kind, equals, value = entry.strip().partition("=")
            value = value.strip().strip('"')
            if not equals or kind not in ("id", "uri", "emailAddress"):
                raise invalid(header, request[member], "Argument format not recognized")
            if kind == "emailAddress":
                raise UnresolvableGrantByEmailAddress
            grants.append(checked_grant("CanonicalUser" if kind == "id" else "Group", value, permission, kind))
    return tuple(grants)


def checked_grant(kind: str, grantee: str, permission: str, argument: str) -> Grant:
    if kind == "CanonicalUser" and not is_canonical_id(grantee):
        raise invalid(argument, grantee, "Invalid id")
    if kind == "Group" and grantee not in GROUPS:
        raise invalid(argument, grantee, "Invalid group uri")
    return Grant(kind, grantee, permission)


def is_canonical_id(text: str) -> bool:
    return len(text) == 64 and not set(text) - set("0123456789abcdef")


def policy_grants(policy: Mapping[str, Any], owner: str) -> tuple[Grant, ...]:
    """Grants of an `AccessControlPolicy` element. Raises MalformedACLError, InvalidArgument and AccessDenied."""
    stated = policy.get("Owner")
    if not stated or "ID" not in stated or "Grants" not in policy:
        raise MalformedACLError
    if not is_canonical_id(stated["ID"]):
        raise invalid("CanonicalUser/ID", stated["ID"], "Invalid id")
    if stated["ID"] != owner:
        raise AccessDenied
    grants = []
    for entry in policy["Grants"]:
        grantee = entry.get("Grantee") or {}
        permission, kind = entry.get("Permission", ""), grantee.get("Type")
        if permission not in PERMISSIONS:
            raise MalformedACLError
        if kind == "AmazonCustomerByEmail" or (kind is None and "EmailAddress" in grantee):
            raise UnresolvableGrantByEmailAddress
        if kind == "CanonicalUser" and "ID" in grantee:
            grants.append(checked_grant(kind, grantee["ID"], permission, "CanonicalUser/ID"))
        elif kind == "Group" and "URI" in grantee:
            grants.append(checked_grant(kind, grantee["URI"], permission, "Group/URI"))
        else:
            raise MalformedACLError
    return tuple(grants)


def requested_grants(request: Mapping[str, Any], owner: str, bucket_owner: str | None) -> tuple[Grant, ...]:
    """The ACL of a request in whichever form it has it; ids are canonical."""
    canned, policy = request.get("ACL"), request.get("AccessControlPolicy")
    by_header = any(member in request for member in GRANT_MEMBERS)
    if canned is not None and by_header:
        raise InvalidRequest("Specifying both Canned ACLs and Header Grants is not allowed")
    if policy is not None and (canned is not None or by_header):
        raise UnexpectedContent
    if canned is not None:
        return canned_grants(canned, owner, bucket_owner)
    if by_header:
        return header_grants(request)
    if policy is not None:
        return policy_grants(policy, owner)
    raise MissingSecurityHeader(MissingHeaderName="x-amz-acl")


def object_grants(request: Mapping[str, Any], bucket: BucketRecord, owner_account: str) -> tuple[Grant, ...] | None:
    """The ACL of a new object; None stands for the private one. Raises AccessControlListNotSupported."""
    if not has_acl(request):
        return None
    if bucket.ownership == ENFORCED:
        if request.get("ACL") == "bucket-owner-full-control" or is_private(request):
            return None  # both say what holds anyway: the owner has full control
        if "ACL" in request and request["ACL"] not in CANNED and request["ACL"] not in OBJECT_CANNED:
            raise invalid("x-amz-acl", request["ACL"])
        raise AccessControlListNotSupported
    if is_private(request):
        return None
    return requested_grants(request, canonical_user_id(owner_account), canonical_user_id(bucket.account_id))


def bucket_grants(bucket: BucketRecord, request: Mapping[str, Any]) -> list[list[str]]:
    """The stored form of a bucket's ACL."""
    return stored(requested_grants(request, canonical_user_id(bucket.account_id), None))


def stored(grants: Iterable[Grant]) -> list[list[str]]:
    return [[grant.kind, grant.grantee, grant.permission] for grant in grants]


def is_public(grants: Iterable[Grant]) -> bool:
    return any(grant.grantee in (ALL_USERS, AUTHENTICATED) for grant in grants)


def api_grants(grants: Iterable[Grant]) -> list[dict[str, Any]]:
    """`Grants` as the API shows them."""
    found: list[dict[str, Any]] = []
    for grant in grants:
        if grant.kind == "Group":
            grantee = {"Type": "Group", "URI": grant.grantee}
        else:
            grantee = {"Type": grant.kind, "ID": grant.grantee}
        found.append({"Grantee": grantee, "Permission": grant.permission})
    return found


def check_public_acl_allowed(call: Call, bucket: BucketRecord, grants: Iterable[Grant]) -> None:
    """Raises AccessDenied where the bucket's public access block refuses public ACLs."""
    block = get_config(call.tx, bucket.name, "public_access_block")
    if block is not None and block.get("BlockPublicAcls") and is_public(grants):
        raise AccessDenied


@read_write
def put_bucket_acl(call: Call, request: PutBucketAclRequest) -> None:
    bucket = require_bucket(call, request)
    grants = requested_grants(request, canonical_user_id(bucket.account_id), None)
    check_public_acl_allowed(call, bucket, grants)
    if bucket.ownership == ENFORCED:
        raise AccessControlListNotSupported
    put_config(call.tx, bucket.name, "acl", {"Grants": stored(grants)})


@read_only
def get_bucket_acl(call: Call, request: GetBucketAclRequest) -> GetBucketAclOutput:
    bucket = require_bucket(call, request)
    owner = owner_of(bucket.account_id)
    config = get_config(call.tx, bucket.name, "acl")
    if config is None or bucket.ownership == ENFORCED:
        grants: tuple[Grant, ...] = (Grant("CanonicalUser", owner["ID"], "FULL_CONTROL"),)
    else:
        grants = tuple(Grant(*entry) for entry in config["Grants"])
    shown = {"Owner": owner, "Grants": api_grants(grants)}
    return cast(GetBucketAclOutput, shown)


@read_write
def put_object_acl(call: Call, request: PutObjectAclRequest) -> PutObjectAclOutput:
    bucket = require_bucket(call, request)
    record = require_version(call.tx, bucket, request)
    grants = requested_grants(request, canonical_user_id(record.owner), canonical_user_id(bucket.account_id))
    if bucket.ownership == ENFORCED and request.get("ACL") != "bucket-owner-full-control":
        raise AccessControlListNotSupported
    check_public_acl_allowed(call, bucket, grants)
    rewrite(call.tx, record, msgspec.structs.replace(record, acl=grants))
    publish(call, bucket, "ObjectAcl:Put", record)
    return {}


@read_only
def get_object_acl(call: Call, request: GetObjectAclRequest) -> GetObjectAclOutput:
    bucket = require_bucket(call, request)
    record = require_version(call.tx, bucket, request)
    shown: dict[str, Any] = {
        "Owner": owner_of(record.owner),
        "Grants": api_grants(effective_grants(record)),
    }
    if bucket.versioning:
        shown["VersionId"] = version_label(record)
    return cast(GetObjectAclOutput, shown)


def effective_grants(record: ObjectRecord) -> tuple[Grant, ...]:
    """The grants of an object; without a stored ACL its owner's full control."""
    if record.acl is not None:
        return record.acl
    return (Grant("CanonicalUser", canonical_user_id(record.owner), "FULL_CONTROL"),)
