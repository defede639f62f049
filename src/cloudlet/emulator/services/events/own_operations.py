"""Operations of our own: run a rule now (`/_aws/events/rules/{arn}/trigger`), and take the event of another service."""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.events.jobs import trigger
from cloudlet.emulator.services.events.lookup import DEFAULT, Place, rule_by_arn
from cloudlet.emulator.services.events.routing import route


@read_write
def trigger_rule(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Sends the event of a schedule to the targets of the rule `Arn`; `Found` is False when there is none."""
    rule = rule_by_arn(call, request["Arn"])
    if rule is not None:
        trigger(call, rule, call.now)
    return {"Found": rule is not None}


@read_write
def accept_service_event(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """The event of an AWS service, on the default bus of the call's account and region, in the caller's transaction.

    `Source`, `DetailType`, `Detail` (an object) and `Resources`, as in the event.
    """
    event = {
        "version": "0",
        "id": call.ids.uuid(),
        "detail-type": request["DetailType"],
        "source": request["Source"],
        "account": call.account_id,
        "time": f"{Clock.iso_seconds(call.now)}Z",
        "region": call.region,
        "resources": request["Resources"],
        "detail": request["Detail"],
    }
    route(call, Place(call.account_id, call.region, DEFAULT), event, moment=call.now)
    return {}
