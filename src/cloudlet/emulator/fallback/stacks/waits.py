"""Addresses to which somebody outside answers: functions of custom resources, and what signals wait conditions.

address = waits.open()          a URL of this emulator, handed to whoever is to answer
waits.deliver(token, body)      `PUT /_cloudlet/cloudformation/signals/TOKEN` came
waits.answer(address, seconds)  the first answer, or None when the time was up
"""

from __future__ import annotations

import json
import threading
from typing import Any

from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.fallback.stacks.errors import Failed

PATH = "/_cloudlet/cloudformation/signals/"


class Waits:
    """Shared by all threads that work on stacks."""

    def __init__(self, outside: str, inside: str, ids: Ids) -> None:
        """Two addresses of this emulator: for programs anywhere, and for functions, which run beside it."""
        self._outside = outside + PATH
        self._inside = inside + PATH
        self._ids = ids
        self._changed = threading.Condition()
        self._bodies: dict[str, list[dict[str, Any]]] = {}

    def open(self, *, inside: bool = False) -> str:
        token = self._ids.hex(32)
        with self._changed:
            self._bodies[token] = []
        return (self._inside if inside else self._outside) + token

    def deliver(self, token: str, body: bytes) -> bool:
        """False where nobody has such an address."""
        try:
            value = json.loads(body or b"{}")
        except ValueError:
            value = {"Status": "FAILED", "Reason": "The response is not JSON."}
        with self._changed:
            if token not in self._bodies:
                return False
            self._bodies[token].append(value if isinstance(value, dict) else {"Data": value})
            self._changed.notify_all()
        return True

    def answer(self, address: str, seconds: float) -> dict[str, Any] | None:
        """The first answer; the address is closed then."""
        token = address.rpartition("/")[2]
        with self._changed:
            self._changed.wait_for(lambda: bool(self._bodies.get(token)), seconds)
            bodies = self._bodies.pop(token, [])
        return bodies[0] if bodies else None

    def signals(self, address: str, count: int, seconds: float) -> str:
        """The data of so many signals with ids of their own, as JSON. Raises Failed."""
        token = address.rpartition("/")[2]
        with self._changed:
            done = self._changed.wait_for(lambda: self._failed(token) or len(self._by_id(token)) >= count, seconds)
            failed, found = self._failed(token), self._by_id(token)
        if failed:
            raise Failed(f"WaitCondition received failed message: '{failed}' for uniqueId: {self._failed_id(token)}")
        if not done:
            raise Failed(f"WaitCondition timed out. Received {len(found)} conditions when expecting {count}")
        return json.dumps({name: body.get("Data", "") for name, body in found.items()}, separators=(",", ":"))

    def _by_id(self, token: str) -> dict[str, dict[str, Any]]:
        bodies = self._bodies.get(token, ())
        return {str(body.get("UniqueId", "")): body for body in bodies if body.get("Status") == "SUCCESS"}

    def _failed(self, token: str) -> str:
        bodies = self._bodies.get(token, ())
        return next((str(body.get("Reason") or "FAILURE") for body in bodies if body.get("Status") != "SUCCESS"), "")

    def _failed_id(self, token: str) -> str:
        bodies = self._bodies.get(token, ())
        return next((str(body.get("UniqueId", "")) for body in bodies if body.get("Status") != "SUCCESS"), "")
