"""Settings, machine and a standing clock for activation in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from cloudlet.emulator.activation.machine import Machine
from cloudlet.license.effects import SYSTEM
from cloudlet.settings import Settings, read_settings

MACHINE = Machine("gen_0123456789ab", "Linux,6.1,x86_64", "host", False)


class StandingClock:
    """Real monotonic time and randomness, but a date that moves only when it is told to; pauses take no time."""

    def __init__(self, now: float) -> None:
        self.date = now
        self.monotonic = SYSTEM.monotonic
        self.random_bytes = SYSTEM.random_bytes

    def now(self) -> float:
        return self.date

    def sleep(self, _seconds: float) -> None:
        return


def settings_for(folder: Path, **variables: str) -> Settings:
    settings = read_settings({"LOCALSTACK_VOLUME_DIR": str(folder), "LICENSE_TIMEOUT": "2", **variables})
    return msgspec.structs.replace(settings, in_container=False)


def changed(settings: Settings, **changes: Any) -> Settings:
    return msgspec.structs.replace(settings, **changes)
