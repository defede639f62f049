"""RDS: instances are told from each other by ids that nobody chose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.activation.running import licensed
from tests.conftest import RunningEmulator

Client = Callable[..., Any]
Unique = Callable[..., str]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """One whose license opens RDS."""
    folder = tmp_path_factory.mktemp("rds")
    running = RunningEmulator(folder / "output.log", **licensed(folder / "volume"))
    yield running
    running.stop()


def test_each_instance_has_a_resource_id_of_its_own(client: Client, unique: Unique) -> None:
    rds = client("rds")
    made = {}
    for name in (unique("db"), unique("db")):
        instance = rds.create_db_instance(
            DBInstanceIdentifier=name,
            Engine="mysql",
            DBInstanceClass="db.t3.micro",
            AllocatedStorage=20,
            MasterUsername="someone",
            MasterUserPassword="long-enough",
        )["DBInstance"]
        made[name] = instance["DbiResourceId"]
    for name, identifier in made.items():
        assert identifier.startswith("db-")
        found = rds.describe_db_instances(Filters=[{"Name": "dbi-resource-id", "Values": [identifier]}])
        assert [instance["DBInstanceIdentifier"] for instance in found["DBInstances"]] == [name]
        changed = rds.modify_db_instance(DBInstanceIdentifier=name, AllocatedStorage=30)["DBInstance"]
        assert changed["DbiResourceId"] == identifier
