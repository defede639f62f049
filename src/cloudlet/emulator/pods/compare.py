"""What loading a pod would add or change: nothing is loaded."""

from __future__ import annotations

import asyncio
import shutil
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.fallback import moment
from cloudlet.emulator.pods.archive import unpack
from cloudlet.emulator.store.transact import run

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator
    from cloudlet.emulator.pods.service import Pods

# Tables that say nothing that another one does not say too.
BOOKKEEPING = frozenset(
    """sqs.arrivals sqs.departures sqs.places sqs.groups sqs.attempts sqs.deduplications sqs.deletions
    sns.deduplications sns.sequences sns.signing-keys dynamodb.index_items dynamodb.expiries dynamodb.tokens
    dynamodb.changes s3.bodies s3.manifests""".split()
)

Differences = dict[str, list[dict[str, Any]]]


async def differences(emulator: Emulator, pods: Pods, source: Path) -> Differences:
    """Service -> `{"operation_type": "ADDITION" | "MODIFICATION", "type", "id"}` of each thing. Raises BadArchive."""
    folder = pods.shelf.work_folder()
    found: Differences = defaultdict(list)
    try:
        _manifest, own = await asyncio.to_thread(unpack, source, folder, pods.shelf.key())
        contents = await asyncio.to_thread(pods.contents, folder)
        states = {path.stem: path.read_bytes() for path in (folder / "fallback").glob("*.pickle")}
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    def compare(tx: Any) -> None:
        found.clear()
        for service, come in contents.records.items():
            for table, record in come:
                if table.name not in BOOKKEEPING:
                    before = table.stored(tx, record)
                    if before is None or table.write(before) != table.write(record):
                        identity = "/".join(str(getattr(record, field)) for field in table.key_fields)
                        found[service].append(entry(before is None, table.name, identity))

    run(emulator.store, compare, read_only=True)
    for module, is_new, kind, name in await moment.differences(emulator.dispatcher.fallback, states, believe=own):
        for service in moment.names_of((module,)):
            found[service].append(entry(is_new, kind, name))
    return dict(found)


def entry(is_new: bool, kind: str, name: str) -> dict[str, Any]:
    return {"operation_type": "ADDITION" if is_new else "MODIFICATION", "type": kind, "id": name}
