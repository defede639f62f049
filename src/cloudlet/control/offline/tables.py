"""License files that were issued."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from cloudlet.control.db import Base, Moment


class OfflineFile(Base):
    """A file for machines without a network. The file itself is not kept: `claims` signed again is the same file.

    `membership_id`: whose license it is; `system`: the machines as their request files described them.
    """

    __tablename__ = "offline_files"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id", ondelete="CASCADE"))
    membership_id: Mapped[str | None] = mapped_column(ForeignKey("memberships.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(String(120), default="")
    system: Mapped[str] = mapped_column(String(300), default="")
    claims: Mapped[dict[str, Any]] = mapped_column(JSON)
    machine_ids: Mapped[list[Any]] = mapped_column(JSON, default=list)
    jti: Mapped[str] = mapped_column(String(40), unique=True)
    issued_by: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    issued_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    downloads: Mapped[int] = mapped_column(default=0)
    downloaded_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
