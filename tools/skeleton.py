"""The files of a service that nobody has begun, as `make new-service` writes them.

Path and text are filled with `new_service.Names`. The folder that shows how it looks when it is done is
`services/_template`; this is the same folder with its operations still to come.
"""

from __future__ import annotations

from string import Template
from types import MappingProxyType

MANIFEST = """[service]
model = "$service"
depends_on = []

[operations]
done = []
partial = []
"""

ENTRY = '''"""$title."""

from cloudlet.emulator.kernel.service import Service
from cloudlet.emulator.services.$folder import $nouns

SERVICE = Service("$service", modules=($nouns,))
'''

RECORDS = '''"""What $title keeps, and where."""

from __future__ import annotations

from cloudlet.emulator.store.table import Record, Table


class ${resource}Record(Record, frozen=True):
    """One $noun. `created` is seconds since the epoch."""

    account_id: str
    region: str
    name: str
    created: float


TABLE = Table("$folder.$nouns", ${resource}Record, version=1, key=("account_id", "region", "name"))
'''

RESOURCE = '''"""$resource: the operations on $nouns, each named as boto3 names it."""

from __future__ import annotations

from collections.abc import Iterator

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.$folder.errors import not_found
from cloudlet.emulator.services.$folder.records import TABLE, ${resource}Record


def find(call: Call, name: str) -> ${resource}Record:
    """The $noun of this account and region. Raises what `errors.not_found` makes."""
    record = TABLE.get(call.tx, call.account_id, call.region, name)
    if record is None:
        raise not_found(name)
    return record


def all_of(call: Call, *, after: str | None = None, limit: int | None = None) -> Iterator[${resource}Record]:
    """In the order of their names, strictly after `after`: a page of a list."""
    start = (after,) if after is not None else None
    return TABLE.scan(call.tx, call.account_id, call.region, after=start, limit=limit)
'''

ERRORS = '''"""The service's errors in AWS's words. Modelled classes are in api.py; use one of them where it fits."""

from __future__ import annotations

from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError


def not_found(name: str) -> AwsError:
    return UnmodelledError("ResourceNotFoundException", f"$resource not found: {name}", 404)
'''

RULES = '''"""What needs no store: names, limits, arithmetic. Pure functions only."""

from __future__ import annotations


def arn(partition: str, region: str, account_id: str, name: str) -> str:
    """The Amazon Resource Name of a $noun; see the service's page in the Service Authorization Reference."""
    return f"arn:{partition}:$service:{region}:{account_id}:$noun/{name}"
'''

TEST_RESOURCE = '''"""$resource, through boto3 and in the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cloudlet.emulator.services.$folder.records import TABLE, ${resource}Record
from cloudlet.emulator.store.home import StateHome
from cloudlet.emulator.store.lmdb import LmdbStore


def test_an_operation_that_is_not_written_names_itself(client: Any) -> None:
    service = client("$service", config=Config(inject_host_prefix=False))
    with pytest.raises(ClientError) as caught:
        service.$probe()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "$probe_operation" in str(caught.value)


def test_a_record_comes_back_as_it_was_put(tmp_path: Path) -> None:
    store = LmdbStore(StateHome(tmp_path / "state"))
    record = ${resource}Record("000000000000", "us-east-1", "one", 1.5)
    tx = store.begin(read_only=False)
    TABLE.put(tx, record)
    assert TABLE.get(tx, "000000000000", "us-east-1", "one") == record
    assert list(TABLE.scan(tx, "000000000000", "us-east-1")) == [record]
    store.abort(tx)
    store.close()
'''

TEST_RULES = '''"""The rules alone: no emulator."""

from __future__ import annotations

from cloudlet.emulator.services.$folder.rules import arn


def test_an_arn_names_partition_region_account_and_resource() -> None:
    assert arn("aws", "eu-west-1", "111122223333", "x") == "arn:aws:$service:eu-west-1:111122223333:$noun/x"
'''

PAGE = """# $title

Begun; no operation works yet. Each answers 501 `InternalFailure` and names itself.

## What differs from AWS

Nothing is written yet.
"""

HERE = "src/cloudlet/emulator/services/{folder}/"
TESTS = "tests/services/{folder}/"

FILES = MappingProxyType(
    {
        HERE + "service.toml": Template(MANIFEST),
        HERE + "__init__.py": Template(ENTRY),
        HERE + "records.py": Template(RECORDS),
        HERE + "{nouns}.py": Template(RESOURCE),
        HERE + "errors.py": Template(ERRORS),
        HERE + "rules.py": Template(RULES),
        TESTS + "test_{nouns}.py": Template(TEST_RESOURCE),
        TESTS + "test_rules.py": Template(TEST_RULES),
        "docs/services/{service}.md": Template(PAGE),
    }
)
