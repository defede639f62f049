"""Making, changing and deleting a workspace."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User, WebSession
from cloudlet.control.audit.service import record
from cloudlet.control.credentials.service import forget_secrets
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.licenses.periods import LIVING
from cloudlet.control.licenses.subscriptions import current_subscription
from cloudlet.control.licenses.tables import License, Plan, Subscription
from cloudlet.control.mail.service import send_letter
from cloudlet.control.members.service import lock_for
from cloudlet.control.members.tables import Invitation
from cloudlet.control.offline.tables import OfflineFile
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Account, Viewer
from cloudlet.control.workspaces.errors import NameNotTyped, OneWorkspaceOnly, SettingsChanged, TooManyWorkspaces
from cloudlet.control.workspaces.forms import Facts, SettingsForm
from cloudlet.control.workspaces.policies import policies_of
from cloudlet.control.workspaces.service import create_workspace, switch_workspace
from cloudlet.control.workspaces.tables import Membership, Workspace

MOST_WORKSPACES = 50


def make_workspace(session: Session, platform: Platform, account: Account, facts: Facts) -> Workspace:
    """The account's user is its admin, and looks at it from now on. Raises TooManyWorkspaces, OneWorkspaceOnly."""
    if account.only_workspace_id:
        raise OneWorkspaceOnly
    count = session.scalar(
        select(func.count(Membership.id)).where(
            Membership.user_id == account.user_id, Membership.role == "admin", Membership.status == "active"
        )
    )
    if (count or 0) >= MOST_WORKSPACES:
        raise TooManyWorkspaces
    user = session.get_one(User, account.user_id)
    workspace = session.get_one(Workspace, create_workspace(session, platform, facts.name, user).workspace_id)
    write_facts(workspace, facts)
    session.flush()
    record(
        session,
        platform,
        workspace.id,
        actor=account.actor,
        action="workspace.created",
        target=workspace.id,
        data={"name": facts.name},
    )
    switch_workspace(session, account.user_id, account.session_id, workspace.id)
    return workspace


def write_facts(workspace: Workspace, facts: Facts) -> None:
    workspace.name, workspace.is_company = facts.name, facts.is_company
    workspace.country, workspace.tax_id = facts.country, facts.tax_id


def plan_hours(session: Session, workspace_id: str) -> int | None:
    """Hours without a connection that the plan gives; None without one."""
    subscription = current_subscription(session, workspace_id)
    return session.get_one(Plan, subscription.plan_id).offline_window_h if subscription else None


def save_settings(session: Session, platform: Platform, viewer: Viewer, form: SettingsForm) -> Workspace:
    """All of them; in force from now on. Raises Forbidden, SettingsChanged.

    Where tokens are not shown again any more, nobody can see those that are there either.
    """
    lock_for(session, viewer, "workspace.update")
    workspace = session.get_one(Workspace, viewer.workspace_id, populate_existing=True)
    if workspace.version != form.version:
        raise SettingsChanged
    before = state_of(workspace)
    was_shown = policies_of(workspace).reveal_policy == "sudo"
    write_facts(workspace, form.facts)
    workspace.settings = form.policies.stored()
    changed = {name: value for name, value in state_of(workspace).items() if before[name] != value}
    if not changed:
        return workspace
    workspace.version += 1
    session.flush()
    if was_shown and form.policies.reveal_policy != "sudo":
        forget_secrets(session, workspace.id)
    record(
        session,
        platform,
        workspace.id,
        actor=viewer.actor,
        action="workspace.updated",
        target=workspace.id,
        data={"changed": changed},
    )
    return workspace


def state_of(workspace: Workspace) -> dict[str, Any]:
    """For comparison and the audit log."""
    policies = policies_of(workspace)
    return {
        "name": workspace.name,
        "is_company": workspace.is_company,
        "country": workspace.country,
        "tax_id": workspace.tax_id,
        **{name: getattr(policies, name) for name in policies.__struct_fields__ if name != "ip_allowlist"},
        "ip_allowlist": list(policies.ip_allowlist),
    }


def delete_workspace(session: Session, platform: Platform, viewer: Viewer, typed: str) -> None:
    """It stays in the database, and opens nothing any more: no token, no license, no page. Its admins are told.

    Raises Forbidden, NameNotTyped.
    """
    lock_for(session, viewer, "workspace.delete")
    workspace = session.get_one(Workspace, viewer.workspace_id, populate_existing=True)
    if " ".join(typed.split()).casefold() != " ".join(workspace.name.split()).casefold():
        raise NameNotTyped(f"Type “{workspace.name}” to delete it.")
    now = platform.now()
    admins = session.scalars(
        select(User.email)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.workspace_id == workspace.id, Membership.role == "admin", Membership.status == "active")
    ).all()
    record(
        session,
        platform,
        workspace.id,
        actor=viewer.actor,
        action="workspace.deleted",
        target=workspace.id,
        data={"name": workspace.name},
    )
    end_everything(session, platform, workspace.id)
    workspace.deleted_at = now
    session.flush()
    for address in sorted(admins):
        send_letter(
            session,
            platform,
            "workspace_deleted",
            address,
            workspace=workspace.name,
            actor=viewer.name or viewer.email,
            at=now,
        )


def end_everything(session: Session, platform: Platform, workspace_id: str) -> None:
    """In the order in which rows refer to each other."""
    now = platform.now()
    invited = select(Membership.id).where(Membership.workspace_id == workspace_id)
    changes = (
        update(Credential)
        .where(Credential.workspace_id == workspace_id, Credential.revoked_at.is_(None))
        .values(revoked_at=now, revoke_reason="workspace_deleted"),
        update(Credential).where(Credential.workspace_id == workspace_id).values(secret_enc=None, grace_until=None),
        update(License)
        .where(License.workspace_id == workspace_id)
        .values(
            status="INACTIVE",
            assigned_membership_id=None,
            assigned_at=None,
            revoke_epoch=License.revoke_epoch + 1,
        ),
        update(Subscription)
        .where(Subscription.workspace_id == workspace_id, Subscription.status.in_(LIVING))
        .values(status="canceled", cancel_at=now),
        update(OfflineFile)
        .where(OfflineFile.workspace_id == workspace_id, OfflineFile.revoked_at.is_(None))
        .values(revoked_at=now),
        update(Invitation)
        .where(Invitation.membership_id.in_(invited), Invitation.used_at.is_(None))
        .values(expires_at=now),
        update(Membership)
        .where(Membership.workspace_id == workspace_id, Membership.status != "removed")
        .values(status="removed", removed_at=now),
        update(WebSession).where(WebSession.workspace_id == workspace_id).values(workspace_id=None),
    )
    for change in changes:
        session.execute(change.execution_options(synchronize_session=False))
