"""`/_aws/events/rules/{arn}/trigger`: run a rule now, whatever its schedule says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudlet.emulator.gateway.internal.answers import InternalError, json_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator


def trigger_rule(emulator: Emulator, request: HttpRequest, arn: str) -> HttpResponse:
    """Its targets get the event of a schedule that is due; the ARN may be URL-encoded or not. 404 for no such rule."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "events" or not parts[5].startswith("rule/"):
        raise InternalError(400, "events.rule-arn", f"{arn!r} is not the ARN of a rule.")
    dispatcher = emulator.dispatcher
    call = dispatcher.service_call("events", parts[4], parts[3], "TriggerRule")
    found = dispatcher.run(dispatcher.handler("events", "TriggerRule"), call, {"Arn": arn})
    if not found["Found"]:
        raise InternalError(404, "events.rule-unknown", f"There is no rule {arn}.")
    return json_answer({"rule": arn})
