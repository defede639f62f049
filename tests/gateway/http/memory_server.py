"""A server process for test_http_memory.py: `python -m tests.gateway.http.memory_server DIRECTORY` prints its port."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop

from cloudlet.emulator.gateway.http.server import HttpServer
from cloudlet.settings import Address
from tests.gateway.http.serving import Application


async def main(directory: Path) -> None:
    app = Application(directory)
    server = HttpServer(app, [Address("127.0.0.1", 0)], wants_spool=app.wants_spool, open_spool=app.open_spool)
    (address,) = await server.start()
    print(address.port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1])))
