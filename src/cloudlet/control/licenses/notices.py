"""Which warnings about the end of a subscription were sent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from cloudlet.control.db import Base, Moment


class ExpiryNotice(Base):
    """`days_left`: 14, 7, 1, or 0 for the end itself. A renewed subscription has another `period_end`, and new warnings."""

    __tablename__ = "expiry_notices"

    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"), primary_key=True)
    period_end: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    days_left: Mapped[int] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(Moment)
