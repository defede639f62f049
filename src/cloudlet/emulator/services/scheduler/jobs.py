"""What happens when a schedule is due: its target gets its input, and the timer is set anew or the schedule is done."""

from __future__ import annotations

import logging
import re
from typing import Any

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.eventing.deliveries import Parcel, policy_of, send, to_dead_letters
from cloudlet.emulator.eventing.inputs import compact
from cloudlet.emulator.eventing.targets import errand_of
from cloudlet.emulator.eventing.targets.errands import Errand, UnknownTarget
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.scheduler.records import SCHEDULES, ScheduleRecord
from cloudlet.emulator.services.scheduler.schedules import remove, schedule_arn
from cloudlet.emulator.services.scheduler.timers import next_after, start

LOG = logging.getLogger("cloudlet.scheduler")
DELIVER = "scheduler.deliver"
ATTRIBUTE = re.compile(r"<aws\.scheduler\.(schedule-arn|scheduled-time|execution-id|attempt-number)>")


async def fire(call: Call, payload: dict[str, Any]) -> None:
    """Delivery and timer are one transaction: an occurrence is neither lost nor run twice."""
    with call.transaction() as tx:
        schedule = SCHEDULES.get(tx, call.account_id, call.region, payload["group"], payload["name"])
        if schedule is None or not schedule.is_enabled or schedule.revision != payload["revision"]:
            return
        occurrence = payload["occurrence"]
        run(call, schedule, occurrence)
        more = start(call, schedule, next_after(schedule, occurrence, call.now))
        if not more and schedule.definition["ActionAfterCompletion"] == "DELETE":
            remove(call, schedule)


def fire_gave_up(call: Call, payload: dict[str, Any], reason: str) -> None:
    """An occurrence that could not be run, whatever the fault, must not end the schedule."""
    schedule = SCHEDULES.get(call.tx, call.account_id, call.region, payload["group"], payload["name"])
    if schedule is not None and schedule.is_enabled and schedule.revision == payload["revision"]:
        LOG.error("an occurrence of the schedule %s was lost: %s", schedule.name, reason)
        start(call, schedule, call.now)


def run(call: Call, schedule: ScheduleRecord, occurrence: float) -> None:
    """Send the schedule's target its input."""
    target = schedule.definition["Target"]
    arn = schedule_arn(call, schedule.group, schedule.name)
    moment = f"{Clock.iso_seconds(occurrence)}Z"
    execution = call.ids.hex(16)
    event = scheduled_event(call, arn, moment)
    text = target.get("Input")
    if text is None:
        text = compact(event)
    else:
        values = {"schedule-arn": arn, "scheduled-time": moment, "execution-id": execution, "attempt-number": "1"}
        text = ATTRIBUTE.sub(lambda found: values[found[1]], text)
    refusal = ""
    try:
        errand = errand_of(target, text, event, unique=call.ids.uuid())
    except UnknownTarget as error:
        errand, refusal = Errand(call.account_id, call.region, "", "", {}), str(error)
    parcel = Parcel(
        errand=errand,
        text=text if errand.service in ("", "lambda") else compact(errand.request),
        attributes={
            "EXECUTION_ID": execution,
            "IS_PAYLOAD_TRUNCATED": "false",
            "SCHEDULED_TIME": moment,
            "SCHEDULE_ARN": arn,
            "TARGET_ARN": target["Arn"],
        },
        is_document=target["Arn"].partition(":scheduler:::")[1] != "",
        own_codes=False,
        **policy_of(target),
    )
    if refusal:
        to_dead_letters(call, parcel, "InvalidParameter", refusal, 0, exhausted="")
    else:
        send(call, parcel, DELIVER)


def scheduled_event(call: Call, arn: str, moment: str) -> dict[str, Any]:
    """What a target without input gets."""
    return {
        "version": "0",
        "id": call.ids.uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": call.account_id,
        "time": moment,
        "region": call.region,
        "resources": [arn],
        "detail": "{}",
    }
