"""Schedule groups: creating, describing, listing, deleting with all that is in them, and their tags."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.scheduler.api import (
    CreateScheduleGroupInput,
    CreateScheduleGroupOutput,
    DeleteScheduleGroupInput,
    DeleteScheduleGroupOutput,
    GetScheduleGroupInput,
    GetScheduleGroupOutput,
    ListScheduleGroupsInput,
    ListScheduleGroupsOutput,
    ListTagsForResourceInput,
    ListTagsForResourceOutput,
    ScheduleGroupSummary,
    TagResourceInput,
    TagResourceOutput,
    UntagResourceInput,
    UntagResourceOutput,
)
from cloudlet.emulator.services.scheduler.errors import group_exists, invalid, no_such_group, token_was_used
from cloudlet.emulator.services.scheduler.paging import decode_token, encode_token, page
from cloudlet.emulator.services.scheduler.records import GROUPS, SCHEDULES, Group
from cloudlet.emulator.services.scheduler.timers import stop

DEFAULT = "default"
MOST_TAGS = 50


@read_write
def create_schedule_group(call: Call, request: CreateScheduleGroupInput) -> CreateScheduleGroupOutput:
    """The same ClientToken gives the same group. Raises ConflictException, ValidationException."""
    name = request["Name"]
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())}
    check_tags(tags)
    token = request.get("ClientToken", "")
    existing = find_group(call, name)
    if existing is not None:
        if not token or existing.token != token:
            raise group_exists(name)
        if existing.tags != tags:
            raise token_was_used()
    else:
        GROUPS.put(call.tx, Group(call.account_id, call.region, name, call.now, call.now, tags, token))
    return {"ScheduleGroupArn": group_arn(call, name)}


@read_only
def get_schedule_group(call: Call, request: GetScheduleGroupInput) -> GetScheduleGroupOutput:
    """Raises ResourceNotFoundException."""
    return described(call, group_of(call, request["Name"]))


@read_only
def list_schedule_groups(call: Call, request: ListScheduleGroupsInput) -> ListScheduleGroupsOutput:
    """By name; `default` is among them. Raises ValidationException."""
    prefix = request.get("NamePrefix", "")
    after = decode_token(request.get("NextToken"), 1)
    stored = {group.name: group for group in GROUPS.scan(call.tx, call.account_id, call.region)}
    stored.setdefault(DEFAULT, group_of(call, DEFAULT))
    wanted = [stored[name] for name in sorted(stored) if name.startswith(prefix) and (after is None or name > after[0])]
    found, more = page(wanted, request.get("MaxResults"))
    result: ListScheduleGroupsOutput = {"ScheduleGroups": [summary(call, group) for group in found]}
    if more:
        result["NextToken"] = encode_token(found[-1].name)
    return result


@read_write
def delete_schedule_group(call: Call, request: DeleteScheduleGroupInput) -> DeleteScheduleGroupOutput:
    """Its schedules go with it, at once. Raises ResourceNotFoundException, ValidationException for `default`."""
    name = request["Name"]
    if name == DEFAULT:
        raise invalid("The default schedule group cannot be deleted.")
    group_of(call, name)
    for schedule in list(SCHEDULES.scan(call.tx, call.account_id, call.region, name)):
        stop(call, schedule)
        SCHEDULES.delete(call.tx, call.account_id, call.region, name, schedule.name)
    GROUPS.delete(call.tx, call.account_id, call.region, name)
    return {}


@read_only
def list_tags_for_resource(call: Call, request: ListTagsForResourceInput) -> ListTagsForResourceOutput:
    """Raises ResourceNotFoundException."""
    group = group_by_arn(call, request["ResourceArn"])
    return {"Tags": [{"Key": key, "Value": value} for key, value in group.tags.items()]}


@read_write
def tag_resource(call: Call, request: TagResourceInput) -> TagResourceOutput:
    """Raises ResourceNotFoundException, ValidationException."""
    group = group_by_arn(call, request["ResourceArn"])
    tags = group.tags | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    check_tags(tags)
    GROUPS.put(call.tx, replace(group, tags=tags, modified=call.now))
    return {}


@read_write
def untag_resource(call: Call, request: UntagResourceInput) -> UntagResourceOutput:
    """Raises ResourceNotFoundException."""
    group = group_by_arn(call, request["ResourceArn"])
    tags = {key: value for key, value in group.tags.items() if key not in request["TagKeys"]}
    GROUPS.put(call.tx, replace(group, tags=tags, modified=call.now))
    return {}


def find_group(call: Call, name: str) -> Group | None:
    group = GROUPS.get(call.tx, call.account_id, call.region, name)
    if group is None and name == DEFAULT:
        return Group(call.account_id, call.region, DEFAULT, 0.0, 0.0, {})
    return group


def group_of(call: Call, name: str) -> Group:
    """Raises ResourceNotFoundException."""
    group = find_group(call, name)
    if group is None:
        raise no_such_group(name)
    return group


def group_by_arn(call: Call, arn: str) -> Group:
    """Raises ResourceNotFoundException."""
    return group_of(call, arn.rpartition("/")[2])


def group_arn(call: Call, name: str) -> str:
    return f"arn:{call.partition}:scheduler:{call.region}:{call.account_id}:schedule-group/{name}"


def described(call: Call, group: Group) -> GetScheduleGroupOutput:
    return {
        "Arn": group_arn(call, group.name),
        "CreationDate": group.created,
        "LastModificationDate": group.modified,
        "Name": group.name,
        "State": "ACTIVE",
    }


def summary(call: Call, group: Group) -> ScheduleGroupSummary:
    found: Any = described(call, group)
    return found  # type: ignore[no-any-return]


def check_tags(tags: dict[str, str]) -> None:
    """Raises ValidationException."""
    if len(tags) > MOST_TAGS:
        raise invalid(f"Too many tags: {len(tags)}, the limit is {MOST_TAGS}.")
    for key in tags:
        if key.lower().startswith("aws:"):
            raise invalid("aws: prefixed tag key names are not allowed for external use.")
