"""`/_cloudlet/clock`: the emulator's time, which tests may stop and move.

Every answer is `{"now": "2026-11-24T10:35:15.123456Z", "epoch": 1795514115.123456, "frozen": bool, "offset_seconds": n}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudlet.emulator.gateway.internal.answers import InternalError, json_answer, json_object
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator


def get_clock(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    return clock_answer(emulator)


def freeze_clock(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """Stop it, now or at `{"epoch": seconds}`."""
    body = json_object(request)
    if "epoch" in body:
        emulator.clock.freeze(number(body, "epoch"))
    else:
        emulator.clock.freeze()
    return clock_answer(emulator)


async def set_clock(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"epoch": seconds}`: go there. Forwards, everything that falls due on the way runs first, in order."""
    target = number(json_object(request), "epoch")
    await emulator.move_clock(target)
    return clock_answer(emulator)


async def advance_clock(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"seconds": n}`: let that much time pass; everything that falls due runs in order before the answer."""
    seconds = number(json_object(request), "seconds")
    if seconds < 0:
        raise InternalError(400, "clock.backwards", "`seconds` is negative; use /_cloudlet/clock/set to go back.")
    await emulator.move_clock(emulator.clock.now() + seconds)
    return clock_answer(emulator)


def resume_clock(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """Back to the machine's time, running."""
    emulator.clock.resume()
    return clock_answer(emulator)


def clock_answer(emulator: Emulator) -> HttpResponse:
    clock = emulator.clock
    now = clock.now()
    return json_answer(
        {
            "now": f"{clock.iso_seconds(now)}.{int(now % 1 * 1e6):06d}Z",
            "epoch": now,
            "frozen": clock.is_frozen,
            "offset_seconds": round(now - clock.wall(), 6),
        }
    )


def number(body: dict[str, Any], name: str) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InternalError(400, "clock.number", f'The body must be {{"{name}": number}}.')
    if not -6e10 < value < 2.5e11:
        raise InternalError(400, "clock.number", f"`{name}` is out of range.")
    return float(value)
