"""Leases."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from cloudlet.control.db import Base, Moment


class Lease(Base):
    """Which process does a task, and until when nobody else may; `ran_at` is when it last ended."""

    __tablename__ = "leases"

    task: Mapped[str] = mapped_column(String(60), primary_key=True)
    holder: Mapped[str] = mapped_column(String(60))
    until: Mapped[datetime] = mapped_column(Moment)
    ran_at: Mapped[datetime | None] = mapped_column(Moment)
