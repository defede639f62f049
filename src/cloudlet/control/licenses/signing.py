"""The keys that sign licenses: made once, sealed, published."""

from __future__ import annotations

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import case, select
from sqlalchemy.orm import Session

from cloudlet.control.licenses.tables import SigningKey
from cloudlet.control.platform import Platform
from cloudlet.license.envelope import key_id, new_private_key

KEPT_SECONDS = 10.0


def ensure_signing_key(session: Session, platform: Platform) -> str:
    """The id of the active key, which is made when there is none."""
    found = session.scalar(select(SigningKey.kid).where(SigningKey.status == "active"))
    if found is not None:
        return found
    return new_signing_key(session, platform, status="active", begins=platform.now()).kid


def new_signing_key(session: Session, platform: Platform, *, status: str, begins: datetime) -> SigningKey:
    private = new_private_key(platform.effects.random_bytes(32))
    public = private.public_key().public_bytes_raw()
    kid = key_id(public)
    key = SigningKey(
        kid=kid,
        public=public,
        private_enc=platform.vault.seal(private.private_bytes_raw(), kid),
        status=status,
        not_before=begins,
    )
    session.add(key)
    session.flush()
    return key


def signing_key(session: Session, platform: Platform) -> Ed25519PrivateKey:
    """The active key, opened once and kept for some seconds.

    After a rotation another process signs with the old key for so long; that one stays published.
    """
    now = platform.effects.monotonic()
    if platform.signing is not None and now < platform.signing[1]:
        return platform.signing[0]
    row = active_row(session)
    if row is None:  # made in this transaction, which may still be rolled back: not kept
        return active_private_key(session, platform)
    key = opened(platform, row)
    platform.signing = (key, now + KEPT_SECONDS)
    return key


def active_private_key(session: Session, platform: Platform) -> Ed25519PrivateKey:
    """From the database. Raises SecretKeyError when the platform's secret is not the one that sealed it."""
    row = active_row(session)
    if row is None:
        ensure_signing_key(session, platform)
        return active_private_key(session, platform)
    return opened(platform, row)


def active_row(session: Session) -> SigningKey | None:
    return session.scalars(
        select(SigningKey).where(SigningKey.status == "active").order_by(SigningKey.not_before)
    ).first()


def opened(platform: Platform, row: SigningKey) -> Ed25519PrivateKey:
    return new_private_key(platform.vault.unseal(row.private_enc, row.kid))


def published_keys(session: Session) -> list[bytes]:
    """Public keys that emulators may trust: the one that signs, the one that will, and all that ever did."""
    order = case((SigningKey.status == "active", 0), (SigningKey.status == "next", 1), else_=2)
    return list(session.scalars(select(SigningKey.public).order_by(order, SigningKey.not_before.desc())))
