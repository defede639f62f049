"""The keys of items: found, checked, and brought into bytes that sort as DynamoDB sorts.

Source: "Primary key", "Quotas in Amazon DynamoDB" (sort keys up to 1024, partition keys up to 2048 bytes).
"""

from __future__ import annotations

from base64 import b64decode
from typing import Final
from zlib import crc32

from cloudlet.emulator.services.dynamodb.errors import EmptyKey, ValidationException, invalid_parameter
from cloudlet.emulator.services.dynamodb.numbers import canonical_number, number_bytes
from cloudlet.emulator.services.dynamodb.records import IndexRecord, TableRecord
from cloudlet.emulator.services.dynamodb.values import Item, Value, kind_of, measure_value, refuse_type_count

MAX_HASH_BYTES: Final = 2048
MAX_RANGE_BYTES: Final = 1024
HASH_SPACE: Final = 1 << 32
SCHEMA_MISMATCH: Final = "The provided key element does not match the schema"

KeyBytes = tuple[bytes, bytes]


def hash_bytes(raw: bytes) -> bytes:
    """A hash key's stored bytes."""
    return crc32(raw).to_bytes(4, "big") + raw


def scalar_bytes(kind: str, content: str | bytes) -> bytes:
    """Bytes of a key attribute of this type; numbers need not be canonical, binaries may be bytes or base64."""
    if kind == "S":
        return content.encode()  # type: ignore[union-attr]
    if kind == "N":
        return number_bytes(canonical_number(content))  # type: ignore[arg-type]
    return content if type(content) is bytes else b64decode(content)


def read_key(table: TableRecord, key: Item) -> KeyBytes:
    """The stored key of a request's Key. Raises ValidationException."""
    hash_name, range_name = table.hash_name, table.range_name
    value = key.get(hash_name)
    if value is None or len(key) != (1 if range_name is None else 2):
        raise key_mismatch(key)
    raw = key_part(key, hash_name, table.hash_type, value)
    if len(raw) > MAX_HASH_BYTES:
        raise hash_too_long()
    if range_name is None:
        return crc32(raw).to_bytes(4, "big") + raw, b""
    value = key.get(range_name)
    if value is None:
        raise key_mismatch(key)
    second = key_part(key, range_name, table.range_type or "S", value)
    if len(second) > MAX_RANGE_BYTES:
        raise range_too_long()
    return crc32(raw).to_bytes(4, "big") + raw, second


def key_part(key: Item, name: str, kind: str, value: Value) -> bytes:
    content = value.get(kind)
    if content is None or len(value) != 1:
        raise key_mismatch(key)
    raw = scalar_bytes(kind, content)
    if not raw:
        raise empty_key(name, kind)
    return raw


def key_mismatch(key: Item) -> ValidationException:
    """The error about a Key; a malformed value in it comes first."""
    for value in key.values():
        measure_value(value)
    return ValidationException(SCHEMA_MISMATCH)


def item_key(table: TableRecord, item: Item) -> KeyBytes:
    """The stored key of a measured item. Raises ValidationException."""
    raw = item_part(item, table.hash_name, table.hash_type)
    if len(raw) > MAX_HASH_BYTES:
        raise hash_too_long()
    if table.range_name is None:
        return crc32(raw).to_bytes(4, "big") + raw, b""
    second = item_part(item, table.range_name, table.range_type or "S")
    if len(second) > MAX_RANGE_BYTES:
        raise range_too_long()
    return crc32(raw).to_bytes(4, "big") + raw, second


def item_part(item: Item, name: str, kind: str) -> bytes:
    value = item.get(name)
    if value is None:
        raise invalid_parameter(f"Missing the key {name} in the item")
    content = value.get(kind)
    if content is None:
        if not value:
            refuse_type_count(value)
        raise invalid_parameter(f"Type mismatch for key {name} expected: {kind} actual: {kind_of(value)}")
    raw = scalar_bytes(kind, content)
    if not raw:
        raise empty_key(name, kind)
    return raw


def empty_key(name: str, kind: str) -> EmptyKey:
    return EmptyKey(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
        f"{'string' if kind == 'S' else 'binary'} value. Key: {name}"
    )


def hash_too_long() -> ValidationException:
    return invalid_parameter(f"Size of hashkey has exceeded the maximum size limit of{MAX_HASH_BYTES} bytes")


def range_too_long() -> ValidationException:
    return invalid_parameter(
        f"Aggregated size of all range keys has exceeded the size limit of {MAX_RANGE_BYTES} bytes"
    )


def index_key(index: IndexRecord, item: Item) -> KeyBytes | None:
    """Where an index has the item; None where it leaves it out."""
    value = item.get(index.hash_name)
    if value is None:
        return None
    content = value.get(index.hash_type)
    if content is None:
        return None
    raw = scalar_bytes(index.hash_type, content)
    if not raw:
        return None
    if index.range_name is None:
        return crc32(raw).to_bytes(4, "big") + raw, b""
    value = item.get(index.range_name)
    if value is None:
        return None
    content = value.get(index.range_type)  # type: ignore[arg-type]
    if not content:
        return None
    return crc32(raw).to_bytes(4, "big") + raw, scalar_bytes(index.range_type or "S", content)


def check_index_keys(table: TableRecord, item: Item) -> None:
    """The index keys that an item brings have their types and are not empty. Raises ValidationException."""
    for index in table.indexes:
        check_index_key(index, item, index.hash_name, index.hash_type, MAX_HASH_BYTES)
        if index.range_name is not None:
            check_index_key(index, item, index.range_name, index.range_type or "S", MAX_RANGE_BYTES)


def check_index_key(index: IndexRecord, item: Item, name: str, kind: str, limit: int) -> None:
    value = item.get(name)
    if value is None:
        return
    content = value.get(kind)
    if content is None:
        raise invalid_parameter(
            f"Type mismatch for Index Key {name} Expected: {kind} Actual: {kind_of(value)} IndexName: {index.name}"
        )
    if not content:
        raise EmptyKey(
            "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
            f"The AttributeValue for a key attribute cannot contain an empty {'string' if kind == 'S' else 'binary'} "
            f"value. IndexName: {index.name}, IndexKey: {name}"
        )
    if len(content) > limit // 4 and len(scalar_bytes(kind, content)) > limit:
        raise hash_too_long() if limit == MAX_HASH_BYTES else range_too_long()


def key_of_item(table: TableRecord, item: Item) -> Item:
    """The primary key's attributes."""
    key = {table.hash_name: item[table.hash_name]}
    if table.range_name is not None:
        key[table.range_name] = item[table.range_name]
    return key
