"""Answers that are given again, and how much of a limit is used."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cloudlet.control.db import Base, Moment


class IdempotencyKey(Base):
    """The answer to a request with `Idempotency-Key`, for a day. `body_enc` is sealed: it may hold a new secret.

    `scope` is whose key it is (a user or an admin token), `fingerprint` the hash of the request.
    """

    __tablename__ = "idempotency_keys"

    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    content_type: Mapped[str] = mapped_column(String(80), default="")
    body_enc: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (Index("ix_idempotency_keys_expires_at", "expires_at"),)


class RateBucket(Base):
    """A token bucket, shared by all processes: `tokens` at `updated_at` (epoch seconds)."""

    __tablename__ = "rate_buckets"

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    tokens: Mapped[float]
    updated_at: Mapped[float]

    __table_args__ = (Index("ix_rate_buckets_updated_at", "updated_at"),)
