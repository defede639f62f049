"""`/_localstack/chaos/faults` and `/_localstack/chaos/effects`: trouble on purpose (see `gateway.chaos`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from cloudlet.emulator.gateway.chaos import LONGEST_LATENCY_MILLISECONDS, FaultRule
from cloudlet.emulator.gateway.internal.answers import InternalError, json_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

T = TypeVar("T")


class Effects(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`latency`: milliseconds that each request waits."""

    latency: int = 0


def get_faults(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """The rules in force."""
    return shown_rules(emulator)


def set_faults(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """These rules in place of all others."""
    emulator.chaos.set_rules(read(request, tuple[FaultRule, ...]))
    return shown_rules(emulator)


def add_faults(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """These rules beside the others."""
    emulator.chaos.set_rules((*emulator.chaos.rules, *read(request, tuple[FaultRule, ...])))
    return shown_rules(emulator)


def delete_faults(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """Without these rules; one that is not in force is no error."""
    ended = set(read(request, tuple[FaultRule, ...]))
    emulator.chaos.set_rules(tuple(rule for rule in emulator.chaos.rules if rule not in ended))
    return shown_rules(emulator)


def get_effects(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    return json_answer({"latency": emulator.chaos.latency_milliseconds})


def set_effects(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"latency": 250}`: from now on each request waits so many milliseconds; 0 ends it."""
    latency = read(request, Effects).latency
    if not 0 <= latency <= LONGEST_LATENCY_MILLISECONDS:
        raise InternalError(
            400, "chaos.latency", f"latency is {latency}; it must be 0 to {LONGEST_LATENCY_MILLISECONDS} milliseconds."
        )
    emulator.chaos.set_latency(latency)
    return get_effects(emulator, request)


def shown_rules(emulator: Emulator) -> HttpResponse:
    shown: Any = msgspec.to_builtins(emulator.chaos.rules)
    return json_answer(shown)


def read(request: HttpRequest, kind: type[T]) -> T:
    """The body as `kind`. Raises InternalError 400 with the place that is wrong."""
    try:
        return msgspec.json.decode(request.body.read() or b"null", type=kind)
    except msgspec.DecodeError as error:
        raise InternalError(400, "request.invalid", f"The body is not what this endpoint takes: {error}") from None
