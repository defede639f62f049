"""`/_localstack/init` and `/_localstack/ready`: how far the start has come, and what became of the init scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudlet.emulator.gateway.internal.answers import json_answer, text_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

STAGES = ("BOOT", "START", "READY", "SHUTDOWN")


def get_init(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"completed": {stage: bool}, "scripts": [{"stage", "name", "state"}]}`."""
    completed = {stage: stage in emulator.hooks.completed for stage in STAGES}
    return json_answer({"completed": completed, "scripts": [script.shown() for script in emulator.hooks.scripts]})


def get_init_stage(emulator: Emulator, request: HttpRequest, stage: str) -> HttpResponse:
    """One stage, its name in any case; 404 for a name that is none."""
    name = stage.upper()
    if name not in STAGES:
        return text_answer(f"no such stage {stage}", 404)
    scripts = [script.shown() for script in emulator.hooks.scripts if script.stage == name]
    return json_answer({"completed": name in emulator.hooks.completed, "scripts": scripts})


def get_ready(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """200 once the scripts of `ready` are done, failed ones included; 503 before, and from the stop on."""
    ready = "READY" in emulator.hooks.completed and not emulator.is_stopping
    answer: dict[str, Any] = {"ready": ready}
    failed = [script.name for script in emulator.hooks.scripts if script.state == "ERROR"]
    if failed:
        answer["failed_scripts"] = failed
    return json_answer(answer, 200 if ready else 503)
