"""S3 Control: access points of buckets that the native S3 has, and tags of buckets."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.paging import page
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
LISTED = 1000


def refuse(code: str, message: str, status: int = 400) -> UnmodelledError:
    return UnmodelledError(code, message, status)


def points_of(asked: Asked, backend: Any) -> dict[str, Any]:
    found: dict[str, Any] = backend.access_points[asked.request["AccountId"]]
    return found


def create_access_point(asked: Asked) -> dict[str, Any]:
    request = asked.request
    try:
        asked.other("s3", "HeadBucket", {"Bucket": request["Bucket"]})
    except AwsError as error:
        raise refuse("InvalidRequest", "The specified bucket does not exist") from error
    with asked.state() as backend:
        if request["Name"] in points_of(asked, backend):
            raise refuse(
                "AccessPointAlreadyOwnedByYou",
                "Your previous request to create the named accesspoint succeeded and you already own it.",
                409,
            )
        answer = asked.proceed()
        point = points_of(asked, backend)[request["Name"]]
        given = request.get("PublicAccessBlockConfiguration")
        point.pubc = {name: True if given is None else bool(given.get(name)) for name in BLOCKS}
        point.arn = point.arn.replace(":us-east-1:", f":{asked.call.region}:")
        point.bucket_account = request.get("BucketAccountId") or asked.call.account_id
    return {**answer, "AccessPointArn": point.arn}


def get_access_point(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        point = points_of(asked, backend).get(asked.request["Name"])
        answer = asked.proceed()
    if point is not None:
        answer["BucketAccountId"] = getattr(point, "bucket_account", asked.call.account_id)
        answer["PublicAccessBlockConfiguration"] = {name: point.pubc[name] in (True, "true") for name in BLOCKS}
    return answer


def list_access_points(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        points = [point for _, point in sorted(points_of(asked, backend).items())]
    found = [
        {
            "Name": point.name,
            "NetworkOrigin": point.network_origin,
            **({"VpcConfiguration": {"VpcId": point.vpc_id}} if point.vpc_id else {}),
            "Bucket": point.bucket,
            "AccessPointArn": point.arn,
            "Alias": point.alias,
            "BucketAccountId": getattr(point, "bucket_account", asked.call.account_id),
        }
        for point in points
        if request.get("Bucket") in (None, point.bucket)
    ]
    shown, following = page(
        found,
        min(request.get("MaxResults", LISTED), LISTED),
        request.get("NextToken"),
        lambda: refuse("InvalidRequest", "Invalid NextToken provided"),
    )
    return {"AccessPointList": list(shown)} | ({"NextToken": following} if following else {})


# --- tags of buckets


def tags_of(asked: Asked) -> tuple[str, dict[str, str]]:
    """(bucket, its tags). Raises NoSuchResource."""
    bucket = asked.request["ResourceArn"].rpartition(":")[2]
    try:
        found = asked.other("s3", "GetBucketTagging", {"Bucket": bucket})
    except AwsError as error:
        if error.code == "NoSuchTagSet":
            return bucket, {}
        raise refuse("NoSuchResource", "The specified resource doesn't exist.", 404) from error
    return bucket, {tag["Key"]: tag["Value"] for tag in found["TagSet"]}


def put_tags(asked: Asked, bucket: str, tags: dict[str, str]) -> None:
    if tags:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        asked.other("s3", "PutBucketTagging", {"Bucket": bucket, "Tagging": {"TagSet": listed}})
    else:
        asked.other("s3", "DeleteBucketTagging", {"Bucket": bucket})


def list_tags(asked: Asked) -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags_of(asked)[1].items()]}


def tag_resource(asked: Asked) -> dict[str, Any]:
    bucket, tags = tags_of(asked)
    put_tags(asked, bucket, tags | {tag["Key"]: tag["Value"] for tag in asked.request["Tags"]})
    return {}


def untag_resource(asked: Asked) -> dict[str, Any]:
    bucket, tags = tags_of(asked)
    put_tags(asked, bucket, {key: value for key, value in tags.items() if key not in asked.request["TagKeys"]})
    return {}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CreateAccessPoint": create_access_point,
        "GetAccessPoint": get_access_point,
        "ListAccessPoints": list_access_points,
        "ListTagsForResource": list_tags,
        "TagResource": tag_resource,
        "UntagResource": untag_resource,
    }
)
