"""What handlers are given by name: `viewer: CurrentViewer`, `account: CurrentAccount`, `database: TheDatabase`, `platform: ThePlatform`."""

from __future__ import annotations

from typing import Any, TypeAlias

from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from cloudlet.control.db import Database
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Account, Viewer

CurrentAccount: TypeAlias = NamedDependency[SkipValidation[Account]]  # a Viewer is an Account, msgspec thinks not
CurrentViewer: TypeAlias = NamedDependency[Viewer]
TheDatabase: TypeAlias = NamedDependency[Database]
ThePlatform: TypeAlias = NamedDependency[Platform]
WebRequest: TypeAlias = Request[Any, Any, State]


def client_ip(request: WebRequest) -> str:
    """The address that the request came from, "" when nobody knows."""
    return request.client.host if request.client else ""
