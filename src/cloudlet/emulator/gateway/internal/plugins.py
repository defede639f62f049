"""`/_localstack/plugins`: what is installed and loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudlet.emulator.gateway.internal.answers import json_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator


def get_plugins(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"localstack.aws.provider": [{"name": "sqs:default", "is_initialized", "is_loaded"}]}`."""
    states = emulator.service_states()
    return json_answer(
        {
            "localstack.aws.provider": [
                {"name": f"{name}:default", "is_initialized": state == "running", "is_loaded": state == "running"}
                for name, state in states.items()
                if state != "disabled"
            ]
        }
    )
