"""`/_localstack/init`: how far the start has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudlet.emulator.gateway.internal.answers import json_answer, text_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

STAGES = ("BOOT", "START", "READY", "SHUTDOWN")


def get_init(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"completed": {stage: bool}, "scripts": []}`."""
    return json_answer({"completed": {stage: stage in emulator.completed_stages for stage in STAGES}, "scripts": []})


def get_init_stage(emulator: Emulator, request: HttpRequest, stage: str) -> HttpResponse:
    """One stage, its name in any case; 404 for a name that is none."""
    name = stage.upper()
    if name not in STAGES:
        return text_answer(f"no such stage {stage}", 404)
    return json_answer({"completed": name in emulator.completed_stages, "scripts": []})
