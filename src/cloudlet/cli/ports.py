"""Is a port free, and if not, who has it."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

from cloudlet.cli.context import Failed
from cloudlet.settings import Address

LISTENING = "0A"


def require_free(address: Address, what: str, variable: str, command: str) -> None:
    """Raises Failed with one clear sentence when something else listens there."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise failure(address, what, variable, command, error) from None


def failure(address: Address, what: str, variable: str, command: str, error: OSError) -> Failed:
    elsewhere = f"{variable}={address.host}:{another_port(address.port)} {command}"
    if error.errno == errno.EADDRINUSE:
        owner = owner_of(address.port)
        by = f" by {owner}" if owner else ""
        message = f"Port {address.port}, where the {what} would listen, is taken{by}."
        actions = ("Stop it first." if owner else "Stop what listens there.", f"Or choose another port: {elsewhere}")
        return Failed(message, code="port.taken", actions=actions)
    if error.errno == errno.EACCES:
        message = f"Port {address.port}, where the {what} would listen, is reserved for the superuser."
        return Failed(message, code="port.forbidden", actions=(f"Choose another port: {elsewhere}",))
    message = f"The {what} cannot listen on {address.host}:{address.port}: {error.strerror}."
    return Failed(
        message, code="port.unusable", actions=(f"Choose another address: {variable}=127.0.0.1:{address.port}",)
    )


def another_port(port: int) -> int:
    return port + 10 if port >= 1024 else 4566


def owner_of(port: int) -> str:
    """`python3 (process 4711)` of the process that listens on the port; empty where that cannot be known."""
    inodes = listening_inodes(port)
    for entry in Path("/proc").glob("[0-9]*") if inodes else ():
        try:
            links = {os.readlink(link) for link in (entry / "fd").iterdir()}
            if links & inodes:
                return f"{(entry / 'comm').read_text().strip()} (process {entry.name})"
        except OSError:
            continue  # another user's process, or one that has just ended
    return ""


def listening_inodes(port: int) -> set[str]:
    """`socket:[…]` of each socket that listens on the port, from the kernel's tables."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found
