"""The first workspace: what `cloudlet admin bootstrap` and `cloudlet quickstart` do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudlet.license.effects import SYSTEM, Effects

if TYPE_CHECKING:
    from cloudlet.settings import PlatformSettings


class BootstrapResult(msgspec.Struct, frozen=True, kw_only=True):
    """What exists now.

    - `created`: True when this call made the workspace, False when it was there already.
    - `token`: the admin's auth token in clear. Store it, never print it (`cloudlet.license.token.mask` for showing).
    - `sign_in_link`: opens the web application signed in; single use, `sign_in_link_minutes` of life; print it, do not
      log it. A fresh one from each call.
    - `license_id`, `plan`, `license_expires_at`: the license assigned to the admin (`trial` at first; RFC 3339, UTC).
    """

    created: bool
    email: str
    workspace: str
    workspace_id: str
    token: str
    web_url: str
    sign_in_link: str
    sign_in_link_minutes: int
    license_id: str
    plan: str
    license_expires_at: str


def bootstrap(
    settings: PlatformSettings,
    *,
    email: str | None = None,
    workspace: str | None = None,
    password: str | None = None,
    effects: Effects = SYSTEM,
) -> BootstrapResult:
    """Make sure that a workspace, its admin, a license assigned to them and their auth token exist.

    Works on the database directly (opens, migrates, closes), with or without a running server beside it. Idempotent:
    a second run with the same e-mail address returns what is there and a fresh sign-in link. `email` defaults to the
    settings' `bootstrap_admin_email`, `workspace` to "My workspace". With `password` the admin can also sign in by
    password; an existing password is not changed.
    Raises `vault.SecretKeyError`, `db.DatabaseUnavailable`.
    """
    raise NotImplementedError
