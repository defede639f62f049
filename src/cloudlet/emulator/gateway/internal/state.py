"""`/_localstack/state/*`: forget, save and load, everything or one service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from cloudlet.emulator.gateway.internal.answers import json_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

NOT_KEPT = "There is no volume to save to; start with PERSISTENCE=1."


async def reset_state(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """Delete the state of all services. Snapshots stay."""
    await emulator.reset_state()
    return HttpResponse(200)


async def reset_service(emulator: Emulator, request: HttpRequest, service: str) -> HttpResponse:
    """Delete the state of one service; 404 for one that is not served."""
    if service not in emulator.service_states():
        return HttpResponse(404)
    await emulator.reset_service(service)
    return HttpResponse(200)


async def save_state(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """A line for each service in use: `{"service", "status": "ok" | "error"[, "message"]}`.

    Native services are saved with every request; this waits until that is on the disk.
    """
    return lines(await outcomes(emulator, save=True))


async def load_state(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """The same lines for loading: what the fallback has since its last save is replaced by what was saved."""
    return lines(await outcomes(emulator, save=False))


async def save_service(emulator: Emulator, request: HttpRequest, service: str) -> HttpResponse:
    return await of_service(emulator, service, save=True)


async def load_service(emulator: Emulator, request: HttpRequest, service: str) -> HttpResponse:
    return await of_service(emulator, service, save=False)


async def of_service(emulator: Emulator, service: str, *, save: bool) -> HttpResponse:
    """200, 404 for a service that is not served, 500 with what went wrong."""
    if service not in emulator.service_states():
        return HttpResponse(404)
    for outcome in await outcomes(emulator, save=save, service=service):
        if outcome["status"] == "error":
            return json_answer(outcome, 500)
    return HttpResponse(200)


async def outcomes(emulator: Emulator, *, save: bool, service: str | None = None) -> list[dict[str, Any]]:
    fallback = emulator.dispatcher.fallback
    used = [name for name, state in emulator.service_states().items() if state == "running"]
    if emulator.settings.state_dir is None and not emulator.settings.state_url:
        return [{"service": name, "status": "error", "message": NOT_KEPT} for name in [service] if name] or [
            {"service": name, "status": "error", "message": NOT_KEPT} for name in used
        ]
    problems = await (fallback.save() if save else fallback.load())
    await emulator.dispatcher.durable()
    return [outcome_of(name, problems.get(name, "")) for name in ([service] if service else used)]


def outcome_of(service: str, problem: str) -> dict[str, Any]:
    if problem:
        return {"service": service, "status": "error", "message": problem}
    return {"service": service, "status": "ok"}


def lines(entries: list[dict[str, Any]]) -> HttpResponse:
    body = b"".join(orjson.dumps(entry) + b"\n" for entry in entries)
    return HttpResponse(200, {"Content-Type": "application/x-ndjson"}, body)
