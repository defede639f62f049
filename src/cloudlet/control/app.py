"""The web application, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudlet.license.effects import SYSTEM, Effects

if TYPE_CHECKING:
    from litestar import Litestar

    from cloudlet.settings import PlatformSettings


def create_app(settings: PlatformSettings, effects: Effects = SYSTEM) -> Litestar:
    """The ASGI application. Opens the database and migrates it (under a lock) when the application starts.

    Raises `vault.SecretKeyError` when the secret key is missing from where the settings say it is.
    """
    raise NotImplementedError
