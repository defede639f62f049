"""Each house rule finds what it is there for, leaves the right way alone, and tells how to do it."""

from __future__ import annotations

import pytest

from tools.check_layout import check_source
from tools.layout.source import Source

SERVICE = "src/cloudlet/emulator/services/sqs/queues.py"


def rules_broken(text: str, path: str = SERVICE) -> list[str]:
    return [finding.rule for finding in check_source(Source(path, text))]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("environment", "import os\nx = os.environ['A']\n"),
        ("environment", "from os import environ\nx = environ.get('A')\n"),
        ("environment", "import os\nx = os.getenv('A')\n"),
        ("effects", "import time\nx = time.time()\n"),
        ("effects", "from time import time as now\nx = now()\n"),
        ("effects", "import datetime as d\nx = d.datetime.now(d.UTC)\n"),
        ("effects", "from datetime import datetime\nx = datetime.utcnow()\n"),
        ("effects", "import random\nx = random.choice('ab')\n"),
        ("effects", "from secrets import token_hex\nx = token_hex(4)\n"),
        ("effects", "import uuid\nx = uuid.uuid4()\n"),
        ("effects", "import time\nx = time.gmtime()\n"),
        ("moto-in-one-place", "from moto.core import x\n"),
        ("imports-at-the-top", "def f():\n    import json\n    return json\n"),
        ("imports-at-the-top", "import importlib\ndef f(name):\n    return importlib.import_module(name)\n"),
        ("import-direction", "from cloudlet.emulator.gateway.http.server import x\n"),
        ("import-direction", "from cloudlet.control.db import x\n"),
        ("services-apart", "from cloudlet.emulator.services.sns.topics import x\n"),
        ("services-apart", "from ..sns import topics\n"),
        ("broad-except", "try:\n    f()\nexcept Exception:\n    pass\n"),
        ("broad-except", "try:\n    f()\nexcept:\n    pass\n"),
        ("broad-except", "try:\n    f()\nexcept (ValueError, BaseException) as error:\n    print(error)\n"),
        ("no-module-state", "QUEUES = {}\n"),
        ("no-module-state", "seen: set[str] = set()\n"),
        ("no-module-state", "from collections import defaultdict\nseen = defaultdict(list)\n"),
        ("no-module-state", "squares = [n * n for n in range(9)]\n"),
        ("no-module-state", "def f():\n    global x\n    x = 1\n"),
        ("sizes", "x = 1\n" * 501),
        ("sizes", "def f():\n" + "    x = 1\n" * 70),
    ],
)
def test_what_a_rule_is_there_for_is_found(rule: str, text: str) -> None:
    assert rules_broken(text) == [rule]


@pytest.mark.parametrize(
    "text",
    [
        "import os\nx = os.path.join('a', 'b')\n",
        "import time\nx = time.monotonic()\n",
        "import time\ndef f(when):\n    return time.gmtime(when)\n",
        "import uuid\ndef f(text):\n    return uuid.UUID(text)\n",
        "import secrets\ndef f(a, b):\n    return secrets.compare_digest(a, b)\n",
        "from datetime import datetime, UTC\ndef f(when):\n    return datetime.fromtimestamp(when, UTC)\n",
        "def f():\n    import json  # lazy: half a second, for one command\n    return json\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import json\n",
        "from cloudlet.emulator.kernel.call import Call\nfrom cloudlet.emulator.store.table import Table\n",
        "from cloudlet.emulator.services.sqs.records import QUEUES\n",
        "from .records import QUEUES\n",
        "try:\n    f()\nexcept Exception:\n    undo()\n    raise\n",
        "try:\n    f()\nexcept Exception as error:  # survives: a broken hook must not stop the others\n    log(error)\n",
        "try:\n    f()\nexcept KeyError:\n    pass\n",
        "NAMES = ('a', 'b')\nSEEN = frozenset({1})\n",
        "__all__ = ['x']\n",
        "TABLE = {  # never written\n    'a': 1,\n}\n",
        "class Queue:\n    names = []\n",
        "x = 1\n" * 500,
        "def f():\n" + "    x = 1\n" * 69,
    ],
)
def test_the_right_way_is_left_alone(text: str) -> None:
    assert rules_broken(text) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/cloudlet/settings/environment.py", "import os\nx = os.environ['A']\n"),
        ("src/cloudlet/emulator/effects/clock.py", "import time\nx = time.time()\n"),
        ("src/cloudlet/license/effects.py", "import os\nx = os.urandom(4)\n"),
        ("src/cloudlet/emulator/fallback/moto.py", "import moto\n"),
        ("src/cloudlet/emulator/services/sqs/api.py", "x = 1\n" * 900),
        ("src/cloudlet/control/migrations/versions/0001_start.py", "x = 1\n" * 900),
        ("tests/services/sqs/test_queues.py", "import os\nx = {}\ny = os.environ\n"),
    ],
)
def test_the_one_place_for_a_thing_may_do_it(path: str, text: str) -> None:
    assert rules_broken(text, path) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/cloudlet/control/db.py", "from cloudlet.emulator.store.kv import Store\n"),
        ("src/cloudlet/emulator/activation/state.py", "from cloudlet.control.db import x\n"),
        ("src/cloudlet/license/token.py", "from cloudlet.control.db import x\n"),
        ("src/cloudlet/emulator/protocol/query.py", "from cloudlet.emulator.services.sqs.api import x\n"),
        ("src/cloudlet/emulator/store/table.py", "from cloudlet.emulator.effects.jobs import x\n"),
        ("src/cloudlet/cli/start.py", "from cloudlet.emulator.store.kv import x\n"),
    ],
)
def test_imports_run_one_way(path: str, text: str) -> None:
    assert rules_broken(text, path) == ["import-direction"]


def test_a_module_called_utils_is_found() -> None:
    assert rules_broken("x = 1\n", "src/cloudlet/emulator/gateway/utils.py") == ["no-utils"]


def test_a_finding_names_its_place_and_says_how_to_do_it() -> None:
    (finding,) = check_source(Source(SERVICE, "import time\n\nx = time.time()\n"))
    assert str(finding).startswith(f"{SERVICE}:3: time.time() reads the clock [effects]\n    ")
    assert "call.now" in finding.advice
