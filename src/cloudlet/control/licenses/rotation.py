"""A new key for signing licenses, without a license that somebody cannot verify.

    next        published, signs nothing yet: emulators learn it at their next contact
    active      signs
    retired     published on, so that what it signed verifies until it ends; its private half is destroyed

The next key waits at least as long as an emulator may go without a contact, the longest offline window of all plans.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloudlet.control.db import Database
from cloudlet.control.errors import Conflict, InvalidForm
from cloudlet.control.licenses.signing import ensure_signing_key, new_signing_key
from cloudlet.control.licenses.tables import Plan, SigningKey
from cloudlet.control.platform import Platform


class RotationUnderWay(Conflict):
    code = "signing_key.under_way"
    title = "The next signing key is published already"


class KeyState(msgspec.Struct, frozen=True, kw_only=True):
    """`since`: when it begins or began to sign; `until`: when it stopped."""

    kid: str
    status: str
    since: datetime
    until: datetime | None


def longest_window_hours(session: Session) -> int:
    return session.scalar(select(func.max(Plan.offline_window_h))) or 24


def rotate(session: Session, platform: Platform, *, hours: int | None = None, at_once: bool = False) -> KeyState:
    """Publish the next key, which signs after `hours` (the longest window where None).

    `at_once`, for a key that leaked: emulators that have not heard of the new one refuse it until they reach us.
    Raises RotationUnderWay, InvalidForm.
    """
    ensure_signing_key(session, platform)
    found = session.scalar(select(SigningKey).where(SigningKey.status == "next"))
    if found is not None and not at_once:
        raise RotationUnderWay(f"The key {found.kid} signs from {found.not_before:%Y-%m-%d %H:%M} UTC on.")
    window = longest_window_hours(session)
    if hours is not None and hours < window and not at_once:
        raise InvalidForm(f"Emulators may be without a contact for {window} hours: the next key waits as long.")
    begins = platform.now() + timedelta(hours=window if hours is None else hours)
    key = found or new_signing_key(session, platform, status="next", begins=begins)
    if at_once:
        key.not_before = platform.now()
        session.flush()
        promote(session, platform)
    return state_of(key)


def promote(session: Session, platform: Platform) -> bool:
    """The next key signs from now on, when its time has come."""
    key = session.scalar(select(SigningKey).where(SigningKey.status == "next", SigningKey.not_before <= platform.now()))
    if key is None:
        return False
    for old in session.scalars(select(SigningKey).where(SigningKey.status == "active")):
        old.status, old.not_after, old.private_enc = "retired", platform.now(), b""
    session.flush()
    key.status = "active"
    session.flush()
    return True


def promote_due(database: Database, platform: Platform) -> None:
    """The task."""
    with database.snapshot() as session:
        is_due = session.scalar(
            select(SigningKey.kid).where(SigningKey.status == "next", SigningKey.not_before <= platform.now())
        )
    if is_due is None:
        return
    with database.transaction() as session:
        database.lock(session)
        promote(session, platform)


def list_keys(session: Session) -> list[KeyState]:
    """The newest first."""
    return [state_of(key) for key in session.scalars(select(SigningKey).order_by(SigningKey.not_before.desc()))]


def state_of(key: SigningKey) -> KeyState:
    return KeyState(kid=key.kid, status=key.status, since=key.not_before, until=key.not_after)
