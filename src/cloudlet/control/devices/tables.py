"""Requests of command lines to sign in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cloudlet.control.db import Base, Moment


class DeviceRequest(Base):
    """A program waits until a person, in the browser, confirms the code that it shows.

    `exchange_hash` is the keyed hash of what only the program knows, `bearer_hash` of what it was given for it (single
    use); `membership_id` is the place that the person chose. `scopes` are the permissions that the program asks for
    beside a license, `host` and `workspace_hint` what it says about itself and about where its user wants to be.
    """

    __tablename__ = "device_requests"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_code: Mapped[str] = mapped_column(String(16))
    exchange_hash: Mapped[str] = mapped_column(String(64), unique=True)
    bearer_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    actor: Mapped[str] = mapped_column(String(80))
    client_version: Mapped[str] = mapped_column(String(80), default="")
    host: Mapped[str] = mapped_column(String(80), default="")
    workspace_hint: Mapped[str] = mapped_column(String(200), default="")
    scopes: Mapped[list[Any]] = mapped_column(JSON, default=list)
    ip: Mapped[str] = mapped_column(String(45), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    membership_id: Mapped[str | None] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"))
    confirmed_by: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    denied_at: Mapped[datetime | None] = mapped_column(Moment)
    exchanged_at: Mapped[datetime | None] = mapped_column(Moment)
    bearer_expires_at: Mapped[datetime | None] = mapped_column(Moment)
    collected_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index("ix_device_requests_expires_at", "expires_at"),)
