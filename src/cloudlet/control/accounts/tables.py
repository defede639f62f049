"""Users, web sessions, one-time links and recovery codes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, func
from sqlalchemy.orm import Mapped, mapped_column

from cloudlet.control.db import Base, Moment


class User(Base):
    """A person. `password_hash` is None until they set one; the e-mail address is unique whatever its case.

    `totp_secret_enc` is the second factor's, None without one, and `totp_pending_enc` the one that is being set up;
    `totp_step` is the time step of the last code that was used, which no code up to it is good any more.
    """

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    email: Mapped[str] = mapped_column(String(320))
    email_verified_at: Mapped[datetime | None] = mapped_column(Moment)
    name: Mapped[str] = mapped_column(String(200), default="")
    password_hash: Mapped[str | None] = mapped_column(String(255))
    totp_secret_enc: Mapped[bytes | None]
    totp_pending_enc: Mapped[bytes | None]
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    github_login: Mapped[str | None] = mapped_column(String(100))
    job: Mapped[str | None] = mapped_column(String(100))
    phone: Mapped[str | None] = mapped_column(String(50))
    company: Mapped[str | None] = mapped_column(String(200))
    disabled_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (Index("uq_users_email", func.lower(email), unique=True),)


class WebSession(Base):
    """A signed-in browser. `hash` is the keyed hash of the cookie; `sudo_until` ends the time after re-authentication.

    `workspace_id` is the workspace that the pages show. Of a single sign-on: `sso_provider_id` vouches for the user, in
    its own workspace, `only_workspace_id`, and nowhere else. Not keys of other tables: what goes away must not open more.
    """

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspaces.id", ondelete="SET NULL"))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    ip: Mapped[str] = mapped_column(String(45), default="")
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_seen_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    sudo_until: Mapped[datetime | None] = mapped_column(Moment)
    sso_provider_id: Mapped[str | None] = mapped_column(String(40), index=True)
    only_workspace_id: Mapped[str | None] = mapped_column(String(40))


class EmailToken(Base):
    """A one-time link. Only its keyed hash is kept.

    `purpose`: magic (signs in), verify, reset, email (moves the account to the address `detail`), or half (no link: the
    cookie of a browser that gave the password, and has to give the second factor). `detail` of verify is the keyed hash
    of the cookie of the browser that signed up.
    """

    __tablename__ = "email_tokens"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str | None] = mapped_column(String(320))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class RecoveryCode(Base):
    """Signs in once in place of the second factor. Only the keyed hash is kept."""

    __tablename__ = "recovery_codes"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
