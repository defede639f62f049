"""The whole state under a name, to come back to.

    snapshots/NAME/snapshot.json     metadata; present means complete
    snapshots/NAME/…                 what the back end saved: a copy of its data, and names (hard links) of its blobs
    snapshots/NAME/beside/…          what is of the same moment and not in the store
    snapshots/.saving-NAME, .old-NAME    being made, being replaced

A snapshot is of one moment: no transaction commits while it is made. Saving and restoring either happen or do not,
whenever the process is killed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from cloudlet import __version__
from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.store.home import replace_text, sync_file
from cloudlet.emulator.store.kv import StoreError

METADATA = "snapshot.json"
BESIDE = "beside"
SAVING = ".saving-"
OLD = ".old-"


class Snapshot(msgspec.Struct, frozen=True):
    """A saved state. `created_at`: seconds since the epoch by the machine's clock; `version`: Cloudlet's."""

    name: str
    created_at: float
    size_bytes: int
    version: str
    backend: str


class Saveable(Protocol):
    """A back end whose state can be saved."""

    name: str  # of the kind of back end; a snapshot can be restored into the same kind only

    def save_into(self, directory: Path) -> None:
        """Write the state of this moment into an empty directory."""
        ...

    def restore_from(self, directory: Path) -> None:
        """Replace the state, atomically, by the one that `save_into` wrote."""
        ...


class Snapshots:
    """The snapshots in a directory, which is made when the first one is saved. Calls come from the event loop's thread
    and block it: about a second for a gigabyte."""

    def __init__(self, directory: Path, source: Saveable) -> None:
        self._directory = directory
        self._source = source
        self._recover()

    def list(self) -> list[Snapshot]:
        """All, oldest first."""
        return sorted(self._all(), key=lambda snapshot: (snapshot.created_at, snapshot.name))

    def save(self, name: str, beside: Mapping[str, bytes] | None = None) -> Snapshot:
        """Save the state of this moment, and the files of `beside` with it. An older snapshot of that name is replaced.

        Raises StoreError.
        """
        target = self._path(name)
        saving = self._directory / (SAVING + name)
        try:
            shutil.rmtree(saving, ignore_errors=True)
            saving.mkdir(parents=True)
            self._source.save_into(saving)
            if beside is not None:
                _write(saving / BESIDE, beside)
            snapshot = Snapshot(name, Clock.wall(), _bytes_below(saving), __version__, self._source.name)
            replace_text(saving / METADATA, msgspec.json.encode(snapshot).decode() + "\n")
            self._replace(saving, target, name)
        except OSError as error:
            shutil.rmtree(saving, ignore_errors=True)
            raise StoreError(f"The snapshot could not be saved in {self._directory}: {error.strerror}") from error
        return snapshot

    def restore(self, name: str) -> Snapshot:
        """Replace the state by the snapshot's. Raises KeyError when there is none, StoreError when it does not fit."""
        snapshot = self._read(name)
        if snapshot.backend != self._source.name:
            raise StoreError(
                f"Snapshot {name} was saved from a state on {snapshot.backend}; this one is on {self._source.name}."
            )
        self._source.restore_from(self._path(name))
        return snapshot

    def beside(self, name: str) -> dict[str, bytes] | None:
        """The files that were saved with it; None when it was saved without. Raises KeyError when there is none."""
        self._read(name)
        folder = self._path(name) / BESIDE
        return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else None

    def delete(self, name: str) -> None:
        """Raises KeyError when there is none."""
        self._read(name)
        gone = self._directory / (SAVING + name)
        shutil.rmtree(gone, ignore_errors=True)
        self._path(name).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def _all(self) -> Iterator[Snapshot]:
        if self._directory.is_dir():
            for entry in self._directory.iterdir():
                if not entry.name.startswith(".") and (entry / METADATA).exists():
                    yield self._read(entry.name)

    def _read(self, name: str) -> Snapshot:
        try:
            return msgspec.json.decode((self._path(name) / METADATA).read_bytes(), type=Snapshot)
        except (FileNotFoundError, NotADirectoryError):
            raise KeyError(name) from None

    def _path(self, name: str) -> Path:
        if not name or name.startswith(".") or "/" in name or "\x00" in name:
            raise KeyError(name)
        return self._directory / name

    def _replace(self, saving: Path, target: Path, name: str) -> None:
        old = self._directory / (OLD + name)
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            target.rename(old)
        saving.rename(target)
        sync_file(self._directory)
        shutil.rmtree(old, ignore_errors=True)

    def _recover(self) -> None:
        """Finish or undo what a killed process left half done."""
        if not self._directory.is_dir():
            return
        for entry in list(self._directory.iterdir()):
            if entry.name.startswith(OLD):
                target = self._directory / entry.name.removeprefix(OLD)
                if not target.exists():
                    entry.rename(target)
                    continue
            elif not entry.name.startswith(SAVING):
                continue
            shutil.rmtree(entry, ignore_errors=True)


def link_tree(source: Path, target: Path) -> None:
    """Give every file below `source` a second name below `target`; copy it where that is not possible."""
    target.mkdir(exist_ok=True)
    for entry in os.scandir(source):
        if entry.is_dir(follow_symlinks=False):
            link_tree(Path(entry.path), target / entry.name)
        else:
            try:
                os.link(entry.path, target / entry.name)
            except OSError:
                shutil.copyfile(entry.path, target / entry.name)


def _write(directory: Path, files: Mapping[str, bytes]) -> None:
    directory.mkdir()
    for name, content in files.items():
        (directory / name).write_bytes(content)
        sync_file(directory / name)


def _bytes_below(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
