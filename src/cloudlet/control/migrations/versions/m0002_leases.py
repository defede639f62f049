"""Which process does a task"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloudlet.control.db import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = Moment()


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("task", sa.String(length=60), nullable=False),
        sa.Column("holder", sa.String(length=60), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("ran_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("task", name="pk_leases"),
    )


def downgrade() -> None:
    op.drop_table("leases")
