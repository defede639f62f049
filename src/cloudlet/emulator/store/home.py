"""Where a state lives on the disk, and who may open it.

    root/lock            held (flock) by the emulator that has the state open
    root/current         the name of the current generation, replaced atomically
    root/generation-N/   data.mdb, blobs/, spool/

Resetting or restoring a state prepares a new generation beside the current one and switches by replacing `current`: a
crash leaves either the old state or the new one. An ephemeral state lives in a temporary directory that goes when the
emulator stops; what a killed emulator left there is removed by the next one that starts.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from cloudlet.emulator.store.kv import StoreError

EPHEMERAL_PREFIX = "cloudlet-state-"
GENERATION_PREFIX = "generation-"


class _Lost(StoreError):
    """Another emulator took the fresh directory for one that was left behind, before it was locked."""

    def __init__(self) -> None:
        super().__init__("The state directory was removed while it was opened")


class StateHome:
    """The directory of one state, locked for this process until `close`.

    Raises StoreError when another emulator has it open, or when the directory cannot be used.
    """

    def __init__(self, root: Path, *, ephemeral: bool = False) -> None:
        self.root = root
        self.ephemeral = ephemeral
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._lock = lock_file(root / "lock")
        except OSError as error:
            raise StoreError(f"The state directory {root} cannot be used: {error.strerror}") from error
        if self._lock is None:
            if ephemeral:
                raise _Lost
            raise StoreError(
                f"The state in {root} is in use by another emulator{_holder(root)}. "
                "Stop it, or give this one another volume directory (LOCALSTACK_VOLUME_DIR)."
            )
        if not os.fstat(self._lock).st_nlink:
            os.close(self._lock)
            raise _Lost
        os.truncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)
        self._recover()

    @property
    def current(self) -> Path:
        """The directory of the current generation."""
        return self.root / (self.root / "current").read_text().strip()

    def prepare(self) -> Path:
        """An empty directory for the next generation."""
        number = int(self.current.name.removeprefix(GENERATION_PREFIX)) + 1
        path = self.root / f"{GENERATION_PREFIX}{number}"
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path

    def adopt(self, generation: Path) -> None:
        """Make a prepared directory the current one. Atomic; the old one stays until `discard`."""
        replace_text(self.root / "current", generation.name + "\n", sync=not self.ephemeral)

    def discard(self, generation: Path) -> None:
        shutil.rmtree(generation, ignore_errors=True)

    def close(self) -> None:
        """Let others open the state; an ephemeral one is removed."""
        if self._lock is None:
            return
        if self.ephemeral:
            shutil.rmtree(self.root, ignore_errors=True)
        os.close(self._lock)
        self._lock = None

    def _recover(self) -> None:
        """Remove the generations that a crash left behind, and make the first one."""
        marker = self.root / "current"
        if not marker.exists():
            first = self.root / f"{GENERATION_PREFIX}1"
            shutil.rmtree(first, ignore_errors=True)
            first.mkdir()
            self.adopt(first)
        current = self.current
        for path in self.root.glob(GENERATION_PREFIX + "*"):
            if path != current:
                shutil.rmtree(path, ignore_errors=True)


def ephemeral_home(temporary_dir: Path) -> StateHome:
    """A fresh state in the temporary directory. Removes those whose emulator is gone."""
    temporary_dir.mkdir(parents=True, exist_ok=True)
    for stale in temporary_dir.glob(EPHEMERAL_PREFIX + "*"):
        with suppress(OSError):
            lock = lock_file(stale / "lock", create=False)
            if lock is not None:
                shutil.rmtree(stale, ignore_errors=True)
                os.close(lock)
    while True:
        root = Path(tempfile.mkdtemp(prefix=EPHEMERAL_PREFIX, dir=temporary_dir))
        with suppress(_Lost):
            return StateHome(root, ephemeral=True)


def replace_text(path: Path, text: str, *, sync: bool = True) -> None:
    """Write a small file so that a crash (with `sync`, also of the machine) leaves the old content or the new."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text)
    if sync:
        sync_file(temporary)
    temporary.rename(path)
    if sync:
        sync_file(path.parent)


def sync_file(path: Path) -> None:
    """Wait until the content of a file, or the names in a directory, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock_file(path: Path, *, create: bool = True) -> int | None:
    """A descriptor that holds the lock; None when somebody else does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _holder(root: Path) -> str:
    text = (root / "lock").read_text().strip()
    return f" (process {text})" if text.isdigit() else ""
