"""What an idle control plane does without."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from cloudlet.control.lazy import LazyModule

HEAVY = ("zxcvbn", "httpx", "alembic")


def test_what_few_requests_need_is_not_loaded_at_the_start() -> None:
    script = f"import sys, cloudlet.control.app; print(*(set({HEAVY!r}) & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_several_threads_may_be_the_first_to_use_a_module() -> None:
    module = LazyModule("colorsys")
    sys.modules.pop("colorsys", None)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: module.rgb_to_hsv, range(64)))
    assert len(set(found)) == 1


def test_what_a_module_does_not_have_it_does_not_have_here() -> None:
    with pytest.raises(AttributeError):
        _ = LazyModule("colorsys").absent
