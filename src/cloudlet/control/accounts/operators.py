"""What the operator of a control plane does with accounts, from the command line."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cloudlet.control.accounts.errors import UserExists
from cloudlet.control.accounts.passwords import hash_password
from cloudlet.control.accounts.rules import checked_email, checked_name, checked_password
from cloudlet.control.accounts.second_factor import turn_off
from cloudlet.control.accounts.service import close_all_sessions, create_user, end_links, find_user, make_link
from cloudlet.control.accounts.tables import User
from cloudlet.control.audit.service import record
from cloudlet.control.errors import Conflict, NotFound
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.service import add_member, memberships_of
from cloudlet.control.workspaces.tables import Membership, Workspace

ACTOR = "system"
LINK_MINUTES = 60
MOST_USERS = 1000


class UserRow(msgspec.Struct, frozen=True, kw_only=True):
    """`workspaces` as `name (role)`."""

    id: str
    email: str
    name: str
    state: str
    has_second_factor: bool
    created_at: datetime
    workspaces: tuple[str, ...]


def list_users(session: Session, search: str = "") -> tuple[UserRow, ...]:
    """Those whose name or address contains `search`, by address; a thousand at most."""
    query = select(User).order_by(func.lower(User.email)).limit(MOST_USERS)
    if search:
        text = search.lower()
        query = query.where(
            or_(
                func.lower(User.email).contains(text, autoescape=True),
                func.lower(User.name).contains(text, autoescape=True),
            )
        )
    found = session.scalars(query).all()
    places = places_of(session, [user.id for user in found])
    return tuple(row_with(user, places.get(user.id, ())) for user in found)


def places_of(session: Session, user_ids: list[str]) -> dict[str, tuple[str, ...]]:
    """Workspaces and roles in words, by user, of those who have any."""
    rows = session.execute(
        select(Membership.user_id, Workspace.name, Membership.role)
        .join(Workspace, Workspace.id == Membership.workspace_id)
        .where(Membership.user_id.in_(user_ids), Membership.status == "active", Workspace.deleted_at.is_(None))
        .order_by(Membership.joined_at, Membership.id)
    )
    found: dict[str, tuple[str, ...]] = {}
    for user_id, workspace, role in rows:
        found[str(user_id)] = (*found.get(str(user_id), ()), f"{workspace} ({role})")
    return found


def row_of(session: Session, user: User) -> UserRow:
    return row_with(user, places_of(session, [user.id]).get(user.id, ()))


def row_with(user: User, workspaces: tuple[str, ...]) -> UserRow:
    state = "disabled" if user.disabled_at else "active" if user.email_verified_at else "unverified"
    return UserRow(
        id=user.id,
        email=user.email,
        name=user.name,
        state=state,
        has_second_factor=user.totp_secret_enc is not None,
        created_at=user.created_at,
        workspaces=workspaces,
    )


def user_by(session: Session, email: str) -> User:
    """Raises NotFound."""
    found = find_user(session, email)
    if found is None:
        raise NotFound(f"There is no account {email}.")
    return found


def make_user(session: Session, platform: Platform, email: str, name: str) -> tuple[UserRow, str]:
    """An account whose address the operator vouches for, and a link to set its password.

    Raises InvalidForm, UserExists.
    """
    address = checked_email(email)
    if find_user(session, address) is not None:
        raise UserExists(f"There is an account {address} already.")
    try:
        with session.begin_nested():
            user = create_user(session, platform, address, name=checked_name(name) if name else "")
    except IntegrityError as error:
        raise UserExists(f"There is an account {address} already.") from error
    return row_of(session, user), password_link(session, platform, user)


def disable(session: Session, platform: Platform, email: str) -> tuple[UserRow, tuple[str, ...]]:
    """Signed out, refused at the next sign-in and activation. Names the workspaces that have no admin left.

    Raises NotFound.
    """
    user = user_by(session, email)
    if user.disabled_at is None:
        user.disabled_at = platform.now()
        close_all_sessions(session, user.id)
        note(session, platform, user, "account.disabled")
    return row_of(session, user), orphans(session, user)


def enable(session: Session, platform: Platform, email: str) -> UserRow:
    """Raises NotFound."""
    user = user_by(session, email)
    if user.disabled_at is not None:
        user.disabled_at = None
        note(session, platform, user, "account.enabled")
    return row_of(session, user)


def reset(session: Session, platform: Platform, email: str, *, password: str, drop_second_factor: bool) -> str:
    """A new password, or "" and a link to set one; all sessions end. Returns the link, "" with a password.

    Raises NotFound, WeakPassword.
    """
    user = user_by(session, email)
    close_all_sessions(session, user.id)
    end_links(session, user.id, "reset", "magic", "half")
    if drop_second_factor:
        turn_off(session, user.id)
    note(session, platform, user, "account.password_reset")
    if not password:
        return password_link(session, platform, user)
    user.password_hash = hash_password(checked_password(password, user.email, user.name))
    return ""


def make_admin(session: Session, platform: Platform, email: str, workspace: str) -> UserRow:
    """An admin of the workspace with this id, slug or name; who is no member becomes one. Raises NotFound, Conflict."""
    user = user_by(session, email)
    found = session.scalars(
        select(Workspace).where(
            Workspace.deleted_at.is_(None),
            or_(Workspace.id == workspace, Workspace.slug == workspace, Workspace.name == workspace),
        )
    ).all()
    if not found:
        raise NotFound(f"There is no workspace {workspace!r}.")
    if len(found) > 1:
        raise Conflict(f"{len(found)} workspaces have this name: {', '.join(entry.slug for entry in found)}.")
    session.execute(select(Workspace.id).where(Workspace.id == found[0].id).with_for_update())
    member = session.scalar(
        select(Membership).where(
            Membership.workspace_id == found[0].id, Membership.user_id == user.id, Membership.status == "active"
        )
    )
    if member is None:
        member = add_member(session, platform, found[0].id, user, role="admin")
    member.role, member.permissions = "admin", None
    session.flush()
    record(
        session,
        platform,
        found[0].id,
        actor=ACTOR,
        action="member.changed",
        target=member.id,
        data={"role": "admin", "permissions": None},
    )
    return row_of(session, user)


def password_link(session: Session, platform: Platform, user: User) -> str:
    return f"{platform.settings.base_url}/reset/{make_link(session, platform, user, 'reset', LINK_MINUTES)}"


def orphans(session: Session, user: User) -> tuple[str, ...]:
    """Workspaces of which this user is the only admin."""
    names = []
    for membership, workspace in memberships_of(session, user.id):
        others = session.scalar(
            select(func.count(Membership.id))
            .join(User, User.id == Membership.user_id)
            .where(
                Membership.workspace_id == workspace.id,
                Membership.role == "admin",
                Membership.status == "active",
                Membership.user_id != user.id,
                User.disabled_at.is_(None),
            )
        )
        if membership.role == "admin" and not others:
            names.append(workspace.name)
    return tuple(names)


def note(session: Session, platform: Platform, user: User, action: str) -> None:
    session.flush()
    for _, workspace in memberships_of(session, user.id):
        record(session, platform, workspace.id, actor=ACTOR, action=action, target=user.id)
