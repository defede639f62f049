"""Who this machine is, for `/_localstack/info` and for the license server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from cloudlet.settings import Settings


class Machine(msgspec.Struct, frozen=True):
    """`id` is `dkr_…` in a container, `sys_…` from the system's machine id, else `gen_…` kept in the volume's cache.

    `system` is `Linux,6.1.0,x86_64`: name, release, architecture. Both appear in `/_localstack/info`.
    """

    id: str
    system: str
    hostname: str
    is_docker: bool


def identify_machine(settings: Settings) -> Machine:
    """This machine; cheap (reads a file or two), never fails."""
    raise NotImplementedError
