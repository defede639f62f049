"""Addresses that want to be told, and each telling."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cloudlet.control.db import Base, Moment


class Webhook(Base):
    """`events`: names or `*`; `secret_enc` is the sealed key of the signatures.

    Until `old_secret_until` deliveries are signed with the secret before it too. `dead_in_row` counts the deliveries
    that were given up since the last one that arrived.
    """

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    url: Mapped[str] = mapped_column(String(500))
    description: Mapped[str] = mapped_column(String(200), default="")
    events: Mapped[list[Any]] = mapped_column(JSON, default=list)
    secret_enc: Mapped[bytes]
    secret_last4: Mapped[str] = mapped_column(String(4))
    old_secret_enc: Mapped[bytes | None]
    old_secret_until: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    created_by: Mapped[str | None] = mapped_column(String(80))
    disabled_at: Mapped[datetime | None] = mapped_column(Moment)
    disabled_reason: Mapped[str] = mapped_column(String(200), default="")
    dead_in_row: Mapped[int] = mapped_column(default=0)


class WebhookDelivery(Base):
    """One event for one webhook. `due_at` None: over (`delivered_at`, or dead).

    `attempts` counts those that began: it is also the claim of the one that runs. `history` has a dict each for those
    that ended: at, status, error, milliseconds.
    """

    __tablename__ = "webhook_deliveries"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event_id: Mapped[str] = mapped_column(String(40))
    event: Mapped[str] = mapped_column(String(80))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    delivered_at: Mapped[datetime | None] = mapped_column(Moment)
    response_status: Mapped[int | None]
    last_error: Mapped[str | None] = mapped_column(String(300))
    history: Mapped[list[Any]] = mapped_column(JSON, default=list)

    __table_args__ = (
        CheckConstraint("status IN ('pending','delivered','dead')", name="status"),
        Index("ix_webhook_deliveries_due_at", "due_at"),
        Index("ix_webhook_deliveries_webhook_id_id", "webhook_id", "id"),
    )
