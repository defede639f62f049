"""Run the control plane as a server process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloudlet.settings import PlatformSettings


class AddressTaken(Exception):
    """Something else listens there. `host` and `port` say where."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is taken")
        self.host = host
        self.port = port


def run(settings: PlatformSettings, *, on_ready: Callable[[str], None] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; in-flight requests finish (5 seconds at most). Returns the exit code.

    Blocks; call it in the main thread. `on_ready` is called once with the base URL when the server answers; without
    it a line `Control plane ready at <url>` goes to stdout. Raises AddressTaken when the port is not free, before
    anything is written to the database.
    """
    raise NotImplementedError
