"""Everything that is shown in place of a password: auth tokens, device tokens, CI keys, API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from cloudlet.control.db import Base, Moment


class Credential(Base):
    """Found by `lookup_hash`, a keyed hash; `secret_enc` (sealed) is there where the workspace allows showing it again.

    A membership has one living `auth` credential at most. `project` is what a CI key's starts count for where they do not
    say so themselves. A rotated key is revoked, and good until `grace_until`; all that replaced one another share their
    `family_id`. `reuse_count` counts uses after the end, `reuse_told_at` is when the audit log last heard of them.
    """

    __tablename__ = "credentials"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    membership_id: Mapped[str | None] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    prefix8: Mapped[str] = mapped_column(String(24))
    last4: Mapped[str] = mapped_column(String(4))
    lookup_hash: Mapped[str] = mapped_column(String(64), unique=True)
    secret_enc: Mapped[bytes | None]
    scopes: Mapped[list[Any]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime] = mapped_column(Moment)
    created_by: Mapped[str | None] = mapped_column(String(80))
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)
    last_used_ip: Mapped[str | None] = mapped_column(String(45))
    last_used_machine: Mapped[str | None] = mapped_column(String(80))
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    revoke_reason: Mapped[str | None] = mapped_column(String(40))
    replaced_by: Mapped[str | None] = mapped_column(String(40))
    family_id: Mapped[str | None] = mapped_column(String(40))
    grace_until: Mapped[datetime | None] = mapped_column(Moment)
    project: Mapped[str | None] = mapped_column(String(200))
    reuse_count: Mapped[int] = mapped_column(default=0, server_default="0")
    reused_at: Mapped[datetime | None] = mapped_column(Moment)
    reuse_told_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        Index("ix_credentials_family_id", "family_id"),
        CheckConstraint("kind IN ('auth','device','ci','legacy_api','admin_api')", name="kind"),
        Index(
            "uq_credentials_living_auth",
            "membership_id",
            unique=True,
            sqlite_where=text("kind = 'auth' AND revoked_at IS NULL"),
            postgresql_where=text("kind = 'auth' AND revoked_at IS NULL"),
        ),
    )
