"""Names for the functions without a name that moto's back ends hold: `defaultdict(lambda: …)`.

A pickle refers to them by these names, so that a state needs no programs in it: what a fresh back end of the service has
under the name is put there when it is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

FACTORY = "factory"
DEPTH = 3  # of the objects inside a back end

Name = tuple[str, ...]


class Factories:
    """`fresh(module)` makes a back end of moto's package `module` that nobody uses."""

    def __init__(self, fresh: Callable[[str], Any]) -> None:
        self._fresh = fresh
        self._factories: dict[str, dict[str, FunctionType]] = {}

    def name_of(self, function: FunctionType) -> Name | None:
        """None for a function that no fresh back end has, or that remembers whose it is."""
        if function.__closure__ is not None or not function.__module__.startswith("moto."):
            return None
        module = function.__module__.split(".")[1]
        for path, known in self._look(module).items():
            if known.__code__ == function.__code__:
                return FACTORY, module, path
        return None

    def factory(self, module: str, path: str) -> FunctionType:
        """Raises KeyError for a name that this version of moto does not have."""
        return self._look(module)[path]

    def _look(self, module: str) -> dict[str, FunctionType]:
        found = self._factories.get(module)
        if found is None:
            found = self._factories[module] = dict(factories_of(self._fresh(module), "", DEPTH))
        return found


def factories_of(value: Any, path: str, depth: int) -> Iterator[tuple[str, FunctionType]]:
    for name, held in vars(value).items():
        place = f"{path}.{name}" if path else name
        if isinstance(held, defaultdict) and isinstance(held.default_factory, FunctionType):
            yield place, held.default_factory
        elif depth and type(held).__module__.startswith("moto.") and hasattr(held, "__dict__"):
            yield from factories_of(held, place, depth - 1)
