"""CI credits: periods and charges. The keys themselves are credentials of kind `ci`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloudlet.control.db import Base, Moment


class CiPeriod(Base):
    """A workspace's credits in one period. `quota` None: as many as they like.

    `told_percent`: how far the admins were told that the credits are used (0, 80 or 100).
    """

    __tablename__ = "ci_periods"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    period_start: Mapped[datetime] = mapped_column(Moment)
    period_end: Mapped[datetime] = mapped_column(Moment)
    quota: Mapped[int | None]
    used: Mapped[int] = mapped_column(default=0)
    told_percent: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        UniqueConstraint("workspace_id", "period_start"),
        CheckConstraint("used >= 0", name="used"),
    )


class CiCharge(Base):
    """One credit. `run_key` (`credits.run_key_of`) is charged once, however many `starts` it had."""

    __tablename__ = "ci_charges"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    period_id: Mapped[str] = mapped_column(ForeignKey("ci_periods.id", ondelete="CASCADE"))
    credential_id: Mapped[str | None] = mapped_column(ForeignKey("credentials.id", ondelete="SET NULL"))
    run_key: Mapped[str] = mapped_column(String(300))
    project: Mapped[str | None] = mapped_column(String(200))
    starts: Mapped[int] = mapped_column(default=1)
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("workspace_id", "run_key"),
        Index("ix_ci_charges_period_id_at", "period_id", "at"),
        Index("ix_ci_charges_credential_id_at", "credential_id", "at"),
    )
