"""An operation of our own for `/_aws/events/rules/{arn}/trigger`: run a rule now."""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.events.jobs import trigger
from cloudlet.emulator.services.events.lookup import rule_by_arn


@read_write
def trigger_rule(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Sends the event of a schedule to the targets of the rule `Arn`; `Found` is False when there is none."""
    rule = rule_by_arn(call, request["Arn"])
    if rule is not None:
        trigger(call, rule, call.now)
    return {"Found": rule is not None}
