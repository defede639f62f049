"""Warnings about the end of subscriptions"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloudlet.control.db import Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = Moment()


def upgrade() -> None:
    op.create_table(
        "expiry_notices",
        sa.Column("subscription_id", sa.String(length=40), nullable=False),
        sa.Column("period_end", MOMENT, nullable=False),
        sa.Column("days_left", sa.Integer(), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name="fk_expiry_notices_subscription_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subscription_id", "period_end", "days_left", name="pk_expiry_notices"),
    )


def downgrade() -> None:
    op.drop_table("expiry_notices")
