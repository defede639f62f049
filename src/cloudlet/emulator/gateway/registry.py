"""The services that are written natively: found by their folders, imported at their first request."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cloudlet.emulator.kernel.naming import folder_name, snake_case
from cloudlet.emulator.kernel.service import Service

PACKAGE = "cloudlet.emulator.services"
FOLDER = Path(__file__).parent.parent / "services"


class Handler:
    """One operation's function and how it has to be run."""

    __slots__ = ("is_async", "read_only", "run")

    def __init__(self, run: Callable[..., Any]) -> None:
        self.run = run
        self.is_async = inspect.iscoroutinefunction(run)
        self.read_only: bool = getattr(run, "__cloudlet_read_only__", False)


class Registry:
    """Native services by botocore's name (`cognito-idp`)."""

    def __init__(self) -> None:
        self._folders = frozenset(
            entry.name for entry in FOLDER.iterdir() if entry.name[0] not in "_." and (entry / "__init__.py").is_file()
        )
        self._loaded: dict[str, Service] = {}
        self.on_load: list[Callable[[Service], None]] = []

    def names(self) -> Iterator[str]:
        """All native services, loaded or not."""
        for folder in sorted(self._folders):
            yield folder.rstrip("_").replace("_", "-")

    def loaded(self) -> Iterator[str]:
        return iter(self._loaded)

    def is_native(self, name: str) -> bool:
        return folder_name(name) in self._folders

    def load(self, name: str) -> Service | None:
        """The service, imported now if it was not yet; None when nobody has written it."""
        service = self._loaded.get(name)
        if service is None and self.is_native(name):
            service = importlib.import_module(f"{PACKAGE}.{folder_name(name)}").SERVICE
            self._loaded[name] = service
            for notify in self.on_load:
                notify(service)
        return service

    def handler(self, name: str, operation: str) -> Handler | None:
        """The function of an operation; None when it is not written."""
        service = self.load(name)
        if service is None:
            return None
        function_name = snake_case(operation)
        for module in service.modules:
            function = getattr(module, function_name, None)
            if function is not None and (
                hasattr(function, "__cloudlet_read_only__") or inspect.iscoroutinefunction(function)
            ):
                return Handler(function)
        return None
