"""`/_localstack/state/*`: forget everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator


async def reset_state(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """Delete the state of all services. Snapshots stay."""
    await emulator.reset_state()
    return HttpResponse(200)
