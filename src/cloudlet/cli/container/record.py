"""Which container was started, in the state directory beside the records of processes: `run/container-4567.json`."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from cloudlet.cli.context import Context
from cloudlet.cli.processes import USUAL_PORTS
from cloudlet.settings import CommandSettings


class ContainerRecord(msgspec.Struct, frozen=True):
    """`engine` is the address of the engine that has it, `secret` the file with its token, or empty."""

    id: str
    name: str
    engine: str
    url: str
    secret: str = ""


class RecordFile:
    """The container of the emulator on one port."""

    def __init__(self, settings: CommandSettings, port: int) -> None:
        suffix = "" if port in USUAL_PORTS else f"-{port}"
        self.path = Path(settings.state_dir) / "run" / f"container{suffix}.json"
        self.secret = Path(settings.state_dir) / "run" / f"token{suffix}"

    def write(self, record: ContainerRecord) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(msgspec.json.encode(record))
        temporary.replace(self.path)

    def read(self) -> ContainerRecord | None:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=ContainerRecord)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def forget(self) -> None:
        """The record, and the token that the container was given."""
        self.path.unlink(missing_ok=True)
        self.secret.unlink(missing_ok=True)


def record_of(context: Context) -> ContainerRecord | None:
    """What `start --docker` wrote down for the configured port. Whether the container still runs, the engine knows."""
    return RecordFile(context.command, context.emulator.port).read()
