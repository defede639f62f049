"""What every back end does."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudlet.emulator.store.kv import Conflict, ReadOnlyTransaction, Store, Transaction
from cloudlet.emulator.store.transact import run
from tests.store.conftest import OpenStore

ALL = (b"", b"\xff")
LONG = 1100  # bytes; S3's longest key with account, bucket and version is shorter

# Keys around LMDB's limit, many of which begin alike for longer than it.
bytes_of_keys = st.sampled_from([b"a", b"b", b"\x00", b"\xfe"])
lengths = st.sampled_from([0, 1, 2, 509, 510, 511, 512, 1003, 1004, 1005, 1006, 1100, 1600])
keys = st.builds(
    lambda length, start, end: start * length + b"".join(end),
    lengths,
    bytes_of_keys,
    st.lists(bytes_of_keys, max_size=3),
).filter(bool)


def read_all(tx: Transaction, **options: bool) -> list[tuple[bytes, bytes]]:
    return list(tx.scan(*ALL, **options))


def put_all(store: Store, pairs: dict[bytes, bytes]) -> None:
    def write(tx: Transaction) -> None:
        for key, value in pairs.items():
            tx.put(key, value)

    run(store, write)


def test_a_committed_value_is_read(store: Store) -> None:
    run(store, lambda tx: tx.put(b"k", b"v"))
    assert run(store, lambda tx: tx.get(b"k"), read_only=True) == b"v"
    assert run(store, lambda tx: tx.get(b"x"), read_only=True) is None


def test_a_transaction_sees_its_own_writes(store: Store) -> None:
    def work(tx: Transaction) -> None:
        tx.put(b"a", b"1")
        tx.put(b"b", b"2")
        assert tx.get(b"a") == b"1"
        assert tx.delete(b"b")
        assert tx.get(b"b") is None
        assert read_all(tx) == [(b"a", b"1")]

    run(store, work)


def test_raising_rolls_everything_back(store: Store) -> None:
    put_all(store, {b"a": b"1"})

    def work(tx: Transaction) -> None:
        tx.put(b"a", b"2")
        tx.put(b"b" * LONG, b"2")
        raise LookupError

    with pytest.raises(LookupError):
        run(store, work)
    assert run(store, read_all, read_only=True) == [(b"a", b"1")]


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(ReadOnlyTransaction):
        run(store, lambda tx: tx.put(b"a", b"1"), read_only=True)
    with pytest.raises(ReadOnlyTransaction):
        run(store, lambda tx: tx.delete(b"a"), read_only=True)
    assert run(store, read_all) == []


def test_deleting_says_whether_there_was_something(store: Store) -> None:
    put_all(store, {b"a": b"1", b"a" * LONG: b"2"})
    assert run(store, lambda tx: tx.delete(b"a"))
    assert not run(store, lambda tx: tx.delete(b"a"))
    assert run(store, lambda tx: tx.delete(b"a" * LONG))
    assert not run(store, lambda tx: tx.delete(b"a" * LONG))
    assert run(store, read_all) == []


def test_empty_and_large_values_come_back(store: Store) -> None:
    values = {b"empty": b"", b"large": bytes(range(256)) * 4000, b"x" * LONG: b"y" * 500_000}
    put_all(store, values)
    for key, value in values.items():
        assert run(store, lambda tx, key=key: tx.get(key)) == value  # type: ignore[misc]


def test_a_limit_ends_a_scan(store: Store) -> None:
    put_all(store, {b"%02d" % n: b"" for n in range(50)})
    assert [key for key, _ in run(store, lambda tx: list(tx.scan(b"10", b"40", limit=3)))] == [b"10", b"11", b"12"]
    backwards = run(store, lambda tx: list(tx.scan(b"10", b"40", reverse=True, limit=3)))
    assert [key for key, _ in backwards] == [b"39", b"38", b"37"]


def test_the_state_is_there_when_it_is_opened_again(open_again: OpenStore) -> None:
    first = open_again()
    put_all(first, {b"a": b"1", b"b" * LONG: b"2"})
    first.close()
    second = open_again()
    assert run(second, read_all) == [(b"a", b"1"), (b"b" * LONG, b"2")]
    second.close()


def test_clearing_leaves_nothing(store: Store) -> None:
    put_all(store, {b"a": b"1", b"b" * LONG: b"2"})
    store.clear()
    assert run(store, read_all) == []
    put_all(store, {b"a": b"3"})
    assert run(store, read_all) == [(b"a", b"3")]


@pytest.mark.parametrize("reverse", [False, True])
def test_a_scan_survives_writes_of_its_transaction(store: Store, reverse: bool) -> None:
    """Deleting what was yielded, and writing elsewhere, must not make the scan skip or repeat anything."""
    names = [b"%03d" % n for n in range(300)] + [b"x" * 600 + b"%03d" % n for n in range(100)]
    put_all(store, dict.fromkeys(names, b"v"))

    def work(tx: Transaction) -> list[bytes]:
        seen = []
        for number, (key, _) in enumerate(tx.scan(b"", b"y", reverse=reverse)):
            seen.append(key)
            if number % 3:
                tx.delete(key)
            else:
                tx.put(key, b"w")
            tx.put(b"z%03d" % number, b"elsewhere")
        return seen

    expected = sorted(names, reverse=reverse)
    assert run(store, work) == expected
    kept = sorted(key for number, key in enumerate(expected) if number % 3 == 0)
    assert [key for key, _ in run(store, lambda tx: list(tx.scan(b"", b"y")))] == kept


def test_actions_run_after_the_commit_or_the_abort(store: Store) -> None:
    told: list[str] = []

    def work(tx: Transaction, fail: bool) -> None:
        tx.on_commit(lambda: told.append("committed"))
        tx.on_abort(lambda: told.append("aborted"))
        assert not told
        if fail:
            raise LookupError

    run(store, lambda tx: work(tx, False))
    assert told == ["committed"]
    told.clear()
    with pytest.raises(LookupError):
        run(store, lambda tx: work(tx, True))
    assert told == ["aborted"]


def test_a_conflict_runs_the_function_again(store: Store) -> None:
    attempts = itertools.count(1)

    def work(tx: Transaction) -> int:
        attempt = next(attempts)
        tx.put(b"attempt%d" % attempt, b"")
        if attempt < 3:
            raise Conflict
        return attempt

    assert run(store, work) == 3
    assert [key for key, _ in run(store, read_all)] == [b"attempt3"]


def test_who_never_wins_gets_the_conflict(store: Store) -> None:
    def work(tx: Transaction) -> None:
        raise Conflict

    with pytest.raises(Conflict):
        run(store, work)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(keys, st.binary(max_size=8), max_size=25), st.lists(keys, max_size=6), keys, keys)
def test_ranges_of_keys_around_the_limit_are_exact(
    store: Store, model: dict[bytes, bytes], gone: list[bytes], one: bytes, other: bytes
) -> None:
    def empty(tx: Transaction) -> None:
        for key, _ in tx.scan(*ALL):
            tx.delete(key)
        assert not list(tx.scan(*ALL))

    run(store, empty)
    put_all(store, model)
    run(store, lambda tx: [tx.delete(key) for key in gone])
    expected = sorted((key, value) for key, value in model.items() if key not in gone)
    begin, end = sorted((one, other))
    ranges = [(b"", b"\xff"), (begin, end), (begin, begin + b"\xff"), (begin, b"\xff"), (b"", end)]
    for low, high in ranges:
        wanted = [(key, value) for key, value in expected if low <= key < high]
        assert run(store, lambda tx, low=low, high=high: list(tx.scan(low, high))) == wanted  # type: ignore[misc]
        backwards = run(store, lambda tx, low=low, high=high: list(tx.scan(low, high, reverse=True)))  # type: ignore[misc]
        assert backwards == wanted[::-1]
    for key in {*model, *gone}:
        assert run(store, lambda tx, key=key: tx.get(key)) == dict(expected).get(key)  # type: ignore[misc]


def test_pages_through_many_long_keys_that_begin_alike(store: Store) -> None:
    names = [b"folder/" * 100 + b"%04d" % n for n in range(500)] + [b"folder/" * 200 + b"%04d" % n for n in range(500)]
    put_all(store, dict.fromkeys(names, b"v"))
    found: list[bytes] = []
    begin = b""
    while page := run(store, lambda tx, begin=begin: [key for key, _ in tx.scan(begin, b"\xff", limit=37)]):  # type: ignore[misc]
        found += page
        begin = page[-1] + b"\x00"
    assert found == sorted(names)
