"""Tables on every back end: records, indexes, ranges, versions, the cache."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cloudlet.emulator.store.kv import Store, StoreError, Transaction
from cloudlet.emulator.store.table import CACHED_RECORDS, DuplicateKey, Index, Record, Table
from cloudlet.emulator.store.transact import run


class Item(Record, frozen=True):
    owner: str
    name: str
    number: int = 0
    tag: str | None = None
    body: dict[str, Any] | None = None

    @property
    def parity(self) -> str:
        return "odd" if self.number % 2 else "even"


ITEMS = Table(
    "test.items",
    Item,
    key=("owner", "name"),
    indexes={
        "by_number": ("number",),
        "by_tag": Index(("owner", "tag"), unique=True, sparse=True),
        "by_parity": ("parity", "number"),
    },
)
PLAIN = Table("test.plain", Item, key=("owner", "name"))
HOT = Table("test.hot", Item, key=("owner", "name"), cached=True)


def put_items(store: Store, *items: Item, table: Table[Item] = ITEMS) -> None:
    def write(tx: Transaction) -> None:
        for item in items:
            table.put(tx, item)

    run(store, write)


def names(store: Store, *prefix: Any, table: Table[Item] = PLAIN, **options: Any) -> list[str]:
    return run(store, lambda tx: [item.name for item in table.scan(tx, *prefix, **options)], read_only=True)


def looked_up(store: Store, index: str, *fields: Any, **options: Any) -> list[str]:
    return run(store, lambda tx: [item.name for item in ITEMS.lookup(tx, index, *fields, **options)], read_only=True)


def test_a_record_comes_back_equal(store: Store) -> None:
    item = Item("a", "one", -5, "t", {"nested": [1, "x", b"\x00", None, 2.5]})
    put_items(store, item)
    assert run(store, lambda tx: ITEMS.get(tx, "a", "one")) == item
    assert run(store, lambda tx: ITEMS.exists(tx, "a", "one"))
    assert run(store, lambda tx: ITEMS.get(tx, "a", "two")) is None
    assert not run(store, lambda tx: ITEMS.exists(tx, "a", "two"))


def test_a_deleted_record_is_gone_and_said_so_once(store: Store) -> None:
    put_items(store, Item("a", "one", 1, "t"))
    assert run(store, lambda tx: ITEMS.delete(tx, "a", "one"))
    assert not run(store, lambda tx: ITEMS.delete(tx, "a", "one"))
    assert run(store, lambda tx: list(tx.scan(b"", b"\xff"))) == []


def test_a_wrong_number_of_key_parts_is_refused(store: Store) -> None:
    with pytest.raises(TypeError, match="1 key parts"):
        run(store, lambda tx: ITEMS.get(tx, "a"))
    with pytest.raises(TypeError):
        run(store, lambda tx: ITEMS.get(tx, "a", "b", "c"))


def test_large_records_come_back(store: Store) -> None:
    item = Item("a", "large", body={"data": b"x" * 400_000})
    put_items(store, item)
    assert run(store, lambda tx: ITEMS.get(tx, "a", "large")) == item


def test_a_scan_sees_its_prefix_only_in_order(store: Store) -> None:
    put_items(store, *[Item(owner, name) for owner in "abc" for name in ("x", "y", "z")], table=PLAIN)
    assert names(store, "b") == ["x", "y", "z"]
    assert names(store, "b", reverse=True) == ["z", "y", "x"]
    assert names(store, "b", limit=2) == ["x", "y"]
    assert names(store, "d") == []
    assert len(names(store)) == 9


def test_a_scan_is_narrowed_by_keys(store: Store) -> None:
    put_items(store, *[Item("a", name) for name in ("ab", "abc", "b", "ba", "c")], table=PLAIN)
    assert names(store, "a", after=("abc",)) == ["b", "ba", "c"]
    assert names(store, "a", after=("abd",)) == ["b", "ba", "c"]
    assert names(store, "a", after=("b",), reverse=True) == ["abc", "ab"]
    assert names(store, "a", from_=("b",)) == ["b", "ba", "c"]
    assert names(store, "a", to=("b",)) == ["ab", "abc"]
    assert names(store, "a", from_=("abc",), to=("c",), reverse=True) == ["ba", "b", "abc"]
    assert names(store, after=("a", "ba")) == ["c"]
    assert names(store, from_=("c",)) == []


def test_a_scan_is_narrowed_by_the_beginning_of_a_text(store: Store) -> None:
    put_items(store, *[Item("a", name) for name in ("p", "p/1", "p/1/a", "p/2", "p0", "q")], table=PLAIN)
    assert names(store, "a", starts_with="p/") == ["p/1", "p/1/a", "p/2"]
    assert names(store, "a", starts_with="p", after=("p/1",)) == ["p/1/a", "p/2", "p0"]
    assert names(store, "a", beyond="p/1") == ["p/2", "p0", "q"]
    assert names(store, "a", starts_with="p", beyond="p/") == ["p0"]
    assert names(store, "a", beyond="p/", reverse=True) == ["p"]
    assert names(store, "a", starts_with="") == ["p", "p/1", "p/1/a", "p/2", "p0", "q"]


def test_an_index_finds_records_in_its_order(store: Store) -> None:
    put_items(store, *[Item("a", f"n{number}", number % 3) for number in range(7)])
    assert looked_up(store, "by_number", 1) == ["n1", "n4"]
    assert looked_up(store, "by_number") == ["n0", "n3", "n6", "n1", "n4", "n2", "n5"]
    assert looked_up(store, "by_number", reverse=True, limit=2) == ["n5", "n2"]
    assert looked_up(store, "by_number", after=(1, "a", "n1")) == ["n4", "n2", "n5"]
    assert looked_up(store, "by_number", 0, after=("a", "n0")) == ["n3", "n6"]
    assert looked_up(store, "by_number", from_=(1,), to=(2,)) == ["n1", "n4"]
    assert looked_up(store, "by_parity", "odd") == ["n1", "n4"]


def test_an_index_follows_its_records(store: Store) -> None:
    put_items(store, Item("a", "one", 1, "t1"))
    put_items(store, Item("a", "one", 2, None))
    assert looked_up(store, "by_number", 1) == []
    assert looked_up(store, "by_number", 2) == ["one"]
    assert looked_up(store, "by_tag", "a", "t1") == []
    stored, wanted = run(store, ITEMS.index_entries)
    assert stored == wanted
    assert len(stored) == 2


def test_a_unique_index_refuses_a_second_record(store: Store) -> None:
    put_items(store, Item("a", "one", 1, "t1"))
    with pytest.raises(DuplicateKey) as refused:
        put_items(store, Item("a", "two", 2, "t1"))
    assert (refused.value.table, refused.value.index) == ("test.items", "by_tag")
    put_items(store, Item("b", "two", 2, "t1"), Item("a", "one", 5, "t1"), Item("a", "three"), Item("a", "four"))
    found = run(store, lambda tx: ITEMS.find(tx, "by_tag", "a", "t1"))
    assert found == Item("a", "one", 5, "t1")
    assert run(store, lambda tx: ITEMS.find(tx, "by_tag", "a", "t2")) is None


def test_a_cached_table_never_answers_with_what_was(store: Store) -> None:
    put_items(store, Item("a", "one", 1), table=HOT)
    first = run(store, lambda tx: HOT.get(tx, "a", "one"))
    assert run(store, lambda tx: HOT.get(tx, "a", "one")) is first

    def change_and_fail(tx: Transaction) -> None:
        HOT.put(tx, Item("a", "one", 2))
        assert HOT.get(tx, "a", "one") == Item("a", "one", 2)
        raise LookupError

    with pytest.raises(LookupError):
        run(store, change_and_fail)
    assert run(store, lambda tx: HOT.get(tx, "a", "one")) == Item("a", "one", 1)
    put_items(store, Item("a", "one", 3), table=HOT)
    assert run(store, lambda tx: HOT.get(tx, "a", "one")) == Item("a", "one", 3)
    run(store, lambda tx: HOT.delete(tx, "a", "one"))
    assert run(store, lambda tx: HOT.get(tx, "a", "one")) is None


def test_the_cache_is_bounded(store: Store) -> None:
    put_items(store, *[Item("a", str(number)) for number in range(CACHED_RECORDS + 50)], table=HOT)

    def read_all(tx: Transaction) -> int:
        for number in range(CACHED_RECORDS + 50):
            HOT.get(tx, "a", str(number))
        return len(tx.records)

    assert run(store, read_all) <= CACHED_RECORDS


class ItemOne(Record, frozen=True):
    name: str
    size_text: str


class ItemTwo(Record, frozen=True):
    name: str
    size: int
    unit: str = "bytes"


def two_from_one(values: list[Any]) -> list[Any]:
    return [values[0], int(values[1])]


STORED_ONE = bytes.fromhex("0192a3666f6fa23432")  # version 1 of ItemOne("foo", "42"), as it was written


def test_records_of_old_versions_are_migrated_when_read(store: Store) -> None:
    one = Table("test.versions", ItemOne, version=1, key=("name",))
    two = Table(
        "test.versions", ItemTwo, version=2, key=("name",), migrations=(two_from_one,), indexes={"by_size": ("size",)}
    )
    run(store, lambda tx: one.put(tx, ItemOne("foo", "42")))
    assert run(store, lambda tx: tx.get(one.key("foo"))) == STORED_ONE
    assert run(store, lambda tx: two.get(tx, "foo")) == ItemTwo("foo", 42)
    assert run(store, lambda tx: list(two.scan(tx))) == [ItemTwo("foo", 42)]
    assert run(store, two.reindex) == 1
    assert run(store, lambda tx: two.find(tx, "by_size", 42)) == ItemTwo("foo", 42)
    with pytest.raises(StoreError, match="version 2"):
        run(store, lambda tx: one.get(tx, "foo"))


def test_a_field_with_a_default_may_come_later(store: Store) -> None:
    class Short(Record, frozen=True):
        name: str

    short = Table("test.grown", Short, key=("name",))
    long = Table("test.grown", ItemTwo, key=("name",))
    run(store, lambda tx: short.put(tx, Short("a")))
    with pytest.raises(msgspec.ValidationError):
        run(store, lambda tx: long.get(tx, "a"))

    class Longer(Record, frozen=True):
        name: str
        unit: str = "bytes"

    longer = Table("test.grown", Longer, key=("name",))
    assert run(store, lambda tx: longer.get(tx, "a")) == Longer("a", "bytes")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key": ("owner", "nothing")}, "nothing"),
        ({"key": ("owner",), "version": 2}, "1 migrations"),
        ({"key": ("owner",), "indexes": {"Bad Name": ("name",)}}, "Bad Name"),
    ],
)
def test_a_table_that_cannot_work_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Table("test.wrong", Item, **options)
