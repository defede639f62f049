"""`/_localstack/license`: what the license of this emulator opens, until when, and how its renewal goes. No secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudlet.emulator.gateway.internal.answers import json_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator


def get_license(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """Always 200, also in the community edition; times are RFC 3339 in UTC or null."""
    found = emulator.activation
    clock = emulator.clock

    def moment(seconds: float) -> str | None:
        return clock.iso_seconds(seconds) + "Z" if seconds else None

    return json_answer(
        {
            "state": found.phase,
            "reason_code": found.reason_code or None,
            "edition": found.edition,
            "plan": found.plan or None,
            "license_id": found.license_id or None,
            "source": found.source or None,
            "last_online": moment(found.last_online),
            "next_check": moment(found.next_check),
            "offline_until": moment(found.offline_until),
            "expires": moment(found.expires),
            "entitlements": [{"name": name, "limit": limit} for name, limit in found.entitlements],
            "endpoint": found.endpoint or None,
            "proxy": found.proxy or None,
            "spent_seconds": found.spent_seconds,
            "budget_seconds": found.budget_seconds,
            "waited_seconds": found.waited_seconds,
        }
    )
