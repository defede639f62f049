"""Several control planes on one database behind one address, as a load balancer of TCP puts them there."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from tests.control.serving import RunningPlatform

SECRET = "s3cret-of-all-processes-" + "x" * 40


class Balancer:
    """Each connection goes to the next of `ports`; one where nobody listens is passed over."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self._turn = itertools.count()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = self._connect()
        with client:
            if server is None:
                return
            with server:
                back = threading.Thread(target=pump, args=(server, client), daemon=True)
                back.start()
                pump(client, server)
                back.join()

    def _connect(self) -> socket.socket | None:
        for _ in self.ports:
            port = self.ports[next(self._turn) % len(self.ports)]
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=60)
            except OSError:
                continue
        return None

    def close(self) -> None:
        self._listener.close()


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # either side has gone; the other one is told
        while data := source.recv(65536):
            target.sendall(data)
    for end, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with contextlib.suppress(OSError):
            end.shutdown(how)


class Farm:
    """`start(2)` starts so many processes at the same moment. `url` is the address of all."""

    def __init__(self, folder: Path, database_url: str, **variables: str) -> None:
        self.folder = folder
        self.balancer = Balancer()
        self.url = self.balancer.url
        self.database_url = database_url
        self.variables = {"PLATFORM_BASE_URL": self.url, "PLATFORM_SECRET_KEY": SECRET, **variables}
        self.members: list[RunningPlatform] = []

    def start(self, count: int = 1) -> list[RunningPlatform]:
        folders = [self.folder / f"process{len(self.members) + number}" for number in range(count)]
        for folder in folders:
            folder.mkdir()
        with ThreadPoolExecutor(count) as pool:
            found = list(pool.map(lambda folder: RunningPlatform(folder, self.database_url, **self.variables), folders))
        self.members += found
        self.balancer.ports = [member.port for member in self.members]
        return found

    def client(self, **options: Any) -> httpx.Client:
        """Each request on a connection of its own, so that the next process answers the next request."""
        return httpx.Client(base_url=self.url, limits=httpx.Limits(max_keepalive_connections=0), timeout=60, **options)

    def close(self) -> None:
        self.balancer.close()
        for member in self.members:
            member.close()
