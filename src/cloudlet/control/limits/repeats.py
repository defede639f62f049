"""`Idempotency-Key`: a request that is sent again gets the answer of the first time, for a day.

The key is claimed in the transaction that does the work. So a repetition that comes meanwhile waits for it, and finds the
answer; and a request that was refused has left nothing, not even its key.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from sqlalchemy import delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cloudlet.control.limits.errors import KeyReused
from cloudlet.control.limits.tables import IdempotencyKey
from cloudlet.control.platform import Platform

REPEAT_DAYS = 1


class Answer(msgspec.Struct, frozen=True):
    """What was answered the first time."""

    status: int
    content_type: str
    body: bytes


class Claim(msgspec.Struct, frozen=True):
    """`scope`: whose key it is; `fingerprint`: of what was asked for."""

    scope: str
    key: str
    fingerprint: str

    @property
    def place(self) -> str:
        return f"idempotency:{self.scope}:{self.key}"


def fingerprint(method: str, path: str, body: bytes) -> str:
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()


def claim(session: Session, platform: Platform, wanted: Claim) -> Answer | None:
    """None when the key is new and the work is ours to do; else the answer of the first time. Raises KeyReused."""
    now = platform.now()
    mine = (IdempotencyKey.scope == wanted.scope) & (IdempotencyKey.key == wanted.key)
    session.execute(delete(IdempotencyKey).where(mine, IdempotencyKey.expires_at <= now))
    insert: Any = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    claimed = session.execute(
        insert(IdempotencyKey)
        .values(
            scope=wanted.scope,
            key=wanted.key,
            fingerprint=wanted.fingerprint,
            content_type="",
            created_at=now,
            expires_at=platform.later(days=REPEAT_DAYS),
        )
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    ).first()
    if claimed is not None:
        return None
    found = session.get_one(IdempotencyKey, (wanted.scope, wanted.key), populate_existing=True)
    if found.fingerprint != wanted.fingerprint:
        raise KeyReused
    body = platform.vault.unseal(found.body_enc, wanted.place) if found.body_enc else b""
    return Answer(found.status or 200, found.content_type, body)


def keep(session: Session, platform: Platform, wanted: Claim, answer: Answer) -> None:
    """Sealed: an answer may hold a secret that is shown once."""
    session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.scope == wanted.scope, IdempotencyKey.key == wanted.key)
        .values(
            status=answer.status,
            content_type=answer.content_type,
            body_enc=platform.vault.seal(answer.body, wanted.place) if answer.body else None,
        )
    )
