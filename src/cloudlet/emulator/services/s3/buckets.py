"""Buckets: create, delete, head, list, locate."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3.acls import OWNERSHIPS, bucket_grants, has_acl, is_private
from cloudlet.emulator.services.s3.api import (
    CreateBucketOutput,
    CreateBucketRequest,
    DeleteBucketRequest,
    GetBucketLocationOutput,
    GetBucketLocationRequest,
    HeadBucketOutput,
    HeadBucketRequest,
    ListBucketsOutput,
    ListBucketsRequest,
)
from cloudlet.emulator.services.s3.configurations import delete_all_configs, put_config
from cloudlet.emulator.services.s3.errors import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    IllegalLocationConstraintException,
    InvalidArgument,
    InvalidBucketAclWithObjectOwnership,
    InvalidBucketName,
    InvalidLocationConstraint,
    InvalidTag,
    MalformedXML,
)
from cloudlet.emulator.services.s3.lookup import element, require_bucket
from cloudlet.emulator.services.s3.records import BUCKETS, CURRENT, ENABLED, VERSIONS, BucketRecord
from cloudlet.emulator.services.s3.rules import (
    DEFAULT_REGION,
    REGIONS,
    check_bucket_tags,
    is_bucket_name,
    owner_of,
    tag_pairs,
    tag_set,
)
from cloudlet.emulator.services.s3.uploads import delete_all_uploads


def bucket_arn(call: Call, name: str) -> str:
    return f"arn:{call.partition}:s3:::{name}"


@read_write
def create_bucket(call: Call, request: CreateBucketRequest) -> CreateBucketOutput:
    name = request["Bucket"]
    if not is_bucket_name(name):
        raise InvalidBucketName(BucketName=name)
    configuration = element(request, "CreateBucketConfiguration")
    location = configuration.get("LocationConstraint") or ""
    region = bucket_region(call, location)
    ownership = request.get("ObjectOwnership")
    if ownership is not None and ownership not in OWNERSHIPS:
        raise InvalidArgument(
            f"Invalid x-amz-object-ownership header: {ownership}", ArgumentName="x-amz-object-ownership"
        )
    tags = new_tags(configuration)
    existing = BUCKETS.get(call.tx, name)
    if existing is not None:
        if existing.account_id != call.account_id:
            raise BucketAlreadyExists(BucketName=name)
        if not (existing.region == DEFAULT_REGION == call.region and not location and not configuration.get("Tags")):
            raise BucketAlreadyOwnedByYou(BucketName=name)
        return {"Location": f"/{name}", "BucketArn": bucket_arn(call, name)}
    ownership = ownership or "BucketOwnerEnforced"
    if has_acl(request) and ownership == "BucketOwnerEnforced" and not is_private(request):
        raise InvalidBucketAclWithObjectOwnership
    locked = bool(request.get("ObjectLockEnabledForBucket"))
    bucket = BucketRecord(
        name=name,
        account_id=call.account_id,
        region=region,
        created=call.now,
        location=location,
        versioning=ENABLED if locked else "",
        object_lock=locked,
        ownership=ownership,
    )
    BUCKETS.put(call.tx, bucket)
    if has_acl(request) and not is_private(request):
        put_config(call.tx, name, "acl", {"Grants": bucket_grants(bucket, request)})
    if tags:
        put_config(call.tx, name, "tagging", {"TagSet": tag_set(tags)})
    where = f"/{name}" if region == DEFAULT_REGION else f"http://{name}.s3.amazonaws.com/"
    return {"Location": where, "BucketArn": bucket_arn(call, name)}


def new_tags(configuration: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a new bucket. Raises MalformedXML and InvalidTag."""
    tags = configuration.get("Tags") or ()
    for tag in tags:
        if "Key" not in tag or "Value" not in tag:
            raise MalformedXML
        if tag["Key"].startswith("aws:"):
            raise InvalidTag(
                'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. Remove '
                '"aws:" from your tag keys and try again.'
            )
    return check_bucket_tags(tag_pairs(tags))


def bucket_region(call: Call, location: str) -> str:
    """The region of a new bucket: the constraint's, which must be the endpoint's unless that is us-east-1.

    Raises IllegalLocationConstraintException and InvalidLocationConstraint.
    """
    if call.region == DEFAULT_REGION:
        if not location:
            return DEFAULT_REGION
        if location == DEFAULT_REGION:
            raise InvalidLocationConstraint(LocationConstraint=location)
    elif not location:
        raise IllegalLocationConstraintException
    region = "eu-west-1" if location == "EU" else location
    if call.region not in (DEFAULT_REGION, region):
        raise IllegalLocationConstraintException(
            f"The {location} location constraint is incompatible for the region specific endpoint this request was "
            "sent to."
        )
    if region not in REGIONS and region != DEFAULT_REGION and not call.settings.allow_nonstandard_regions:
        raise InvalidLocationConstraint(LocationConstraint=location)
    return region


@read_write
def delete_bucket(call: Call, request: DeleteBucketRequest) -> None:
    bucket = require_bucket(call, request)
    name = bucket.name
    for table in (CURRENT, VERSIONS):
        if next(iter(table.scan(call.tx, name, limit=1)), None) is not None:
            text = "The bucket you tried to delete is not empty"
            if bucket.versioning:
                text += ". You must delete all versions in the bucket."
            raise BucketNotEmpty(text, BucketName=name)
    delete_all_configs(call.tx, name)
    delete_all_uploads(call.tx, name)
    BUCKETS.delete(call.tx, name)


@read_only
def head_bucket(call: Call, request: HeadBucketRequest) -> HeadBucketOutput:
    bucket = require_bucket(call, request)
    return {"BucketArn": bucket_arn(call, bucket.name), "BucketRegion": bucket.region, "AccessPointAlias": False}


@read_only
def get_bucket_location(call: Call, request: GetBucketLocationRequest) -> GetBucketLocationOutput:
    bucket = require_bucket(call, request)
    if bucket.region == DEFAULT_REGION:
        return {}
    return {"LocationConstraint": bucket.location or bucket.region}


@read_only
def list_buckets(call: Call, request: ListBucketsRequest) -> ListBucketsOutput:
    token = request.get("ContinuationToken")
    after = None if token is None else decode_token(token)
    limit = request.get("MaxBuckets", 10_000)
    prefix, region = request.get("Prefix", ""), request.get("BucketRegion")
    found: list[dict[str, Any]] = []
    last = ""
    more = False
    for bucket in BUCKETS.lookup(call.tx, "by_account", call.account_id):
        name = bucket.name
        if (after is not None and name <= after) or not name.startswith(prefix):
            continue
        if region is not None and bucket.region != region:
            continue
        if len(found) == limit:
            more = True
            break
        found.append(
            {
                "Name": name,
                "CreationDate": float(int(bucket.created)),
                "BucketRegion": bucket.region,
                "BucketArn": bucket_arn(call, name),
            }
        )
        last = name
    result: dict[str, Any] = {"Buckets": found, "Owner": owner_of(call.account_id)}
    if prefix:
        result["Prefix"] = prefix
    if more:
        result["ContinuationToken"] = encode_token(last)
    return cast(ListBucketsOutput, result)


def encode_token(text: str) -> str:
    """A continuation token: the place to go on after, opaque to clients."""
    return urlsafe_b64encode(text.encode()).decode()


def decode_token(token: str) -> str:
    """Raises InvalidArgument for what is none of our tokens."""
    try:
        return urlsafe_b64decode(token.encode()).decode()
    except (Base64Error, ValueError):
        raise InvalidArgument(
            "The continuation token provided is incorrect", ArgumentName="continuation-token"
        ) from None
