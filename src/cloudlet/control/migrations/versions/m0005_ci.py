"""CI credits, CI keys' projects, use of dead tokens, more about each activation"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloudlet.control.db import Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = Moment()


def upgrade() -> None:
    op.create_table(
        "ci_periods",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("period_start", MOMENT, nullable=False),
        sa.Column("period_end", MOMENT, nullable=False),
        sa.Column("quota", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("told_percent", sa.Integer(), nullable=False),
        sa.CheckConstraint("used >= 0", name="ck_ci_periods_used"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_ci_periods_workspace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ci_periods"),
        sa.UniqueConstraint("workspace_id", "period_start", name="uq_ci_periods_workspace_id_period_start"),
    )
    op.create_table(
        "ci_charges",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("period_id", sa.String(length=40), nullable=False),
        sa.Column("credential_id", sa.String(length=40), nullable=True),
        sa.Column("run_key", sa.String(length=300), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=True),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credentials.id"], name="fk_ci_charges_credential_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["period_id"], ["ci_periods.id"], name="fk_ci_charges_period_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_ci_charges_workspace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ci_charges"),
        sa.UniqueConstraint("workspace_id", "run_key", name="uq_ci_charges_workspace_id_run_key"),
    )
    op.create_index("ix_ci_charges_period_id_at", "ci_charges", ["period_id", "at"], unique=False)
    op.create_index("ix_ci_charges_credential_id_at", "ci_charges", ["credential_id", "at"], unique=False)
    op.add_column("credentials", sa.Column("project", sa.String(length=200), nullable=True))
    op.add_column("credentials", sa.Column("reuse_count", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("credentials", sa.Column("reused_at", MOMENT, nullable=True))
    op.add_column("credentials", sa.Column("reuse_told_at", MOMENT, nullable=True))
    op.create_index("ix_credentials_family_id", "credentials", ["family_id"], unique=False)
    op.add_column("activations", sa.Column("ci_run", sa.String(length=200), nullable=True))
    op.add_column("activations", sa.Column("detail", sa.String(length=500), nullable=True))
    op.create_index("ix_activations_machine_row_at", "activations", ["machine_row", "at"], unique=False)
    op.create_index("ix_activations_license_id_at", "activations", ["license_id", "at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_activations_license_id_at", "activations")
    op.drop_index("ix_activations_machine_row_at", "activations")
    op.drop_column("activations", "detail")
    op.drop_column("activations", "ci_run")
    op.drop_index("ix_credentials_family_id", "credentials")
    for name in ("reuse_told_at", "reused_at", "reuse_count", "project"):
        op.drop_column("credentials", name)
    op.drop_table("ci_charges")
    op.drop_table("ci_periods")
