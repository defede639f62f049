"""Workspaces and memberships."""

from __future__ import annotations

import re

from sqlalchemy import Exists, Select, exists, or_, select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User, WebSession
from cloudlet.control.errors import NotFound
from cloudlet.control.platform import Platform
from cloudlet.control.sso.tables import SsoProvider
from cloudlet.control.workspaces.tables import Membership, Workspace

MOST_TOLD = 20


def create_workspace(session: Session, platform: Platform, name: str, owner: User) -> Membership:
    """A workspace whose first member is its admin. Returns the membership."""
    row_id = platform.new_id("ws")
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "workspace"
    session.add(Workspace(id=row_id, name=name, slug=f"{slug}-{row_id[-6:]}", settings={}, created_at=platform.now()))
    session.flush()
    return add_member(session, platform, row_id, owner, role="admin")


def add_member(session: Session, platform: Platform, workspace_id: str, user: User, *, role: str) -> Membership:
    member = Membership(
        id=platform.new_id("mem"),
        workspace_id=workspace_id,
        user_id=user.id,
        role=role,
        status="active",
        joined_at=platform.now(),
    )
    session.add(member)
    session.flush()
    return member


def memberships_of(session: Session, user_id: str) -> list[tuple[Membership, Workspace]]:
    """Active memberships in workspaces that exist, oldest first."""
    return [(row[0], row[1]) for row in session.execute(active_memberships(user_id)).all()]


def opened_memberships(session: Session, user_id: str, only: str) -> list[tuple[Membership, Workspace]]:
    """Those that a web session opens: of a single sign-on the one in its workspace `only`; of another ("") those in
    workspaces that may be entered without. Admins may enter each, so that nobody is locked out of it.
    """
    query = active_memberships(user_id)
    if only:
        query = query.where(Workspace.id == only)
    else:
        query = query.where(or_(Membership.role == "admin", ~wants_single_sign_on()))
    return [(row[0], row[1]) for row in session.execute(query).all()]


def active_memberships(user_id: str) -> Select[Membership, Workspace]:
    return (
        select(Membership, Workspace)
        .join(Workspace, Workspace.id == Membership.workspace_id)
        .where(Membership.user_id == user_id, Membership.status == "active", Workspace.deleted_at.is_(None))
        .order_by(Membership.joined_at, Membership.id)
    )


def wants_single_sign_on() -> Exists:
    """Of the query's Workspace: one of its identity providers is required of members."""
    return exists().where(
        SsoProvider.workspace_id == Workspace.id, SsoProvider.is_required, SsoProvider.disabled_at.is_(None)
    )


def current_membership(
    session: Session, user_id: str, workspace_id: str | None, only: str
) -> tuple[Membership, Workspace] | None:
    """The membership in the chosen workspace, or else in the first one that the session opens."""
    found = opened_memberships(session, user_id, only)
    chosen = [pair for pair in found if pair[1].id == workspace_id]
    return next(iter(chosen or found), None)


def lock_workspace(session: Session, workspace_id: str) -> None:
    """The first of all locks, whatever is going to be changed: whoever writes to the audit log takes it too, so nobody waits
    in a circle. It ends with the transaction."""
    session.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update(key_share=True))


def admin_addresses(session: Session, workspace_id: str) -> list[str]:
    """Where mail for the admins goes: those who can sign in, who came first first, MOST_TOLD at most."""
    return list(
        session.scalars(
            select(User.email)
            .join(Membership, Membership.user_id == User.id)
            .where(
                Membership.workspace_id == workspace_id,
                Membership.role == "admin",
                Membership.status == "active",
                User.disabled_at.is_(None),
            )
            .order_by(Membership.joined_at, Membership.id)
            .limit(MOST_TOLD)
        )
    )


def admin_names(session: Session, workspace_id: str) -> list[str]:
    """Names or addresses of the admins, for "ask an admin" sentences."""
    rows = session.execute(
        select(User.name, User.email)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.workspace_id == workspace_id, Membership.role == "admin", Membership.status == "active")
        .order_by(Membership.joined_at)
        .limit(3)
    ).all()
    return [name or email for name, email in rows]


def switch_workspace(session: Session, user_id: str, session_id: str, workspace_id: str) -> None:
    """What the pages of this browser show from now on. Raises NotFound where the user is no member, or not by this session."""
    here = session.get_one(WebSession, session_id)
    if workspace_id not in {
        space.id for _, space in opened_memberships(session, user_id, here.only_workspace_id or "")
    }:
        raise NotFound("You belong to no such workspace.")
    here.workspace_id = workspace_id
