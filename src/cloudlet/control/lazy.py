"""Libraries that few requests need, loaded by the first that does: an idle control plane does without them.

    if TYPE_CHECKING:
        import httpx
    else:
        httpx = LazyModule("httpx")

From then on the name is used as that of any module.
"""

from __future__ import annotations

import importlib
from typing import Any


class LazyModule:
    """Stands for a module. Several threads may be the first to use it: Python loads a module once."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)  # lazy: what this class is for
