"""A pod as one zip file.

    manifest.json             what it is, with the SHA-256 of every other file
    manifest.sig              HMAC-SHA-256 of the manifest with the key of the volume that made it
    native/SERVICE.records    stored records, each as four bytes of length and the MessagePack of [table, value]
    blobs/ID                  large bodies
    fallback/MODULE.pickle    the state of a service through moto

The state of a service through moto is a pickle, which can be a program. So it is believed without a question only where
the signature says that this volume made it; from anywhere else only data and moto's own classes are read
(`fallback.pickling`).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from cloudlet.emulator.pods.errors import BadArchive
from cloudlet.emulator.pods.native import Entry

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
MEMBER = re.compile(r"native/[a-z0-9-]+\.records|blobs/[0-9a-f]{32}|fallback/[a-z0-9_]+\.pickle")
FORMAT = 1
LENGTH_BYTES = 4
CHUNK_BYTES = 1 << 20
LONGEST_MANIFEST_BYTES = 64 << 20
FASTEST = 1  # of zlib's levels: pods are made while somebody waits


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`created_at` in seconds since the epoch; `files`: name -> SHA-256 in hex; `version`, `moto`: what made it."""

    format: int = FORMAT
    name: str
    created_at: float
    version: str
    moto: str
    services: tuple[str, ...]
    description: str = ""
    files: dict[str, str] = msgspec.field(default_factory=dict)


class RecordWriter:
    """Writes records below a folder, one file a service."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._encode = msgspec.msgpack.Encoder().encode
        self.services: set[str] = set()

    def write(self, entries: Iterable[Entry]) -> None:
        """Entries of one service come one after the other, or the file is opened again."""
        current, file = "", None
        for service, table, raw in entries:
            if service != current or file is None:
                if file is not None:
                    file.close()
                current, file = service, (self._folder / f"{service}.records").open("ab")
                self.services.add(service)
            content = self._encode((table, raw))
            file.write(len(content).to_bytes(LENGTH_BYTES, "big") + content)
        if file is not None:
            file.close()


def read_records(folder: Path) -> Iterator[Entry]:
    """Raises BadArchive for what is cut off or garbled."""
    decode = msgspec.msgpack.Decoder(tuple[str, bytes]).decode
    for path in sorted(folder.glob("*.records")):
        with path.open("rb") as file:
            while head := file.read(LENGTH_BYTES):
                length = int.from_bytes(head, "big")
                content = file.read(length)
                if len(head) < LENGTH_BYTES or len(content) < length:
                    raise BadArchive(f"invalid pod file: {path.name} is cut off")
                try:
                    table, raw = decode(content)
                except msgspec.DecodeError as error:
                    raise BadArchive(f"invalid pod file: {path.name} is garbled: {error}") from error
                yield Entry(path.stem, table, raw)


def pack(folder: Path, manifest: Manifest, key: bytes, target: Path) -> Manifest:
    """Everything below `folder` as a pod. The manifest with the files in it."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=FASTEST) as archive:
        files = {}
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = path.relative_to(folder).as_posix()
            files[name] = digest(path)
            archive.write(path, name)
        made = msgspec.structs.replace(manifest, files=files)
        content = msgspec.json.encode(made)
        archive.writestr(MANIFEST, content)
        archive.writestr(SIGNATURE, hmac.digest(key, content, "sha256").hex())
    return made


def unpack(source: Path, folder: Path, key: bytes) -> tuple[Manifest, bool]:
    """The pod's files below `folder`, its manifest, and whether it is this volume's own. Raises BadArchive."""
    try:
        with zipfile.ZipFile(source) as archive:
            manifest, own = read_manifest(archive, key)
            for name, wanted in manifest.files.items():
                if MEMBER.fullmatch(name) is None:
                    raise BadArchive(f"invalid pod file: it has a file {name!r}")
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as packed, path.open("xb") as file:
                    shutil.copyfileobj(packed, file, CHUNK_BYTES)
                if digest(path) != wanted:
                    raise BadArchive(f"invalid pod file: {name} is damaged")
    except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, EOFError, KeyError, OSError) as error:
        raise BadArchive(f"not a valid zip archive: {error}") from error
    return manifest, own


def read_manifest(archive: zipfile.ZipFile, key: bytes) -> tuple[Manifest, bool]:
    names = archive.namelist()
    if MANIFEST not in names or archive.getinfo(MANIFEST).file_size > LONGEST_MANIFEST_BYTES:
        raise BadArchive(f"invalid pod file: it has no {MANIFEST}; only pods that Cloudlet made can be loaded")
    content = archive.read(MANIFEST)
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise BadArchive(f"invalid pod file: {MANIFEST}: {error}") from error
    if manifest.format != FORMAT:
        raise BadArchive(f"invalid pod file: its format is {manifest.format}, this version knows {FORMAT}")
    signature = archive.read(SIGNATURE) if SIGNATURE in names else b""
    return manifest, hmac.compare_digest(signature, hmac.digest(key, content, "sha256").hex().encode())


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
