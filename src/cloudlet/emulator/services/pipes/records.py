"""What Pipes keeps, and where.

PIPES         pipes by name
POSITIONS     how far a pipe has read each shard of its stream
"""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.store.table import Record, Table


class Pipe(Record, frozen=True):
    """`definition` has AWS's members. `desired`: RUNNING or STOPPED, which it is at once. `revision`: of its reader."""

    account_id: str
    region: str
    name: str
    created: float
    modified: float
    desired: str
    definition: dict[str, Any]
    tags: dict[str, str]
    revision: str
    partition: str = "aws"

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:pipes:{self.region}:{self.account_id}:pipe/{self.name}"

    @property
    def source(self) -> str:
        return str(self.definition["Source"])


class Position(Record, frozen=True):
    """`sequence`: of the last record of the shard that is done with."""

    account_id: str
    region: str
    pipe: str
    shard: str
    sequence: str


PIPES = Table("pipes.pipes", Pipe, version=1, key=("account_id", "region", "name"))
POSITIONS = Table("pipes.positions", Position, version=1, key=("account_id", "region", "pipe", "shard"))
