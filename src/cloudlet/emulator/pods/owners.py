"""Whose a record is: its account and region, its own, those of an ARN, or those of what it is part of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

GENERATION_BITS = 16  # of SQS's storage ids: what is above them is the queue's own
NOWHERE = ("", "")

Scope = tuple[str, str]  # account and region
Thing = tuple[str, Any]  # what records are part of: its kind, its name


class Owners:
    """Finds account and region of records, once it has seen (`learn`) what they are part of, in whatever order."""

    def __init__(self) -> None:
        self._scopes: dict[Thing, Scope] = {}
        self._wholes: dict[Thing, Thing] = {}
        self.buckets: set[str] = set()

    def learn(self, record: Any) -> None:
        own, whole = own_scope(record), whole_of(record)
        for part in parts_of(record):
            if own is not None:
                self._scopes[part] = own
            elif part != whole:
                self._wholes[part] = whole
            if part[0] == "bucket":
                self.buckets.add(part[1])

    def of(self, record: Any) -> Scope:
        own = own_scope(record)
        return own if own is not None else self._scopes.get(self._root(whole_of(record)), NOWHERE)

    def bucket_of(self, record: Any) -> str | None:
        """The bucket that a record of S3 is, or is in."""
        kind, name = self._root(whole_of(record))
        return name if kind == "bucket" else None

    def _root(self, thing: Thing) -> Thing:
        while thing in self._wholes:
            thing = self._wholes[thing]
        return thing


def own_scope(record: Any) -> Scope | None:
    """From its fields or from an ARN that it has."""
    if hasattr(record, "account_id") and hasattr(record, "region"):
        return record.account_id, record.region
    for field in ("arn", "topic_arn", "application_arn", "source_arn"):
        arn = getattr(record, field, None)
        if isinstance(arn, str) and arn.count(":") >= 5:
            _arn, _partition, _service, region, account, _name = arn.split(":", 5)
            return account, region
    return None


def whole_of(record: Any) -> Thing:
    """What a record is part of: a queue, a table's storage, a bucket, an object's body, an upload."""
    if hasattr(record, "storage_id"):
        return "queue", record.storage_id >> GENERATION_BITS
    if hasattr(record, "storage"):
        return "storage", record.storage
    if hasattr(record, "object_lock"):
        return "bucket", record.name
    for field, kind in (("bucket", "bucket"), ("id", "body"), ("upload_id", "upload")):
        if hasattr(record, field):
            return kind, getattr(record, field)
    return "", None


def parts_of(record: Any) -> Iterator[Thing]:
    """What belongs to whoever has a record."""
    if hasattr(record, "storage_id"):
        yield "queue", record.storage_id >> GENERATION_BITS
    elif hasattr(record, "storage"):
        yield "storage", record.storage
        for index in getattr(record, "indexes", ()):
            yield "storage", index.storage
        if getattr(record, "stream_storage", 0):
            yield "storage", record.stream_storage
    elif hasattr(record, "object_lock"):
        yield "bucket", record.name
    elif hasattr(record, "body_id"):
        yield "body", record.body_id
    elif hasattr(record, "initiated"):
        yield "upload", record.upload_id
