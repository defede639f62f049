"""`/_localstack/pods/environment`: the versions that saved state depends on."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING

from cloudlet.emulator.gateway.internal.answers import json_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator


def get_environment(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"localstack_version", "localstack_ext_version", "moto_ext_version", "pro"}`; "" without moto."""
    try:
        moto = importlib.metadata.version("moto")
    except importlib.metadata.PackageNotFoundError:
        moto = ""
    return json_answer(
        {
            "localstack_version": emulator.version,
            "localstack_ext_version": emulator.version,
            "moto_ext_version": moto,
            "pro": emulator.activation.is_license_activated,
        }
    )
