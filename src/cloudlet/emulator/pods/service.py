"""Pods as a whole: what is there now becomes a pod, and a pod becomes what is there.

Native and fallback's state are of one moment (`fallback.moment`). Packing and unpacking happen in a thread; taking and
putting the native half blocks the event loop, as snapshots do.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from cloudlet.emulator.fallback import moment
from cloudlet.emulator.fallback.coverage import moto_version
from cloudlet.emulator.fallback.moment import How
from cloudlet.emulator.pods import native
from cloudlet.emulator.pods.archive import Manifest, RecordWriter, pack, read_records, unpack
from cloudlet.emulator.pods.errors import Mismatch, NoRoom
from cloudlet.emulator.pods.shelf import Shelf, Version
from cloudlet.emulator.store.kv import Transaction
from cloudlet.emulator.store.transact import run

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

PACKED = "pod.zip"
FILES = "files"
MEGABYTE = 1_000_000


class Pods:
    """The pods of an emulator. `shelf` is the volume's own."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self.shelf = Shelf(Path(emulator.settings.volume_dir) / "pods")
        self.shelf.clean()

    async def save(
        self,
        shelf: Shelf,
        name: str,
        *,
        services: Collection[str] | None = None,
        version: int | None = None,
        description: str = "",
        limit_megabytes: int | None = None,
    ) -> tuple[Version, dict[str, str]]:
        """The saved version, and service -> why its state could not be written. Raises NoRoom."""
        folder = shelf.work_folder()
        try:
            manifest, problems = await self.pack(folder, name, services, description)
            packed = folder / PACKED
            size = packed.stat().st_size
            check_room(self.shelf, size, limit_megabytes)
            made = Version(
                version=version if version is not None else shelf.next_version(name),
                created_at=int(manifest.created_at),
                services=manifest.services,
                localstack_version=manifest.version,
                description=description,
                storage_size=size,
            )
            shelf.keep(name, made, packed)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return made, problems

    async def pack(
        self, folder: Path, name: str, services: Collection[str] | None = None, description: str = ""
    ) -> tuple[Manifest, dict[str, str]]:
        """Write `folder/pod.zip`. Its manifest, and service -> why its state could not be written."""
        files = folder / FILES
        found, problems = await self._take(files, lambda service: services is None or service in services)
        manifest = Manifest(
            name=name,
            created_at=self._emulator.clock.wall(),
            version=self._emulator.version,
            moto=moto_version(),
            services=tuple(sorted(found)),
            description=description,
        )
        key = self.shelf.key()
        return await asyncio.to_thread(pack, files, manifest, key, folder / PACKED), problems

    async def _take(self, folder: Path, wanted: Callable[[str], bool]) -> tuple[set[str], dict[str, str]]:
        emulator = self._emulator

        def take(states: dict[str, bytes], problems: dict[str, str]) -> tuple[set[str], dict[str, str]]:
            found = run(emulator.store, lambda tx: self._take_native(tx, folder, wanted), read_only=True)
            (folder / "fallback").mkdir(parents=True)
            for module, content in states.items():
                names = [name for name in moment.names_of((module,)) if not emulator.registry.is_native(name)]
                if any(wanted(name) for name in names):
                    (folder / "fallback" / f"{module}.pickle").write_bytes(content)
                    found.update(name for name in names if wanted(name))
            return found, problems

        return await moment.take(emulator.dispatcher.fallback, take)

    def _take_native(self, tx: Transaction, folder: Path, wanted: Callable[[str], bool]) -> set[str]:
        shutil.rmtree(folder, ignore_errors=True)  # of an attempt that met a conflict
        writer = RecordWriter(folder / "native")
        writer.write(native.entries(tx, wanted, self._emulator.registry.names()))
        (folder / "blobs").mkdir()
        found = {name for name in writer.services if self._emulator.registry.is_native(name)}
        for blob in native.blobs_of(tx, found):
            if blob.parts is None:
                tx.blobs.copy_to(tx, blob.blob_id, blob.size, folder / "blobs" / blob.blob_id)
        return found

    async def load(
        self, shelf: Shelf, name: str, *, version: int | None, how: How, ignore_versions: bool = False
    ) -> tuple[Version, int]:
        """The loaded version and the pod's size in bytes. Raises UnknownPod, BadArchive, Mismatch, Unreadable."""
        found, path = shelf.find(name, version)
        await self.put(path, how, ignore_versions=ignore_versions)
        return found, path.stat().st_size

    async def put(self, source: Path, how: How, *, ignore_versions: bool = False) -> Manifest:
        """Load a pod from its file. Raises BadArchive, Mismatch, Unreadable; then nothing was changed."""
        folder = self.shelf.work_folder()
        try:
            manifest, own = await asyncio.to_thread(unpack, source, folder, self.shelf.key())
            if not ignore_versions:
                check_version(manifest, self._emulator.version)
            await self._put(folder, how, believe=own)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return manifest

    async def _put(self, folder: Path, how: How, *, believe: bool) -> None:
        emulator = self._emulator
        contents = await asyncio.to_thread(self.contents, folder)
        states = {path.stem: path.read_bytes() for path in (folder / "fallback").glob("*.pickle")}

        def work(tx: Transaction) -> None:
            if how is How.INSTEAD:
                native.put_instead(tx, contents, emulator.registry.names())
            elif how is How.BESIDE:
                native.put_beside(tx, contents)
            else:
                native.put_with(tx, contents)

        await moment.put(emulator.dispatcher.fallback, states, how, lambda: run(emulator.store, work), believe=believe)
        await emulator.dispatcher.durable()
        for service in contents.records:
            emulator.registry.load(service)

    def contents(self, folder: Path) -> native.Contents:
        """The native half of an unpacked pod. Raises BadArchive."""
        contents = native.read(read_records(folder / "native"), self._emulator.registry.is_native)
        contents.files = {path.name: path for path in (folder / "blobs").glob("*")}
        return contents


def check_version(manifest: Manifest, version: str) -> None:
    """Raises Mismatch where the pod is of a later Cloudlet, or of another moto."""
    if release(manifest.version) > release(version):
        raise Mismatch(
            f"the pod was made by Cloudlet {manifest.version}; this is {version}, which may not know its records"
        )
    if manifest.moto != moto_version() and any("fallback/" in name for name in manifest.files):
        raise Mismatch(
            f"the pod was made with moto {manifest.moto or '(none)'}; here it is {moto_version() or 'not installed'}"
        )


def release(version: str) -> tuple[int, ...]:
    """`0.1.0` -> (0, 1); whatever is no number counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split(".")[:2])


def check_room(shelf: Shelf, size: int, limit_megabytes: int | None) -> None:
    if limit_megabytes is not None:
        used = shelf.size_bytes()
        if used + size > limit_megabytes * MEGABYTE:
            raise NoRoom(
                f"The plan's {limit_megabytes} MB of Cloud Pods are used up: {used / MEGABYTE:.1f} MB are kept and this "
                f"pod has {size / MEGABYTE:.1f} MB. Delete pods, or choose another plan."
            )
