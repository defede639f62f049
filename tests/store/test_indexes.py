"""Whatever is done to a table, its stored indexes are those that its records ask for."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cloudlet.emulator.store.home import StateHome
from cloudlet.emulator.store.kv import Transaction
from cloudlet.emulator.store.lmdb import LmdbStore
from cloudlet.emulator.store.table import DuplicateKey, Index, Record, Table
from cloudlet.emulator.store.transact import run


class Thing(Record, frozen=True):
    owner: str
    name: str
    size: float
    label: str | None


THINGS = Table(
    "test.things",
    Thing,
    key=("owner", "name"),
    indexes={
        "by_size": ("size",),
        "by_label": Index(("label", "owner"), sparse=True),
        "by_unique": Index(("label",), unique=True, sparse=True),
    },
)

owners = st.sampled_from(["a", "b", "a\x00", "o" * 600])
names = st.sampled_from(["x", "y", "\U0010ffff", "n" * 700])
sizes = st.sampled_from([-1.5, 0.0, 1e300]) | st.integers(-3, 3).map(float)
labels = st.none() | st.sampled_from(["l", "m", "n", "l" * 520])


class TableMachine(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="cloudlet-test-"))
        self.store = LmdbStore(StateHome(self.root))
        self.model: dict[tuple[str, str], Thing] = {}

    @rule(owner=owners, name=names, size=sizes, label=labels, fail=st.booleans())
    def put(self, owner: str, name: str, size: float, label: str | None, fail: bool) -> None:
        thing = Thing(owner, name, size, label)

        def work(tx: Transaction) -> None:
            THINGS.put(tx, thing)
            if fail:
                raise LookupError

        taken = any(other.label == label and key != (owner, name) for key, other in self.model.items())
        try:
            run(self.store, work)
        except DuplicateKey:
            assert label is not None
            assert taken
        except LookupError:
            assert fail
        else:
            assert label is None or not taken
            self.model[owner, name] = thing

    @rule(owner=owners, name=names)
    def delete(self, owner: str, name: str) -> None:
        assert run(self.store, lambda tx: THINGS.delete(tx, owner, name)) == (
            self.model.pop((owner, name), None) is not None
        )

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = LmdbStore(StateHome(self.root))

    @rule()
    def reindex(self) -> None:
        assert run(self.store, THINGS.reindex) == len(self.model)

    @rule(size=sizes, reverse=st.booleans())
    def look_up(self, size: float, reverse: bool) -> None:
        found = run(self.store, lambda tx: list(THINGS.lookup(tx, "by_size", size, reverse=reverse)))
        wanted = sorted(
            (thing for thing in self.model.values() if thing.size == size), key=lambda thing: (thing.owner, thing.name)
        )
        assert found == (wanted[::-1] if reverse else wanted)

    @invariant()
    def indexes_are_what_the_records_ask_for(self) -> None:
        if not hasattr(self, "store"):
            return
        stored, wanted = run(self.store, THINGS.index_entries)
        assert stored == wanted
        found: list[Any] = run(self.store, lambda tx: list(THINGS.scan(tx)))
        assert found == [self.model[key] for key in sorted(self.model)]

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.root)


TestIndexes = TableMachine.TestCase
TestIndexes.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
