"""`/_localstack/config`: read and change settings of the running emulator, only with `ENABLE_CONFIG_UPDATES=1`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from cloudlet.emulator.gateway.internal.answers import json_answer, json_object
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.settings import shown_settings

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

VARIABLE = re.compile(r"[_a-zA-Z0-9]+")


def get_config(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """All settings by variable name, secrets masked; 404 unless updates are enabled."""
    if not emulator.settings.enable_config_updates:
        return HttpResponse(404)
    shown: dict[str, Any] = {**shown_settings(emulator.settings), **emulator.config_updates}
    return json_answer(msgspec.to_builtins(shown))


def post_config(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"variable": "DEBUG", "value": 1}` -> the same; 400 with `{}` for anything else.

    What takes effect at run time: `DEBUG` and `LS_LOG`. Every other variable is kept and shown.
    """
    if not emulator.settings.enable_config_updates:
        return HttpResponse(404)
    body = json_object(request)
    variable, value = body.get("variable"), body.get("value")
    valid = isinstance(variable, str) and VARIABLE.fullmatch(variable) and isinstance(value, str | int | float)
    if not valid or len(body) != 2:
        return json_answer({}, 400)
    emulator.update_config(str(variable), value)
    return json_answer({"variable": variable, "value": value})
