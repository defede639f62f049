"""What DynamoDB keeps.

    dynamodb.tables        account, region, name            what DescribeTable tells, with the indexes
    dynamodb.backups       account, region, ARN             a table as it was when it was backed up
    dynamodb.streams       account, region, table, label    a stream, also of a table that is gone
    dynamodb.changes       storage, sequence number         what a stream tells
    dynamodb.items         storage, hash key, range key     the item as DynamoDB's JSON, and its size
    dynamodb.index_items   storage, index keys, table keys  the projected item, once for each index that it is in
    dynamodb.expiries      storage, time, table keys        when TTL will delete an item
    dynamodb.tokens        period, account, region, token   the requests of TransactWriteItems that were carried out

A table and each index have a storage number of their own, new for each that is created: what a deleted table leaves
behind can be swept up later, and a new table of the same name never sees it.

The hash key's bytes begin with four bytes of its checksum: scans run in that order, as AWS's run in the order of a hash,
and segments of a parallel scan are ranges of it.
"""

from __future__ import annotations

from cloudlet.emulator.store.table import Record, Table


class IndexRecord(Record, frozen=True):
    """A secondary index. `projection` is ALL, KEYS_ONLY or INCLUDE; units are per second."""

    name: str
    storage: int
    is_global: bool
    hash_name: str
    hash_type: str
    range_name: str | None
    range_type: str | None
    projection: str
    non_key_attributes: tuple[str, ...] = ()
    read_units: int = 0
    write_units: int = 0
    on_demand: tuple[tuple[str, int], ...] = ()
    warm: tuple[tuple[str, int], ...] = ()


class InsightRecord(Record, frozen=True):
    """Contributor Insights of the table (empty `index`) or of an index; `changed` in seconds since the epoch."""

    index: str
    enabled: bool
    mode: str
    changed: float


class TableRecord(Record, frozen=True):
    """A table. Times are seconds since the epoch; units are per second."""

    account_id: str
    region: str
    name: str
    arn: str
    table_id: str
    storage: int
    created: float
    hash_name: str
    hash_type: str
    range_name: str | None
    range_type: str | None
    attributes: tuple[tuple[str, str], ...]
    indexes: tuple[IndexRecord, ...]
    billing_mode: str
    read_units: int = 0
    write_units: int = 0
    billing_changed: float | None = None
    billing_described: bool = False
    throughput_increased: float | None = None
    throughput_decreased: float | None = None
    decreases_today: int = 0
    on_demand: tuple[tuple[str, int], ...] = ()
    warm: tuple[tuple[str, int], ...] = ()
    stream_view: str = ""
    stream_label: str = ""
    sse_enabled: bool = False
    sse_key_arn: str = ""
    table_class: str = ""
    deletion_protection: bool = False
    ttl_attribute: str = ""
    recovery_since: float | None = None
    recovery_days: int = 35
    tags: tuple[tuple[str, str], ...] = ()
    resource_policy: str = ""
    policy_revision: str = ""
    insights: tuple[InsightRecord, ...] = ()
    restored_from: str = ""
    restored_at: float | None = None
    restored_backup: str = ""
    stream_storage: int = 0


class BackupRecord(Record, frozen=True):
    """A backup: the table as it was, its items under `storage`, their number and bytes."""

    account_id: str
    region: str
    arn: str
    name: str
    created: float
    storage: int
    count: int
    size: int
    table: TableRecord


class StreamRecord(Record, frozen=True):
    """A stream of a table, also of one that is gone. `closed`: since when no changes come; `first` and `last` are
    sequence numbers, `last` 0 while it is open."""

    account_id: str
    region: str
    table: str
    label: str
    arn: str
    view: str
    created: float
    storage: int
    hash_name: str
    range_name: str | None
    first: int
    last: int = 0
    closed: float | None = None


class ChangeRecord(Record, frozen=True):
    """A change of an item. `key`, `old` and `new` are DynamoDB's JSON, empty where the view leaves them out."""

    storage: int
    sequence: int
    event_id: str
    event: str
    at: float
    size: int
    key: bytes
    old: bytes
    new: bytes
    expired: bool


class ItemRecord(Record, frozen=True):
    """One item; `size` in bytes as DynamoDB counts."""

    storage: int
    hash: bytes
    range: bytes
    size: int
    item: bytes


class IndexItemRecord(Record, frozen=True):
    """One item as an index holds it."""

    storage: int
    hash: bytes
    range: bytes
    table_hash: bytes
    table_range: bytes
    size: int
    item: bytes


class ExpiryRecord(Record, frozen=True):
    """TTL deletes the item at `expires`, in seconds since the epoch."""

    storage: int
    expires: int
    hash: bytes
    range: bytes


class TokenRecord(Record, frozen=True):
    """A client request token of TransactWriteItems, with a digest of its request."""

    period: int
    account_id: str
    region: str
    token: str
    done_at: float
    digest: bytes


TABLES = Table("dynamodb.tables", TableRecord, key=("account_id", "region", "name"), cached=True)
STREAMS = Table("dynamodb.streams", StreamRecord, key=("account_id", "region", "table", "label"))
CHANGES = Table("dynamodb.changes", ChangeRecord, key=("storage", "sequence"))
BACKUPS = Table("dynamodb.backups", BackupRecord, key=("account_id", "region", "arn"))
ITEMS = Table("dynamodb.items", ItemRecord, key=("storage", "hash", "range"))
INDEX_ITEMS = Table(
    "dynamodb.index_items", IndexItemRecord, key=("storage", "hash", "range", "table_hash", "table_range")
)
EXPIRIES = Table("dynamodb.expiries", ExpiryRecord, key=("storage", "expires", "hash", "range"))
TOKENS = Table("dynamodb.tokens", TokenRecord, key=("period", "account_id", "region", "token"))
