"""Signing in from a command line"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloudlet.control.db import Moment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = Moment()


def upgrade() -> None:
    op.create_table(
        "device_requests",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_code", sa.String(length=16), nullable=False),
        sa.Column("exchange_hash", sa.String(length=64), nullable=False),
        sa.Column("bearer_hash", sa.String(length=64), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("client_version", sa.String(length=80), nullable=False),
        sa.Column("host", sa.String(length=80), nullable=False),
        sa.Column("workspace_hint", sa.String(length=200), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("membership_id", sa.String(length=40), nullable=True),
        sa.Column("confirmed_by", sa.String(length=40), nullable=True),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("denied_at", MOMENT, nullable=True),
        sa.Column("exchanged_at", MOMENT, nullable=True),
        sa.Column("bearer_expires_at", MOMENT, nullable=True),
        sa.Column("collected_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["users.id"], name="fk_device_requests_confirmed_by", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name="fk_device_requests_membership_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_device_requests"),
        sa.UniqueConstraint("bearer_hash", name="uq_device_requests_bearer_hash"),
        sa.UniqueConstraint("exchange_hash", name="uq_device_requests_exchange_hash"),
    )
    op.create_index("ix_device_requests_expires_at", "device_requests", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_table("device_requests")
