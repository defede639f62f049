"""Changing members and their licenses.

Each change locks the workspace's row first, then looks again at what its author may do: of two admins who demote each
other at the same moment one is too late, and who was demoted a moment ago changes nothing any more.
"""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.audit.service import record
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.errors import Forbidden, NotFound
from cloudlet.control.licenses.service import assign, unassign
from cloudlet.control.members.errors import CannotGrant, LastAdmin
from cloudlet.control.members.forms import MemberForm
from cloudlet.control.permissions import ROLES, effective, is_allowed
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import lock_workspace
from cloudlet.control.workspaces.tables import Membership


def save_member(session: Session, platform: Platform, viewer: Viewer, member_id: str, form: MemberForm) -> Membership:
    """A new role and switches, in force at the member's next click. Raises NotFound, LastAdmin, CannotGrant."""
    actor = lock_for(session, viewer, "member.role")
    member = find_member(session, viewer.workspace_id, member_id)
    before, switched_before = member.role, member.permissions
    switches = form.permissions or {}
    wanted = frozenset(key for key, is_on in switches.items() if is_on) if switches else ROLES[form.role]
    if actor.role != "admin" and (
        "admin" in {member.role, form.role} or not wanted - effective(member) <= effective(actor)
    ):
        raise CannotGrant
    if form.role != "admin":
        keep_an_admin(session, member)
    member.role, member.permissions = form.role, form.permissions
    if (before, switched_before) != (form.role, form.permissions):
        record(
            session,
            platform,
            viewer.workspace_id,
            actor=viewer.actor,
            action="member.changed",
            target=member.id,
            data={"role": form.role, "role_before": before, "permissions": form.permissions},
        )
    return member


def assign_license(session: Session, platform: Platform, viewer: Viewer, member_id: str) -> None:
    """Raises NotFound, AlreadyAssigned, SeatsExhausted, NoSubscription."""
    lock_for(session, viewer, "license.assign")
    member = find_member(session, viewer.workspace_id, member_id)
    assign(session, platform, viewer.workspace_id, member.id, actor=viewer.actor)


def assign_to_self(session: Session, platform: Platform, viewer: Viewer) -> None:
    """Raises AlreadyAssigned, SeatsExhausted, NoSubscription."""
    actor = lock_for(session, viewer, "license.self_assign")
    assign(session, platform, viewer.workspace_id, actor.id, actor=viewer.actor)


def unassign_license(session: Session, platform: Platform, viewer: Viewer, member_id: str) -> None:
    """Their emulators are refused at their next contact. Raises NotFound."""
    lock_for(session, viewer, "license.assign")
    member = find_member(session, viewer.workspace_id, member_id)
    unassign(session, platform, viewer.workspace_id, member.id, actor=viewer.actor)


def remove_member(session: Session, platform: Platform, viewer: Viewer, member_id: str) -> None:
    """Raises NotFound, LastAdmin, CannotGrant."""
    actor = lock_for(session, viewer, "member.remove")
    member = find_member(session, viewer.workspace_id, member_id)
    if member.role == "admin" and actor.role != "admin":
        raise CannotGrant("Only an admin can remove an admin.")
    end_membership(session, platform, member, actor=viewer.actor, action="member.removed")


def leave(session: Session, platform: Platform, viewer: Viewer) -> None:
    """Raises LastAdmin."""
    actor = lock_for(session, viewer, None)
    end_membership(session, platform, actor, actor=viewer.actor, action="member.left")


def lock_for(session: Session, viewer: Viewer, permission: str | None) -> Membership:
    """One change of a workspace's members at a time. Returns the author's membership as it is now. Raises Forbidden."""
    lock_workspace(session, viewer.workspace_id)
    actor = session.get(Membership, viewer.membership_id, populate_existing=True)
    if actor is None or actor.status != "active" or (permission is not None and not is_allowed(actor, permission)):
        raise Forbidden
    return actor


def find_member(session: Session, workspace_id: str, member_id: str) -> Membership:
    """An active member of this workspace. Raises NotFound, for another workspace's member too."""
    found = session.scalar(
        select(Membership)
        .where(Membership.id == member_id, Membership.workspace_id == workspace_id, Membership.status == "active")
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("This workspace has no such member.")
    return found


def keep_an_admin(session: Session, member: Membership) -> None:
    """Raises LastAdmin when `member` is the only one who can still sign in."""
    others = session.scalar(
        select(func.count(Membership.id))
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.workspace_id == member.workspace_id,
            Membership.role == "admin",
            Membership.status == "active",
            Membership.id != member.id,
            User.disabled_at.is_(None),
        )
    )
    if member.role == "admin" and not others:
        raise LastAdmin


def end_membership(session: Session, platform: Platform, member: Membership, *, actor: str, action: str) -> None:
    """Frees the license and kills the member's tokens in this workspace at once. Raises LastAdmin."""
    keep_an_admin(session, member)
    unassign(session, platform, member.workspace_id, member.id, actor=actor)
    session.execute(
        update(Credential)
        .where(Credential.membership_id == member.id, Credential.revoked_at.is_(None))
        .values(revoked_at=platform.now(), revoke_reason="member_removed", secret_enc=None, grace_until=None)
        .execution_options(synchronize_session=False)
    )
    member.status, member.removed_at = "removed", platform.now()
    record(session, platform, member.workspace_id, actor=actor, action=action, target=member.id)
