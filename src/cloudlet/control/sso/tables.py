"""Identity providers of workspaces, sign-ins on their way, and who is who there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloudlet.control.db import Base, Moment


class SsoProvider(Base):
    """An OpenID Connect provider. `default_role` and `default_permissions` are for members who come by it first.

    `admits_new`: who comes by it gets an account and joins, else members and invited people alone come in.
    `is_required`: members who are no admins see the workspace by single sign-on alone.
    """

    __tablename__ = "sso_providers"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    issuer: Mapped[str] = mapped_column(String(500))
    client_id: Mapped[str] = mapped_column(String(300))
    client_secret_enc: Mapped[bytes]
    scopes: Mapped[str] = mapped_column(String(300), default="openid email profile")
    default_role: Mapped[str] = mapped_column(String(16), default="member")
    default_permissions: Mapped[dict[str, bool] | None] = mapped_column(JSON(none_as_null=True))
    domains: Mapped[list[Any]] = mapped_column(JSON, default=list)
    admits_new: Mapped[bool] = mapped_column(default=True)
    is_required: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Moment)
    disabled_at: Mapped[datetime | None] = mapped_column(Moment)


class SsoAttempt(Base):
    """A browser that was sent to a provider and has not come back. `state_hash` is keyed, `secrets_enc` sealed."""

    __tablename__ = "sso_attempts"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    provider_id: Mapped[str] = mapped_column(ForeignKey("sso_providers.id", ondelete="CASCADE"))
    secrets_enc: Mapped[bytes]
    next_path: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (Index("ix_sso_attempts_expires_at", "expires_at"),)


class SsoIdentity(Base):
    """A user as a provider knows them: `subject` is the provider's own name, which never changes."""

    __tablename__ = "sso_identities"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    provider_id: Mapped[str] = mapped_column(ForeignKey("sso_providers.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    subject: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("provider_id", "subject"),)
