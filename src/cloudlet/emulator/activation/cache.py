"""Licenses and keys that were fetched before, in `<volume>/cache`, and other places where a license may lie.

    license.json       the last license document, as it came; LocalStack's tools look for it under this name
    license.lsl1       a license file that `cloudlet license install` put there
    trust.json         the control plane's public keys, learned at the first activation
    clock.json         the last time that was known for certain (`clock`)
    refused.json       the failed starts of the last minute (`loops`)

Files appear whole or not at all (temporary file, fsync, rename), readable by their owner alone: whoever owns the volume,
also where the emulator runs as root in a container. A cache that cannot be written is a warning: it costs offline
activation later, not this start.
"""

from __future__ import annotations

import os
from pathlib import Path

from cloudlet.settings import Settings

MAX_BYTES = 64 * 1024
LICENSE = "license.json"
INSTALLED = "license.lsl1"
TRUST = "trust.json"
MOUNTED = Path("/etc/localstack/conf.d/license.json")  # where LocalStack's command lines mount theirs


class LicenseCache:
    """The folder. Reads give None for a file that is not there or cannot be read."""

    __slots__ = ("folder", "given")

    def __init__(self, settings: Settings) -> None:
        self.folder = Path(settings.volume_dir or settings.temporary_dir) / "cache"
        self.given = Path(settings.license_file) if settings.license_file else None

    @property
    def license_path(self) -> Path:
        return self.folder / LICENSE

    @property
    def installed_path(self) -> Path:
        return self.folder / INSTALLED

    @property
    def trust_path(self) -> Path:
        return self.folder / TRUST

    def candidates(self) -> tuple[Path, ...]:
        """Where a license may lie, the most deliberate place first."""
        places = (MOUNTED, self.installed_path, self.license_path)
        return (self.given, *places) if self.given else places

    def has_license_file(self) -> bool:
        """Somebody put a license where it can open this start even without a token."""
        return self.given is not None or self.installed_path.is_file()

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
            # Not through a link that somebody left in the volume: this may run as root, and the volume be theirs.
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                give_to_owner(descriptor, self.folder.parent)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError as error:
            return f"{path}: {(error.strerror or str(error)).lower()}"
        return ""

    def remove(self, path: Path) -> None:
        """After a definitive no, nothing may stand in for the license."""
        try:
            path.unlink(missing_ok=True)
        except OSError:
            # A read-only volume keeps the file; it stays unusable, since a verdict is final for this start.
            return


def give_to_owner(descriptor: int, volume: Path) -> None:
    """The command line on the host reads what root in a container wrote."""
    if os.geteuid() == 0:
        owner = volume.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
