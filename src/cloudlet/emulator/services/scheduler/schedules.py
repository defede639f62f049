"""Schedules: creating, describing, changing, listing, deleting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.scheduler.api import (
    CreateScheduleInput,
    CreateScheduleOutput,
    DeleteScheduleInput,
    DeleteScheduleOutput,
    GetScheduleInput,
    GetScheduleOutput,
    ListSchedulesInput,
    ListSchedulesOutput,
    ScheduleSummary,
    UpdateScheduleInput,
    UpdateScheduleOutput,
)
from cloudlet.emulator.services.scheduler.definitions import checked_definition
from cloudlet.emulator.services.scheduler.errors import no_such_schedule, schedule_exists, token_was_used
from cloudlet.emulator.services.scheduler.groups import DEFAULT, group_of
from cloudlet.emulator.services.scheduler.paging import decode_token, encode_token, page
from cloudlet.emulator.services.scheduler.records import SCHEDULES, ScheduleRecord
from cloudlet.emulator.services.scheduler.timers import start, stop

TIMING = ("ScheduleExpression", "StartDate", "State")  # a change of these begins a rate anew


@read_write
def create_schedule(call: Call, request: CreateScheduleInput) -> CreateScheduleOutput:
    """The same ClientToken gives the same schedule.

    Raises ConflictException, ResourceNotFoundException for the group, ValidationException.
    """
    name, group, token = request["Name"], request.get("GroupName", DEFAULT), request.get("ClientToken", "")
    definition = checked_definition(request, call.now)
    group_of(call, group)
    existing = SCHEDULES.get(call.tx, call.account_id, call.region, group, name)
    if existing is not None:
        if not token or existing.token != token:
            raise schedule_exists(name)
        if existing.definition != definition:
            raise token_was_used()
        return {"ScheduleArn": schedule_arn(call, group, name)}
    schedule = ScheduleRecord(
        call.account_id,
        call.region,
        group,
        name,
        call.now,
        call.now,
        definition.get("StartDate") or call.now,
        call.ids.hex(16),
        definition,
        token,
    )
    SCHEDULES.put(call.tx, schedule)
    if schedule.is_enabled:
        start(call, schedule)
    return {"ScheduleArn": schedule_arn(call, group, name)}


@read_only
def get_schedule(call: Call, request: GetScheduleInput) -> GetScheduleOutput:
    """Raises ResourceNotFoundException."""
    schedule = schedule_of(call, request)
    shown: dict[str, Any] = {
        "Arn": schedule_arn(call, schedule.group, schedule.name),
        "CreationDate": schedule.created,
        "GroupName": schedule.group,
        "LastModificationDate": schedule.modified,
        "Name": schedule.name,
        **schedule.definition,
    }
    return shown  # type: ignore[return-value]


@read_write
def update_schedule(call: Call, request: UpdateScheduleInput) -> UpdateScheduleOutput:
    """What is not given goes back to its default. Raises ResourceNotFoundException, ValidationException."""
    before = schedule_of(call, request)
    definition = checked_definition(request, call.now)
    anew = any(definition.get(name) != before.definition.get(name) for name in TIMING)
    schedule = replace(
        before,
        modified=call.now,
        anchor=(definition.get("StartDate") or call.now) if anew else before.anchor,
        revision=call.ids.hex(16),
        definition=definition,
    )
    SCHEDULES.put(call.tx, schedule)
    if schedule.is_enabled:
        start(call, schedule, None if anew else call.now)
    else:
        stop(call, schedule)
    return {"ScheduleArn": schedule_arn(call, schedule.group, schedule.name)}


@read_write
def delete_schedule(call: Call, request: DeleteScheduleInput) -> DeleteScheduleOutput:
    """Raises ResourceNotFoundException."""
    remove(call, schedule_of(call, request))
    return {}


@read_only
def list_schedules(call: Call, request: ListSchedulesInput) -> ListSchedulesOutput:
    """By group and name. Raises ResourceNotFoundException for the group, ValidationException."""
    prefix, state = request.get("NamePrefix", ""), request.get("State")
    after = decode_token(request.get("NextToken"), 2)
    group = request.get("GroupName")
    if group is None:
        scanned = SCHEDULES.scan(call.tx, call.account_id, call.region, after=after)
    else:
        group_of(call, group)
        within = (after[1],) if after is not None else None
        scanned = SCHEDULES.scan(call.tx, call.account_id, call.region, group, after=within)
    wanted = (
        schedule
        for schedule in scanned
        if schedule.name.startswith(prefix) and state in (None, schedule.definition["State"])
    )
    found, more = page(wanted, request.get("MaxResults"))
    result: ListSchedulesOutput = {"Schedules": [summary(call, schedule) for schedule in found]}
    if more:
        result["NextToken"] = encode_token(found[-1].group, found[-1].name)
    return result


def schedule_of(call: Call, request: Mapping[str, Any]) -> ScheduleRecord:
    """Raises ResourceNotFoundException."""
    group, name = request.get("GroupName", DEFAULT), request["Name"]
    schedule = SCHEDULES.get(call.tx, call.account_id, call.region, group, name)
    if schedule is None:
        group_of(call, group)
        raise no_such_schedule(name)
    return schedule


def remove(call: Call, schedule: ScheduleRecord) -> None:
    stop(call, schedule)
    SCHEDULES.delete(call.tx, schedule.account_id, schedule.region, schedule.group, schedule.name)


def schedule_arn(call: Call, group: str, name: str) -> str:
    return f"arn:{call.partition}:scheduler:{call.region}:{call.account_id}:schedule/{group}/{name}"


def summary(call: Call, schedule: ScheduleRecord) -> ScheduleSummary:
    return {
        "Arn": schedule_arn(call, schedule.group, schedule.name),
        "CreationDate": schedule.created,
        "GroupName": schedule.group,
        "LastModificationDate": schedule.modified,
        "Name": schedule.name,
        "State": schedule.definition["State"],
        "Target": {"Arn": schedule.definition["Target"]["Arn"]},
    }
