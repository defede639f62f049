"""`/_localstack/info`: which emulator this is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudlet.emulator.gateway.internal.answers import json_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator


def get_info(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """Exactly nine keys: generated clients reject any other."""
    return json_answer(session_info(emulator))


def session_info(emulator: Emulator) -> dict[str, Any]:
    return {
        "version": emulator.version,
        "edition": emulator.activation.edition,
        "is_license_activated": emulator.activation.is_license_activated,
        "session_id": emulator.session_id,
        "machine_id": emulator.machine.id,
        "system": emulator.machine.system,
        "is_docker": emulator.machine.is_docker,
        "server_time_utc": emulator.clock.iso_seconds(emulator.clock.wall()),
        "uptime": int(emulator.clock.wall() - emulator.started_at),
    }
