"""Tags of tables: TagResource, UntagResource, ListTagsOfResource."""

from __future__ import annotations

from typing import Any, Final, cast

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.dynamodb.api import (
    ListTagsOfResourceInput,
    ListTagsOfResourceOutput,
    ResourceNotFoundException,
    TagResourceInput,
    UntagResourceInput,
)
from cloudlet.emulator.services.dynamodb.catalog import find_table
from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.records import TABLES, TableRecord

MAX_TAGS: Final = 50

Tags = tuple[tuple[str, str], ...]


def checked_tags(tags: list[Any]) -> Tags:
    """Tags as they are stored. Raises ValidationException."""
    found: dict[str, str] = {}
    for tag in tags:
        if tag["Key"] in found:
            raise ValidationException(f"One or more parameter values were invalid: Duplicate tag key: {tag['Key']}")
        if tag["Key"].lower().startswith("aws:"):
            raise ValidationException(
                "One or more parameter values were invalid: Tag keys beginning with 'aws:' are reserved"
            )
        found[tag["Key"]] = tag["Value"]
    if len(found) > MAX_TAGS:
        raise ValidationException("One or more parameter values were invalid: Too many tags: the limit is 50")
    return tuple(found.items())


def tagged_table(call: Call, arn: str) -> TableRecord:
    """The table with this ARN."""
    if not arn.startswith("arn:"):
        raise ValidationException(f"Invalid TableArn: Invalid ResourceArn provided as input {arn}")
    try:
        return find_table(call, arn)
    except ResourceNotFoundException:
        raise ResourceNotFoundException(f"Requested resource not found: ResourcArn: {arn} not found") from None


@read_write
def tag_resource(call: Call, request: TagResourceInput) -> None:
    new = checked_tags(cast("list[Any]", request["Tags"]))
    table = tagged_table(call, request["ResourceArn"])
    if not new:
        raise ValidationException("Atleast one Tag needs to be provided as Input.")
    merged = {**dict(table.tags), **dict(new)}
    if len(merged) > MAX_TAGS:
        raise ValidationException("One or more parameter values were invalid: Too many tags: the limit is 50")
    TABLES.put(call.tx, replace(table, tags=tuple(merged.items())))


@read_write
def untag_resource(call: Call, request: UntagResourceInput) -> None:
    table = tagged_table(call, request["ResourceArn"])
    keys = set(request["TagKeys"])
    if not keys:
        raise ValidationException("Atleast one Tag Key needs to be provided as Input.")
    TABLES.put(call.tx, replace(table, tags=tuple(tag for tag in table.tags if tag[0] not in keys)))


@read_only
def list_tags_of_resource(call: Call, request: ListTagsOfResourceInput) -> ListTagsOfResourceOutput:
    table = tagged_table(call, request["ResourceArn"])
    return {"Tags": [{"Key": key, "Value": value} for key, value in table.tags]}
