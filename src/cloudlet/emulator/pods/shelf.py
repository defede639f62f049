"""Pods in a folder: `NAME/VERSION.zip` and `NAME/VERSION.json`, versions from 1 on. And other folders by name: remotes."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.pods.errors import BadRemote, PodError, UnknownPod

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
REMOTES = ".remotes.json"
KEY = ".key"
WORK = ".work-"
KEY_BYTES = 32


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A saved version. `created_at` in whole seconds since the epoch; `localstack_version` is Cloudlet's."""

    version: int
    created_at: int
    services: tuple[str, ...]
    localstack_version: str
    description: str = ""
    storage_size: int
    user: str | None = None
    user_id: str = ""
    deleted: str | None = None


class Remote(msgspec.Struct, frozen=True):
    """A place for pods, as it was registered. Only `file://` addresses can be used."""

    name: str
    protocols: tuple[str, ...] = ()
    url: str = ""


class Shelf:
    """The pods of a folder, which is made with the first of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        return sorted(entry.name for entry in self.folder.iterdir() if NAME.fullmatch(entry.name) and entry.is_dir())

    def versions(self, name: str) -> list[Version]:
        """Oldest first; none for a pod that is not there."""
        found = [
            msgspec.json.decode(path.read_bytes(), type=Version)
            for path in (self.folder / name).glob("*.json")
            if path.with_suffix(".zip").is_file()
        ]
        return sorted(found, key=lambda version: version.version)

    def find(self, name: str, version: int | None) -> tuple[Version, Path]:
        """The version, or the newest, and its file. Raises UnknownPod."""
        versions = self.versions(name)
        if not versions:
            raise UnknownPod(f"failed to get version information from platform: there is no pod {name!r} here")
        if version is None:
            version = versions[-1].version
        for candidate in versions:
            if candidate.version == version:
                return candidate, self.folder / name / f"{version}.zip"
        raise UnknownPod(
            f"pod {name!r} has no version {version}; the maximum version available is {versions[-1].version}"
        )

    def next_version(self, name: str) -> int:
        return max((version.version for version in self.versions(name)), default=0) + 1

    def keep(self, name: str, version: Version, archive: Path) -> None:
        """Move the archive here; it has to be on the same file system. A version of that number is replaced."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        description = folder / f".{version.version}.new"
        description.write_bytes(msgspec.json.encode(version))
        os.replace(archive, folder / f"{version.version}.zip")
        os.replace(description, folder / f"{version.version}.json")

    def delete(self, name: str) -> None:
        """Raises UnknownPod."""
        if not self.versions(name):
            raise UnknownPod(f"there is no pod {name!r} here")
        shutil.rmtree(self.folder / name)

    def size_bytes(self) -> int:
        return sum(version.storage_size for name in self.names() for version in self.versions(name))

    def work_folder(self) -> Path:
        """An empty folder for what is being made, on the same file system. Whoever asks for it deletes it.

        Raises PodError where nothing can be written (a share that is not mounted).
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(prefix=WORK, dir=self.folder))
        except OSError as error:
            raise PodError(f"nothing can be written to {self.folder}: {error.strerror}") from error

    def clean(self) -> None:
        """Delete what a killed process left half made."""
        for path in self.folder.glob(WORK + "*") if self.folder.is_dir() else ():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def key(self) -> bytes:
        """What this volume signs its pods with; made at the first need, readable by the owner alone."""
        path = self.folder / KEY
        if not path.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            part = self.folder / f"{KEY}.new"
            part.touch(mode=0o600)
            part.write_bytes(bytes(Ids().bytes(KEY_BYTES)))  # never seeded: it is a secret
            os.replace(part, path)
        return path.read_bytes()

    # --- remotes

    def remotes(self) -> tuple[Remote, ...]:
        path = self.folder / REMOTES
        return msgspec.json.decode(path.read_bytes(), type=tuple[Remote, ...]) if path.is_file() else ()

    def set_remotes(self, remotes: Iterable[Remote]) -> None:
        content = msgspec.json.encode(tuple(remotes))
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f"{REMOTES}.new"
        part.write_bytes(content)
        os.replace(part, self.folder / REMOTES)

    def other(self, remote: Remote) -> Shelf:
        """The shelf that a remote is. Raises BadRemote for one that is no folder of this machine."""
        folder = folder_of(remote.url)
        if folder is None:
            raise BadRemote(
                f"the remote {remote.name!r} is at {remote.url or 'no address'}; "
                "only folders of this machine (file:///…) can be used"
            )
        return Shelf(folder)


def folder_of(url: str) -> Path | None:
    """The folder of a `file://` address of this machine; None for any other."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    path = unquote(parts.path)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not path.startswith("/") or "\0" in path:
        return None
    return Path(path)
