"""The fallback's state in the volume: one file a service, `state/fallback/<moto's name of it>.pickle`.

The files are read from the volume that this user's emulator wrote, never from a client.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

LOG = logging.getLogger("cloudlet.fallback")


class StateFiles:
    """`folder` is made at the first save."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._warned: set[str] = set()

    def names(self) -> list[str]:
        return sorted(path.stem for path in self._folder.glob("*.pickle"))

    def save(self, states: Iterable[tuple[str, Any]], dump: Callable[[Any], bytes]) -> dict[str, str]:
        """Write every state. Returns service -> "" or what went wrong; the first time, one warning names those."""
        outcome: dict[str, str] = {}
        for service, state in states:
            try:
                self._write(service, dump(state))
            except Exception as error:  # survives: one service's objects cannot be pickled, the others are saved
                outcome[service] = f"{type(error).__name__}: {error}"
            else:
                outcome[service] = ""
        new = sorted({name for name, problem in outcome.items() if problem} - self._warned)
        if new:
            self._warned.update(new)
            LOG.warning("the state of %s cannot be kept and is lost at stop: %s", ", ".join(new), outcome[new[0]])
        return outcome

    def _write(self, service: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{service}.pickle"
        if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content:
            return
        part = path.with_suffix(".part")
        part.write_bytes(content)
        os.replace(part, path)

    def read(self, service: str) -> bytes:
        """What was saved. Raises OSError."""
        return (self._folder / f"{service}.pickle").read_bytes()

    def forget(self, service: str | None = None) -> None:
        """Delete one service's file, or all."""
        for name in self.names() if service is None else [service]:
            (self._folder / f"{name}.pickle").unlink(missing_ok=True)
