"""Plans, subscriptions, licenses and signing keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloudlet.control.db import Base, Moment


class Plan(Base):
    """What a subscription opens. `entitlements`: name -> limit or None; `versions`: `*`, or such as `3` or `3.1`.

    `quotas`: seats and max_seats. `aliases`: other codes of the same plan. `is_public`: admins may choose it themselves.
    `origin`: `builtin`, or `operator` where somebody wrote a file of their own.
    """

    __tablename__ = "plans"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    display: Mapped[str] = mapped_column(String(80))
    entitlements: Mapped[dict[str, int | None]] = mapped_column(JSON)
    quotas: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    versions: Mapped[str] = mapped_column(String(32), default="*")
    offline_window_h: Mapped[int] = mapped_column(default=24)
    is_public: Mapped[bool] = mapped_column(default=True)
    summary: Mapped[str] = mapped_column(String(200), default="")
    position: Mapped[int] = mapped_column(default=0)
    aliases: Mapped[list[str]] = mapped_column(JSON, default=list)
    origin: Mapped[str] = mapped_column(String(16), default="builtin")


class Subscription(Base):
    """A workspace's plan with a number of seats."""

    __tablename__ = "subscriptions"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    plan_id: Mapped[str] = mapped_column(ForeignKey("plans.id"))
    status: Mapped[str] = mapped_column(String(16))
    seats: Mapped[int]
    starts_at: Mapped[datetime] = mapped_column(Moment)
    current_period_start: Mapped[datetime] = mapped_column(Moment)
    current_period_end: Mapped[datetime] = mapped_column(Moment)
    trial_ends_at: Mapped[datetime | None] = mapped_column(Moment)
    cancel_at: Mapped[datetime | None] = mapped_column(Moment)
    source: Mapped[str] = mapped_column(String(16), default="manual")
    external_ref: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        CheckConstraint("status IN ('trialing','active','past_due','canceled','expired')", name="status"),
        CheckConstraint("seats >= 0", name="seats"),
    )


class License(Base):
    """One seat of a subscription. Nobody holds two, and no seat has two holders: the database sees to it.

    `revoke_epoch` rises when what was issued for it must not be used any more; `issue_seq` with each issue.
    """

    __tablename__ = "licenses"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(String(16))
    seat_no: Mapped[int]
    assigned_membership_id: Mapped[str | None] = mapped_column(
        ForeignKey("memberships.id", ondelete="SET NULL"), unique=True
    )
    assigned_at: Mapped[datetime | None] = mapped_column(Moment)
    issued_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    revoke_epoch: Mapped[int] = mapped_column(default=0)
    issue_seq: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        CheckConstraint("status IN ('ACTIVE','INACTIVE','EXPIRED','SUSPENDED')", name="status"),
        UniqueConstraint("subscription_id", "seat_no"),
    )


class SigningKey(Base):
    """An Ed25519 key. `private_enc` is sealed with the platform's secret; `status`: next, active or retired."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(String(40), primary_key=True)
    alg: Mapped[str] = mapped_column(String(16), default="Ed25519")
    public: Mapped[bytes]
    private_enc: Mapped[bytes]
    status: Mapped[str] = mapped_column(String(16))
    not_before: Mapped[datetime] = mapped_column(Moment)
    not_after: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (CheckConstraint("status IN ('next','active','retired')", name="status"),)
