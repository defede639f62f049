"""Run the control plane as a server process."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable

import uvicorn

from cloudlet.control.app import create_app
from cloudlet.control.logs import configure_logs
from cloudlet.control.prepare import prepare
from cloudlet.settings import Address, PlatformSettings

GRACE_SECONDS = 5


class AddressTaken(Exception):
    """Something else listens there. `host` and `port` say where."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is taken")
        self.host = host
        self.port = port


class Server(uvicorn.Server):
    """uvicorn's, which also says when it answers."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_ready()


def run(settings: PlatformSettings, *, on_ready: Callable[[str], None] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; in-flight requests finish (5 seconds at most). Returns the exit code.

    Blocks; call it in the main thread. `on_ready` is called once with the base URL when the server answers; without
    it a line `Control plane ready at <url>` goes to stdout. Raises AddressTaken when the port is not free, before
    anything is written to the database, and `vault.SecretKeyError`, `db.DatabaseUnavailable`.
    """
    listener = listen(settings.listen)
    # uvicorn raises the signal again when it has stopped; a stop that was asked for is no death by a signal.
    previous = signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    try:
        configure_logs(settings)
        app = create_app(settings)
        prepare(app.state.database, app.state.platform)  # its faults are the operator's, and told in a sentence
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=list(settings.trusted_proxies),
            timeout_graceful_shutdown=GRACE_SECONDS,
            lifespan="on",
        )
        server = Server(config, lambda: (on_ready or say_ready)(settings.base_url))
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGTERM, previous)
        listener.close()
    return 0 if server.started else 1


def listen(address: Address) -> socket.socket:
    """A bound socket. Raises AddressTaken."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise AddressTaken(address.host, address.port) from error
    return listener


def say_ready(url: str) -> None:
    sys.stdout.write(f"Control plane ready at {url}\n")
    sys.stdout.flush()
