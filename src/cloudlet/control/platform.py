"""What every service needs beside its session: settings, the outside world, the vault."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import BoundedSemaphore

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloudlet.control.ids import new_id
from cloudlet.control.vault import Vault, load_secret
from cloudlet.license.effects import Effects
from cloudlet.settings import PlatformSettings

PLACES = 12


class Platform:
    """One per process. What it remembers is `signing`: the opened signing key, and when (monotonic) to look again.

    `waiting` has a place for each request that waits for a server of somebody's choice, so that slow ones never take all
    threads.
    """

    __slots__ = ("effects", "settings", "signing", "vault", "waiting")

    def __init__(self, settings: PlatformSettings, effects: Effects) -> None:
        """Raises SecretKeyError."""
        self.settings = settings
        self.effects = effects
        self.vault = Vault(load_secret(settings, effects), effects)
        self.signing: tuple[Ed25519PrivateKey, float] | None = None
        self.waiting = BoundedSemaphore(PLACES)

    def now(self) -> datetime:
        """UTC, to the second: what goes into the database and into licenses is the same."""
        return datetime.fromtimestamp(int(self.effects.now()), UTC)

    def later(self, *, days: float = 0, minutes: float = 0) -> datetime:
        return self.now() + timedelta(days=days, minutes=minutes)

    def new_id(self, prefix: str) -> str:
        return new_id(prefix, self.effects)
