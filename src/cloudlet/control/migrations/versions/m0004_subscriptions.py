"""Invitations, settings that notice each other, plans of the operator, warnings about the end of subscriptions"""

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
    op.create_table(
        "invitations",
        sa.Column("membership_id", sa.String(length=40), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("assign_license", sa.Boolean(), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name="fk_invitations_membership_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("membership_id", name="pk_invitations"),
        sa.UniqueConstraint("hash", name="uq_invitations_hash"),
    )
    op.create_index(
        "uq_memberships_invited",
        "memberships",
        ["workspace_id", "invited_email"],
        unique=True,
        sqlite_where=sa.text("status = 'invited'"),
        postgresql_where=sa.text("status = 'invited'"),
    )
    op.add_column("workspaces", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("plans", sa.Column("summary", sa.String(length=200), nullable=False, server_default=""))
    op.add_column("plans", sa.Column("position", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("plans", sa.Column("aliases", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("plans", sa.Column("origin", sa.String(length=16), nullable=False, server_default="builtin"))


def downgrade() -> None:
    for column in ("origin", "aliases", "position", "summary"):
        op.drop_column("plans", column)
    op.drop_column("workspaces", "version")
    op.drop_index("uq_memberships_invited", table_name="memberships")
    op.drop_table("invitations")
    op.drop_table("expiry_notices")
