"""Single sign-on"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloudlet.control.db import Moment

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = Moment()


def upgrade() -> None:
    op.create_table(
        "sso_providers",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("client_id", sa.String(length=300), nullable=False),
        sa.Column("client_secret_enc", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.String(length=300), nullable=False),
        sa.Column("default_role", sa.String(length=16), nullable=False),
        sa.Column("default_permissions", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("domains", sa.JSON(), nullable=False),
        sa.Column("admits_new", sa.Boolean(), nullable=False),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("disabled_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_sso_providers_workspace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sso_providers"),
        sa.UniqueConstraint("slug", name="uq_sso_providers_slug"),
    )
    op.create_index("ix_sso_providers_workspace_id", "sso_providers", ["workspace_id"], unique=False)
    op.create_table(
        "sso_attempts",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("provider_id", sa.String(length=40), nullable=False),
        sa.Column("secrets_enc", sa.LargeBinary(), nullable=False),
        sa.Column("next_path", sa.String(length=300), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["sso_providers.id"], name="fk_sso_attempts_provider_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("state_hash", name="pk_sso_attempts"),
    )
    op.create_index("ix_sso_attempts_expires_at", "sso_attempts", ["expires_at"], unique=False)
    op.create_table(
        "sso_identities",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("provider_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["sso_providers.id"], name="fk_sso_identities_provider_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sso_identities_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_sso_identities"),
        sa.UniqueConstraint("provider_id", "subject", name="uq_sso_identities_provider_id_subject"),
    )
    op.create_index("ix_sso_identities_user_id", "sso_identities", ["user_id"], unique=False)
    op.add_column("sessions", sa.Column("sso_provider_id", sa.String(length=40), nullable=True))
    op.add_column("sessions", sa.Column("only_workspace_id", sa.String(length=40), nullable=True))
    op.create_index("ix_sessions_sso_provider_id", "sessions", ["sso_provider_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_sessions_sso_provider_id", table_name="sessions")
    op.drop_column("sessions", "only_workspace_id")
    op.drop_column("sessions", "sso_provider_id")
    op.drop_table("sso_identities")
    op.drop_table("sso_attempts")
    op.drop_table("sso_providers")
