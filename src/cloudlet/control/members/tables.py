"""Open invitations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from cloudlet.control.db import Base, Moment


class Invitation(Base):
    """The link of an invited membership. Only its keyed hash is kept; sending it again makes another one.

    `assign_license`: give them a license when they join, if one is free. `used_at`: they joined.
    """

    __tablename__ = "invitations"

    membership_id: Mapped[str] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    assign_license: Mapped[bool] = mapped_column(default=False)
    sent_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
