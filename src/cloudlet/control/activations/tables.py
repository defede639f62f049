"""Machines that asked for a license, and each request with its verdict."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloudlet.control.db import Base, Moment


class Machine(Base):
    """A machine as its emulator names itself. `kind`: dkr, sys or gen; the host name is kept as a keyed hash."""

    __tablename__ = "machines"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    machine_id: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(8))
    hostname_hash: Mapped[str | None] = mapped_column(String(64))
    system: Mapped[str] = mapped_column(String(120), default="")
    first_seen: Mapped[datetime] = mapped_column(Moment)
    last_seen: Mapped[datetime] = mapped_column(Moment)
    blocked_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("workspace_id", "machine_id"),)


class Activation(Base):
    """One license request with a known token. `result_code` is `ok` or the verdict's code, `detail` the verdict's sentence."""

    __tablename__ = "activations"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    license_id: Mapped[str | None] = mapped_column(ForeignKey("licenses.id", ondelete="SET NULL"))
    credential_id: Mapped[str] = mapped_column(ForeignKey("credentials.id", ondelete="CASCADE"))
    machine_row: Mapped[str | None] = mapped_column(ForeignKey("machines.id", ondelete="SET NULL"))
    product: Mapped[str] = mapped_column(String(80))
    version: Mapped[str] = mapped_column(String(80))
    is_ci: Mapped[bool]
    is_cli: Mapped[bool]
    ci_project: Mapped[str | None] = mapped_column(String(200))
    ci_run: Mapped[str | None] = mapped_column(String(200))
    result_code: Mapped[str] = mapped_column(String(80))
    detail: Mapped[str | None] = mapped_column(String(500))
    envelope_jti: Mapped[str | None] = mapped_column(String(40))
    request_id: Mapped[str] = mapped_column(String(40))
    ip: Mapped[str] = mapped_column(String(45), default="")
    at: Mapped[datetime] = mapped_column(Moment)
    offline_until: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        Index("ix_activations_workspace_id_at", "workspace_id", "at"),
        Index("ix_activations_credential_id_at", "credential_id", "at"),
        Index("ix_activations_machine_row_at", "machine_row", "at"),
        Index("ix_activations_license_id_at", "license_id", "at"),
    )
