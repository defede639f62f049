"""`/_localstack/health`: what every client polls before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudlet.emulator.gateway.internal.answers import InternalError, json_answer, json_object, text_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator


def get_health(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"services": {name: state}, "edition", "version"[, "features"]}`; `?reload` changes nothing here."""
    answer: dict[str, Any] = {
        "services": emulator.service_states(),
        "edition": emulator.activation.edition,
        "version": emulator.version,
    }
    merge(answer, emulator.health_data)
    return json_answer(answer)


def head_health(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    return text_answer("ok")


def post_health(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"action": "kill"}` stops the emulator, `"restart"` starts it anew; the answer goes out first."""
    action = json_object(request).get("action")
    if action not in ("kill", "restart"):
        raise InternalError(400, "health.action", 'The body must be {"action": "kill"} or {"action": "restart"}.')
    emulator.stop_soon(restart=action == "restart")
    return text_answer("ok")


def put_health(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """Keep what the body says and show it in later answers; `a:b` addresses `b` inside `a`."""
    for key, value in json_object(request).items():
        place = emulator.health_data
        *parents, last = key.split(":")
        for parent in parents:
            inner = place.setdefault(parent, {})
            if not isinstance(inner, dict):
                inner = place[parent] = {}
            place = inner
        place[last] = value
    return json_answer({"status": "OK"})


def merge(target: dict[str, Any], extra: dict[str, Any]) -> None:
    """Add to the answer what was put, level by level. Only keys that the published schema has may be added."""
    for key in ("services", "features"):
        if isinstance(extra.get(key), dict):
            target.setdefault(key, {}).update(extra[key])
