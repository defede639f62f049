"""Workspaces and memberships."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from cloudlet.control.db import Base, Moment


class Workspace(Base):
    """The unit of members, licenses and billing.

    `settings` holds the policies that differ from the default, see `policies`. `version` counts changes of name, facts and
    policies: a form that shows an older one is refused.
    """

    __tablename__ = "workspaces"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    is_company: Mapped[bool] = mapped_column(default=False)
    country: Mapped[str | None] = mapped_column(String(2))
    tax_id: Mapped[str | None] = mapped_column(String(50))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(Moment)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)


class Membership(Base):
    """A user in a workspace. `permissions` overrides the role's: key -> bool, None = the role's own.

    An invited one has no user yet, but `invited_email`, in lower case; an address has one open invitation at most.
    """

    __tablename__ = "memberships"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    permissions: Mapped[dict[str, bool] | None] = mapped_column(JSON(none_as_null=True))
    status: Mapped[str] = mapped_column(String(16))
    invited_name: Mapped[str | None] = mapped_column(String(200))
    invited_email: Mapped[str | None] = mapped_column(String(320))
    invited_by: Mapped[str | None] = mapped_column(String(80))
    joined_at: Mapped[datetime | None] = mapped_column(Moment)
    removed_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        CheckConstraint("role IN ('admin','member','billing','auditor')", name="role"),
        CheckConstraint("status IN ('invited','active','removed')", name="status"),
        Index(
            "uq_memberships_present",
            "workspace_id",
            "user_id",
            unique=True,
            sqlite_where=text("status <> 'removed'"),
            postgresql_where=text("status <> 'removed'"),
        ),
        Index(
            "uq_memberships_invited",
            "workspace_id",
            "invited_email",
            unique=True,
            sqlite_where=text("status = 'invited'"),
            postgresql_where=text("status = 'invited'"),
        ),
    )
