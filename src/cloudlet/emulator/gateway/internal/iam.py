"""`/_aws/iam/config`: whether policies are enforced. They are not, and nothing here pretends that they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudlet.emulator.gateway.internal.answers import InternalError, json_answer, json_object
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

STATES = ("DISABLED", "ENGINE_ONLY", "SOFT_MODE", "ENFORCED")


def get_config(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"state": "DISABLED", "config_enforce_iam": false, "config_iam_soft_mode": false}`."""
    return json_answer({"state": "DISABLED", "config_enforce_iam": False, "config_iam_soft_mode": False})


def set_config(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"state": "DISABLED"}` is what holds anyway; 400 for every other state."""
    state = json_object(request).get("state")
    if state not in STATES:
        raise InternalError(400, "iam.state", f"`state` must be one of {', '.join(STATES)}.")
    if state != "DISABLED":
        raise InternalError(400, "iam.not-enforced", f"Policies are not enforced, so the state cannot be {state}.")
    return get_config(emulator, request)
