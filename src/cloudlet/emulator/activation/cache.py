"""Licenses and keys that were fetched before, in `<volume>/cache`.

    license.json    the last license document, as it came; LocalStack's tools look for it under this name
    trust.json      the control plane's public keys, learned at the first activation

Files appear whole or not at all (temporary file, fsync, rename), readable by their owner alone. A cache that cannot be
written is a warning: it costs offline activation later, not this start.
"""

from __future__ import annotations

import os
from pathlib import Path

from cloudlet.license.document import MAX_BYTES
from cloudlet.settings import Settings

LICENSE = "license.json"
TRUST = "trust.json"


class LicenseCache:
    """The folder. Reads give None for a file that is not there or cannot be read."""

    __slots__ = ("folder",)

    def __init__(self, settings: Settings) -> None:
        self.folder = Path(settings.volume_dir or settings.temporary_dir) / "cache"

    @property
    def license_path(self) -> Path:
        return self.folder / LICENSE

    @property
    def trust_path(self) -> Path:
        return self.folder / TRUST

    def read(self, path: Path) -> bytes | None:
        try:
            with path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
        except OSError:
            return None

    def write(self, path: Path, content: bytes) -> str:
        """What went wrong, "" when nothing did."""
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError as error:
            return f"{path}: {error.strerror}"
        return ""

    def remove(self, path: Path) -> None:
        """After a definitive no, nothing may stand in for the license."""
        try:
            path.unlink(missing_ok=True)
        except OSError:
            # A read-only volume keeps the file; it stays unusable, since a verdict is final for this start.
            return
