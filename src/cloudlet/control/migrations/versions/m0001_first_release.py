"""The tables of the first release"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloudlet.control.db import Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = Moment()


def upgrade() -> None:
    create_plans()
    create_signing_keys()
    create_users()
    create_workspaces()
    create_audit_log()
    create_email_tokens()
    create_machines()
    create_memberships()
    create_sessions()
    create_subscriptions()
    create_credentials()
    create_licenses()
    create_activations()


def downgrade() -> None:
    for table in (
        "activations",
        "licenses",
        "credentials",
        "subscriptions",
        "sessions",
        "memberships",
        "machines",
        "email_tokens",
        "audit_log",
        "workspaces",
        "users",
        "signing_keys",
        "plans",
    ):
        op.drop_table(table)


def create_plans() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("display", sa.String(length=80), nullable=False),
        sa.Column("entitlements", sa.JSON(), nullable=False),
        sa.Column("quotas", sa.JSON(), nullable=False),
        sa.Column("versions", sa.String(length=32), nullable=False),
        sa.Column("offline_window_h", sa.Integer(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plans"),
        sa.UniqueConstraint("code", name="uq_plans_code"),
    )


def create_signing_keys() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.String(length=40), nullable=False),
        sa.Column("alg", sa.String(length=16), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("private_enc", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("not_before", MOMENT, nullable=False),
        sa.Column("not_after", MOMENT, nullable=True),
        sa.CheckConstraint("status IN ('next','active','retired')", name="ck_signing_keys_status"),
        sa.PrimaryKeyConstraint("kid", name="pk_signing_keys"),
    )


def create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_verified_at", MOMENT, nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("totp_secret_enc", sa.LargeBinary(), nullable=True),
        sa.Column("github_login", sa.String(length=100), nullable=True),
        sa.Column("job", sa.String(length=100), nullable=True),
        sa.Column("phone", sa.String(length=50), nullable=True),
        sa.Column("company", sa.String(length=200), nullable=True),
        sa.Column("disabled_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
    )
    op.create_index("uq_users_email", "users", [sa.text("lower(email)")], unique=True)


def create_workspaces() -> None:
    op.create_table(
        "workspaces",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("is_company", sa.Boolean(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("tax_id", sa.String(length=50), nullable=True),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("deleted_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        sa.UniqueConstraint("slug", name="uq_workspaces_slug"),
    )


def create_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("target", sa.String(length=120), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_audit_log_workspace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
        sa.UniqueConstraint("workspace_id", "seq", name="uq_audit_log_workspace_id_seq"),
    )


def create_email_tokens() -> None:
    op.create_table(
        "email_tokens",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_email_tokens_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash", name="pk_email_tokens"),
    )
    op.create_index("ix_email_tokens_user_id", "email_tokens", ["user_id"], unique=False)


def create_machines() -> None:
    op.create_table(
        "machines",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("machine_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("hostname_hash", sa.String(length=64), nullable=True),
        sa.Column("system", sa.String(length=120), nullable=False),
        sa.Column("first_seen", MOMENT, nullable=False),
        sa.Column("last_seen", MOMENT, nullable=False),
        sa.Column("blocked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_machines_workspace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_machines"),
        sa.UniqueConstraint("workspace_id", "machine_id", name="uq_machines_workspace_id_machine_id"),
    )


def create_memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=True),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("permissions", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("invited_name", sa.String(length=200), nullable=True),
        sa.Column("invited_email", sa.String(length=320), nullable=True),
        sa.Column("invited_by", sa.String(length=80), nullable=True),
        sa.Column("joined_at", MOMENT, nullable=True),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.CheckConstraint("role IN ('admin','member','billing','auditor')", name="ck_memberships_role"),
        sa.CheckConstraint("status IN ('invited','active','removed')", name="ck_memberships_status"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_memberships_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_memberships_workspace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_memberships"),
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"], unique=False)
    op.create_index("ix_memberships_workspace_id", "memberships", ["workspace_id"], unique=False)
    op.create_index(
        "uq_memberships_present",
        "memberships",
        ["workspace_id", "user_id"],
        unique=True,
        sqlite_where=sa.text("status <> 'removed'"),
        postgresql_where=sa.text("status <> 'removed'"),
    )


def create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("sudo_until", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_sessions_workspace_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("hash", name="uq_sessions_hash"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"], unique=False)


def create_subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("plan_id", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("current_period_start", MOMENT, nullable=False),
        sa.Column("current_period_end", MOMENT, nullable=False),
        sa.Column("trial_ends_at", MOMENT, nullable=True),
        sa.Column("cancel_at", MOMENT, nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("external_ref", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "status IN ('trialing','active','past_due','canceled','expired')", name="ck_subscriptions_status"
        ),
        sa.CheckConstraint("seats >= 0", name="ck_subscriptions_seats"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_subscriptions_plan_id"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_subscriptions_workspace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
    )
    op.create_index("ix_subscriptions_workspace_id", "subscriptions", ["workspace_id"], unique=False)


def create_credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("membership_id", sa.String(length=40), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("prefix8", sa.String(length=24), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("lookup_hash", sa.String(length=64), nullable=False),
        sa.Column("secret_enc", sa.LargeBinary(), nullable=True),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=True),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column("last_used_ip", sa.String(length=45), nullable=True),
        sa.Column("last_used_machine", sa.String(length=80), nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("revoke_reason", sa.String(length=40), nullable=True),
        sa.Column("replaced_by", sa.String(length=40), nullable=True),
        sa.Column("family_id", sa.String(length=40), nullable=True),
        sa.Column("grace_until", MOMENT, nullable=True),
        sa.CheckConstraint("kind IN ('auth','device','ci','legacy_api','admin_api')", name="ck_credentials_kind"),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name="fk_credentials_membership_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_credentials_workspace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_credentials"),
        sa.UniqueConstraint("lookup_hash", name="uq_credentials_lookup_hash"),
    )
    op.create_index("ix_credentials_membership_id", "credentials", ["membership_id"], unique=False)
    op.create_index("ix_credentials_workspace_id", "credentials", ["workspace_id"], unique=False)
    op.create_index(
        "uq_credentials_living_auth",
        "credentials",
        ["membership_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'auth' AND revoked_at IS NULL"),
        postgresql_where=sa.text("kind = 'auth' AND revoked_at IS NULL"),
    )


def create_licenses() -> None:
    op.create_table(
        "licenses",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("subscription_id", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("seat_no", sa.Integer(), nullable=False),
        sa.Column("assigned_membership_id", sa.String(length=40), nullable=True),
        sa.Column("assigned_at", MOMENT, nullable=True),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoke_epoch", sa.Integer(), nullable=False),
        sa.Column("issue_seq", sa.Integer(), nullable=False),
        sa.CheckConstraint("status IN ('ACTIVE','INACTIVE','EXPIRED','SUSPENDED')", name="ck_licenses_status"),
        sa.ForeignKeyConstraint(
            ["assigned_membership_id"],
            ["memberships.id"],
            name="fk_licenses_assigned_membership_id",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name="fk_licenses_subscription_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_licenses_workspace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_licenses"),
        sa.UniqueConstraint("assigned_membership_id", name="uq_licenses_assigned_membership_id"),
        sa.UniqueConstraint("subscription_id", "seat_no", name="uq_licenses_subscription_id_seat_no"),
    )
    op.create_index("ix_licenses_workspace_id", "licenses", ["workspace_id"], unique=False)


def create_activations() -> None:
    op.create_table(
        "activations",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("license_id", sa.String(length=40), nullable=True),
        sa.Column("credential_id", sa.String(length=40), nullable=False),
        sa.Column("machine_row", sa.String(length=40), nullable=True),
        sa.Column("product", sa.String(length=80), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("is_ci", sa.Boolean(), nullable=False),
        sa.Column("is_cli", sa.Boolean(), nullable=False),
        sa.Column("ci_project", sa.String(length=200), nullable=True),
        sa.Column("result_code", sa.String(length=80), nullable=False),
        sa.Column("envelope_jti", sa.String(length=40), nullable=True),
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("offline_until", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credentials.id"], name="fk_activations_credential_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name="fk_activations_license_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["machine_row"], ["machines.id"], name="fk_activations_machine_row", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_activations_workspace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_activations"),
    )
    op.create_index("ix_activations_credential_id_at", "activations", ["credential_id", "at"], unique=False)
    op.create_index("ix_activations_workspace_id_at", "activations", ["workspace_id", "at"], unique=False)
