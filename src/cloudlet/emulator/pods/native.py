"""The native half of a pod: records by table, jobs, and the blobs that objects refer to.

Stored values carry their table's version, so a pod of an older Cloudlet is migrated when it is read. Index entries are not
part of a pod: they are made anew. A record belongs to an account and a region, its own, those of its ARN, or those of what
it is part of (a message's queue, an object's bucket).
"""

from __future__ import annotations

import importlib
import importlib.util
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import msgspec

from cloudlet.emulator.effects.jobs import JOBS, JobRecord
from cloudlet.emulator.kernel.naming import folder_name
from cloudlet.emulator.pods.errors import BadArchive
from cloudlet.emulator.pods.owners import NOWHERE, Owners, Scope
from cloudlet.emulator.store import blobs
from cloudlet.emulator.store.blobs import BLOBS, BlobRecord
from cloudlet.emulator.store.kv import StoreError, Transaction
from cloudlet.emulator.store.table import R, Record, Table

SERVICES = "cloudlet.emulator.services"
COMMON = "cloudlet"  # the file of what belongs to no service alone
IN_BLOB = 2  # `body` of the records of S3 whose content is a blob


class Entry(NamedTuple):
    """A stored record: the service it belongs to, its table, its value."""

    service: str
    table: str
    raw: bytes


class Contents:
    """What a pod holds of native services. `records`: service -> (table, record); `files`: blob's id -> its bytes."""

    def __init__(self) -> None:
        self.records: dict[str, list[tuple[Table[Any], Record]]] = defaultdict(list)
        self.jobs: list[JobRecord] = []
        self.blobs: dict[str, BlobRecord] = {}
        self.files: dict[str, Path] = {}


# --- taking


def entries(tx: Transaction, wanted: Callable[[str], bool], services: Iterator[str]) -> Iterator[Entry]:
    """Every record of the native `services` that are wanted, their jobs (those of others too), and the blobs of them."""
    chosen = [service for service in services if wanted(service)]
    for service in chosen:
        for key, raw in tx.scan(f"{service}.".encode(), f"{service}/".encode()):
            table = key[: key.index(0)]
            if b"/" not in table:  # of an index
                yield Entry(service, table.decode(), bytes(raw))
    for job in JOBS.scan(tx):
        service = job.kind.partition(".")[0]
        if wanted(service):
            yield Entry(service, JOBS.name, JOBS.write(job))
    for blob in blobs_of(tx, chosen):
        yield Entry(COMMON, BLOBS.name, BLOBS.write(blob))


def blobs_of(tx: Transaction, services: Iterable[str]) -> Iterator[BlobRecord]:
    """The blobs that records of these services refer to, with the parts of joined ones; each once."""
    seen: set[str] = set()
    for service in services:
        if next(tx.scan(f"{service}.".encode(), f"{service}/".encode(), limit=1), None) is None:
            continue
        for table in tables_of(service).values():
            if not refers_to_blobs(table):
                continue
            for record in table.scan(tx):
                waiting = [blob_id for blob_id in blob_of(record) if blob_id not in seen]
                while waiting:
                    blob = BLOBS.get(tx, waiting.pop())
                    if blob is not None and blob.blob_id not in seen:
                        seen.add(blob.blob_id)
                        waiting += [part_id for part_id, _size in blob.parts or ()]
                        yield blob


def refers_to_blobs(table: Table[Any]) -> bool:
    return any(hasattr(table.record, field) for field in ("body_id", "blob_id"))


def tables_of(service: str) -> Mapping[str, Table[Any]]:
    """A native service's tables by name; some have none. Where two read the same one, it is the one that reads all."""
    name = f"{SERVICES}.{folder_name(service)}.records"
    if importlib.util.find_spec(name) is None:
        return {}
    module: ModuleType = importlib.import_module(name)  # lazy: the code of a service that nobody has used
    found: dict[str, Table[Any]] = {}
    for value in vars(module).values():
        if isinstance(value, Table):
            other = found.get(value.name)
            if other is None or width(value) > width(other):
                found[value.name] = value
    return found


def width(table: Table[Any]) -> int:
    return len(msgspec.structs.fields(table.record))


def read(found: Iterator[Entry], is_native: Callable[[str], bool]) -> Contents:
    """Raises BadArchive for a table that this version does not have, and for values that are none of it."""
    contents = Contents()
    tables: dict[str, Mapping[str, Table[Any]]] = {}
    for service, name, raw in found:
        if name == JOBS.name:
            contents.jobs.append(read_value(JOBS, raw))
        elif name == BLOBS.name:
            blob = read_value(BLOBS, raw)
            contents.blobs[blob.blob_id] = blob
        elif is_native(service):
            if service not in tables:
                tables[service] = tables_of(service)
            table = tables[service].get(name)
            if table is None:
                raise BadArchive(f"invalid pod file: this version has no {name}")
            contents.records[service].append((table, read_value(table, raw)))
        else:
            raise BadArchive(f"invalid pod file: this version has no {name}")
    return contents


def read_value(table: Table[R], raw: bytes) -> R:
    try:
        return table.read(raw)
    except (msgspec.MsgspecError, StoreError, IndexError) as error:
        raise BadArchive(f"invalid pod file: {table.name} has a record that cannot be read: {error}") from error


# --- putting


def put_instead(tx: Transaction, contents: Contents, natives: Iterator[str]) -> None:
    """Everything that is there goes."""
    hold_all(tx, contents)
    gone: list[str] = []
    for service in natives:
        for table in tables_of(service).values():
            for record in table.scan(tx):
                gone += blob_of(record)
                table.delete_record(tx, record)
    for job in list(JOBS.scan(tx)):
        JOBS.delete(tx, job.job_id)
    put_all(tx, contents, gone)


def put_beside(tx: Transaction, contents: Contents) -> None:
    """What is in an account and region of a service for which the pod has something goes."""
    hold_all(tx, contents)
    gone: list[str] = []
    cleared: dict[str, frozenset[Scope]] = {}
    for service, come in contents.records.items():
        owners = Owners()
        for _table, record in come:
            owners.learn(record)
        scopes = cleared[service] = frozenset(owners.of(record) for _table, record in come) - {NOWHERE}
        gone += clear(tx, service, scopes, owners.buckets)
    for job in list(JOBS.scan(tx)):
        if (job.account_id, job.region) in cleared.get(job.kind.partition(".")[0], ()):
            JOBS.delete(tx, job.job_id)
    put_all(tx, contents, gone)


def put_with(tx: Transaction, contents: Contents) -> None:
    """Everything stays; where both have a record of one key, it is the pod's."""
    hold_all(tx, contents)
    put_all(tx, contents, [])


def clear(tx: Transaction, service: str, scopes: Container[Scope], buckets: Container[str]) -> list[str]:
    """Delete what is in these scopes, and in buckets of these names wherever they are. The blobs that it referred to."""
    tables = tables_of(service).values()
    owners = Owners()
    for table in tables:
        for record in table.scan(tx):
            owners.learn(record)
    gone: list[str] = []
    for table in tables:
        for record in table.scan(tx):
            if owners.of(record) in scopes or owners.bucket_of(record) in buckets:
                gone += blob_of(record)
                table.delete_record(tx, record)
    return gone


def put_all(tx: Transaction, contents: Contents, gone: list[str]) -> None:
    for come in contents.records.values():
        for table, record in come:
            before = table.stored(tx, record)
            if before is not None:
                gone += blob_of(before)
            table.put(tx, record)
    for job in contents.jobs:
        if job.key is not None:
            same = JOBS.find(tx, "by_key", job.kind, job.key)
            if same is not None:
                JOBS.delete(tx, same.job_id)
        JOBS.put(tx, msgspec.structs.replace(job, lease=""))
    for blob_id in gone:  # last: what comes may be the same blob
        if BLOBS.exists(tx, blob_id):
            blobs.unlink(tx, blob_id)


def hold_all(tx: Transaction, contents: Contents) -> None:
    for come in contents.records.values():
        for _table, record in come:
            for blob_id in blob_of(record):
                hold(tx, blob_id, contents)


def hold(tx: Transaction, blob_id: str, contents: Contents) -> None:
    """One link more to a blob, which is taken from the pod where it is not there. Raises BadArchive without either."""
    if BLOBS.exists(tx, blob_id):
        blobs.link(tx, blob_id)
        return
    blob, file = contents.blobs.get(blob_id), contents.files.get(blob_id)
    if blob is None or (blob.parts is None and file is None):
        raise BadArchive(f"invalid pod file: it lacks the blob {blob_id}")
    if blob.parts is None and file is not None:
        body = tx.blobs.spooled(blob_id, file)
        tx.on_abort(body.discard)
        tx.blobs.keep(tx, body)
    else:
        for part_id, _size in blob.parts or ():
            hold(tx, part_id, contents)
    BLOBS.put(tx, msgspec.structs.replace(blob, links=1))


def blob_of(record: Any) -> tuple[str, ...]:
    """The blob that holds a record's content, where one does."""
    if getattr(record, "body", None) == IN_BLOB:
        return (record.body_id,)
    blob_id = getattr(record, "blob_id", "")
    return (blob_id,) if blob_id else ()
