"""The configurations of a bucket, each stored in the API's own form under (bucket, kind, id)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cloudlet.emulator.services.s3.records import CONFIGS, ConfigRecord
from cloudlet.emulator.store.kv import Transaction


def get_config(tx: Transaction, bucket: str, kind: str, id: str = "") -> dict[str, Any] | None:
    """A configuration, or None. Not to be changed: copy it first."""
    record = CONFIGS.get(tx, bucket, kind, id)
    return None if record is None else record.value


def put_config(tx: Transaction, bucket: str, kind: str, value: Mapping[str, Any], id: str = "") -> None:
    CONFIGS.put(tx, ConfigRecord(bucket=bucket, kind=kind, id=id, value=dict(value)))


def delete_config(tx: Transaction, bucket: str, kind: str, id: str = "") -> bool:
    return CONFIGS.delete(tx, bucket, kind, id)


def configs(tx: Transaction, bucket: str, kind: str) -> Iterator[ConfigRecord]:
    """All configurations of one kind, by id."""
    return CONFIGS.scan(tx, bucket, kind)


def delete_all_configs(tx: Transaction, bucket: str) -> None:
    for record in CONFIGS.scan(tx, bucket):
        CONFIGS.delete(tx, bucket, record.kind, record.id)
