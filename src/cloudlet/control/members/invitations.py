"""Inviting people by mail, and their joining.

    invite → mail with a link → look (GET) → accept (POST)

The link proves that the address is theirs, as the link of a sign-up does. Sending it again kills the older link.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cloudlet.control.accounts.errors import SignUpClosed
from cloudlet.control.accounts.rules import checked_name, checked_password
from cloudlet.control.accounts.service import create_user, find_user
from cloudlet.control.accounts.tables import User
from cloudlet.control.audit.service import record
from cloudlet.control.errors import Forbidden, NotFound
from cloudlet.control.licenses.errors import NoSubscription, SeatsExhausted
from cloudlet.control.licenses.seats import lock_seats
from cloudlet.control.licenses.service import assign
from cloudlet.control.mail.service import send_letter
from cloudlet.control.members.errors import (
    AlreadyInvited,
    AlreadyMember,
    CannotGrant,
    InvitationExpired,
    InvitationOver,
    SignInFirst,
    WrongInvitee,
)
from cloudlet.control.members.forms import InviteForm, JoinForm
from cloudlet.control.members.service import lock_for
from cloudlet.control.members.tables import Invitation
from cloudlet.control.permissions import ROLES, effective, is_allowed
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.tables import Membership, Workspace
from cloudlet.license.canonical import to_base64url

DAYS = 7
ROLE_WORDS: Mapping[str, str] = MappingProxyType(
    {"admin": "an admin", "member": "a member", "billing": "a member for billing", "auditor": "an auditor"}
)


class InvitationView(msgspec.Struct, frozen=True, kw_only=True):
    """What an invitation's page says. `has_account`: somebody has signed up with this address already."""

    workspace: str
    inviter: str
    email: str
    name: str
    role: str
    expires_at: datetime
    has_account: bool


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """`license`: assigned, none_free or not_given (they were to get one), or "" (nobody asked for one).

    It is not given where its giver may not assign licenses any more.
    """

    membership: Membership
    user: User
    license: str = ""


def invite(session: Session, platform: Platform, viewer: Viewer, form: InviteForm) -> Membership:
    """An invited membership, and a mail. Raises Forbidden, CannotGrant, AlreadyMember, AlreadyInvited."""
    actor = lock_for(session, viewer, "member.invite")
    check_grant(actor, form)
    refuse_double(session, viewer.workspace_id, form.email)
    member = Membership(
        id=platform.new_id("mem"),
        workspace_id=viewer.workspace_id,
        role=form.role,
        status="invited",
        invited_name=form.name or None,
        invited_email=form.email,
        invited_by=viewer.user_id,
    )
    try:
        with session.begin_nested():
            session.add(member)
    except IntegrityError as error:  # the table's own last word
        raise AlreadyInvited from error
    send(session, platform, viewer, member, assign_license=form.assign_license)
    record(
        session,
        platform,
        viewer.workspace_id,
        actor=viewer.actor,
        action="member.invited",
        target=member.id,
        data={"email": form.email, "role": form.role, "assign_license": form.assign_license},
    )
    return member


def check_grant(actor: Membership, form: InviteForm) -> None:
    """The role that everybody starts with is always given, another one by who has all that it allows.

    Raises CannotGrant, Forbidden.
    """
    if not may_grant(actor, form.role):
        raise CannotGrant
    if form.assign_license and not is_allowed(actor, "license.assign"):
        raise Forbidden("You may not assign licenses.")


def may_grant(actor: Membership, role: str) -> bool:
    gives_more = role == "admin" or not ROLES[role] <= effective(actor)
    return role == "member" or actor.role == "admin" or not gives_more


def refuse_double(session: Session, workspace_id: str, email: str) -> None:
    """Raises AlreadyMember, AlreadyInvited."""
    user = find_user(session, email)
    present = user and session.scalar(
        select(Membership.id).where(
            Membership.workspace_id == workspace_id, Membership.user_id == user.id, Membership.status == "active"
        )
    )
    if present:
        raise AlreadyMember(f"{email} is a member of this workspace already.")
    if session.scalar(
        select(Membership.id).where(
            Membership.workspace_id == workspace_id,
            Membership.invited_email == email,
            Membership.status == "invited",
        )
    ):
        raise AlreadyInvited(f"{email} is invited already.")


def send(session: Session, platform: Platform, viewer: Viewer, member: Membership, *, assign_license: bool) -> None:
    """A new link, by mail. An older link of this invitation is dead from now on."""
    secret = to_base64url(platform.effects.random_bytes(32))
    session.execute(delete(Invitation).where(Invitation.membership_id == member.id))
    expires_at = platform.later(days=DAYS)
    session.add(
        Invitation(
            membership_id=member.id,
            hash=hash_of(platform, secret),
            assign_license=assign_license,
            sent_at=platform.now(),
            expires_at=expires_at,
        )
    )
    session.flush()
    workspace = session.get_one(Workspace, member.workspace_id)
    send_letter(
        session,
        platform,
        "invitation",
        str(member.invited_email),
        name=member.invited_name or "",
        inviter=viewer.name or viewer.email,
        workspace=workspace.name,
        role=ROLE_WORDS[member.role],
        link=f"{platform.settings.base_url}/invite/{secret}",
        expires=expires_at,
    )


def resend(session: Session, platform: Platform, viewer: Viewer, member_id: str) -> None:
    """Raises Forbidden, NotFound."""
    lock_for(session, viewer, "member.invite")
    member, invitation = find_invited(session, viewer.workspace_id, member_id)
    send(session, platform, viewer, member, assign_license=invitation.assign_license)
    record(
        session,
        platform,
        viewer.workspace_id,
        actor=viewer.actor,
        action="member.invitation_resent",
        target=member.id,
        data={"email": member.invited_email},
    )


def cancel_invitation(session: Session, platform: Platform, viewer: Viewer, member_id: str) -> None:
    """The link is dead, and nobody is invited any more. Raises Forbidden, NotFound."""
    lock_for(session, viewer, "member.invite")
    member, invitation = find_invited(session, viewer.workspace_id, member_id)
    session.delete(invitation)
    session.flush()
    session.delete(member)
    session.flush()
    record(
        session,
        platform,
        viewer.workspace_id,
        actor=viewer.actor,
        action="member.invitation_canceled",
        target=member_id,
        data={"email": member.invited_email},
    )


def find_invited(session: Session, workspace_id: str, member_id: str) -> tuple[Membership, Invitation]:
    """Raises NotFound, for another workspace's invitation too."""
    row = session.execute(
        select(Membership, Invitation)
        .join(Invitation, Invitation.membership_id == Membership.id)
        .where(Membership.id == member_id, Membership.workspace_id == workspace_id, Membership.status == "invited")
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound("This workspace has no such invitation.")
    return row[0], row[1]


def hash_of(platform: Platform, secret: str) -> str:
    return platform.vault.lookup_hash("link:invite", secret)


def find_invitation(session: Session, platform: Platform, secret: str) -> tuple[Invitation, Membership, Workspace]:
    """Of a link, used or not. Raises InvitationOver, InvitationExpired."""
    row = session.execute(
        select(Invitation, Membership, Workspace)
        .join(Membership, Membership.id == Invitation.membership_id)
        .join(Workspace, Workspace.id == Membership.workspace_id)
        .where(Invitation.hash == hash_of(platform, secret), Workspace.deleted_at.is_(None))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None or row[1].status == "removed":
        raise InvitationOver
    invitation, member, workspace = row
    if invitation.used_at is None and invitation.expires_at <= platform.now():
        raise InvitationExpired
    return invitation, member, workspace


def look(session: Session, platform: Platform, secret: str) -> InvitationView:
    """Looking does not use it up: mail scanners look too. Raises InvitationOver, InvitationExpired."""
    invitation, member, workspace = find_invitation(session, platform, secret)
    if invitation.used_at is not None:
        raise InvitationOver
    inviter = session.get(User, member.invited_by) if member.invited_by else None
    email = str(member.invited_email)
    return InvitationView(
        workspace=workspace.name,
        inviter=(inviter.name or inviter.email) if inviter else "An admin",
        email=email,
        name=member.invited_name or "",
        role=ROLE_WORDS[member.role],
        expires_at=invitation.expires_at,
        has_account=find_user(session, email) is not None,
    )


def accept(session: Session, platform: Platform, secret: str, user_id: str) -> Joined:
    """The signed-in user joins. A second time changes nothing.

    Raises InvitationOver, InvitationExpired, WrongInvitee.
    """
    user = session.get_one(User, user_id)
    invitation, member, workspace = find_invitation(session, platform, secret)
    if user.email.lower() != member.invited_email:
        raise WrongInvitee(f"It was sent to {member.invited_email}, and you are signed in as {user.email}.")
    lock_seats(session, workspace.id)
    invitation, member, workspace = find_invitation(session, platform, secret)
    if invitation.used_at is not None:
        if member.user_id != user.id or member.status != "active":
            raise InvitationOver
        return Joined(membership=member, user=user)
    return join(session, platform, invitation, member, user)


def join_as_new(session: Session, platform: Platform, secret: str, form: JoinForm) -> Joined:
    """Somebody without an account gets one, with the address that the link proves, and joins.

    Raises InvitationOver, InvitationExpired, SignInFirst, SignUpClosed, InvalidForm, WeakPassword.
    """
    if platform.settings.signup == "closed":
        raise SignUpClosed(hint="Ask its operator for an account.")
    _, member, workspace = find_invitation(session, platform, secret)
    name = checked_name(form.name)
    email = str(member.invited_email)
    password = checked_password(form.password, email, name)
    lock_seats(session, workspace.id)
    invitation, member, _ = find_invitation(session, platform, secret)
    if invitation.used_at is not None:
        raise InvitationOver
    if find_user(session, email) is not None:
        raise SignInFirst
    try:
        with session.begin_nested():
            user = create_user(session, platform, email, name=name, password=password)
    except IntegrityError as error:  # they signed up elsewhere at this moment
        raise SignInFirst from error
    return join(session, platform, invitation, member, user)


def join(session: Session, platform: Platform, invitation: Invitation, member: Membership, user: User) -> Joined:
    """The workspace is locked, so it happens once."""
    now = platform.now()
    user.email_verified_at = user.email_verified_at or now
    present = session.scalar(
        select(Membership).where(
            Membership.workspace_id == member.workspace_id,
            Membership.user_id == user.id,
            Membership.status == "active",
        )
    )
    if present is not None:  # came in another way meanwhile
        session.delete(invitation)
        session.flush()
        session.delete(member)
        session.flush()
        return Joined(membership=present, user=user)
    inviter = living_inviter(session, member)
    asked_role, member.role = member.role, given_role(inviter, member.role)
    invitation.used_at = now
    member.status, member.user_id, member.joined_at = "active", user.id, now
    if member.invited_name and not user.name:
        user.name = member.invited_name
    session.flush()
    record(
        session,
        platform,
        member.workspace_id,
        actor="user:" + user.id,
        action="member.joined",
        target=member.id,
        data={"role": member.role} | ({"role_asked": asked_role} if asked_role != member.role else {}),
    )
    given = give_license(session, platform, invitation, member, inviter) if invitation.assign_license else ""
    return Joined(membership=member, user=user, license=given)


def living_inviter(session: Session, member: Membership) -> Membership | None:
    """Who invited them, as they are now; None when they are no member any more, or their account is disabled."""
    return session.scalar(
        select(Membership)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.workspace_id == member.workspace_id,
            Membership.user_id == member.invited_by,
            Membership.status == "active",
            User.disabled_at.is_(None),
        )
        .execution_options(populate_existing=True)
    )


def given_role(inviter: Membership | None, role: str) -> str:
    """What the inviter may still give: an invitation outlives no right of its author. Else what everybody begins with."""
    return role if inviter is not None and may_grant(inviter, role) else "member"


def give_license(
    session: Session, platform: Platform, invitation: Invitation, member: Membership, inviter: Membership | None
) -> str:
    """They have joined in any case; whether there was a license for them is told."""
    if inviter is None or not is_allowed(inviter, "license.assign"):
        return "not_given"
    try:
        assign(session, platform, member.workspace_id, member.id, actor=f"user:{member.invited_by}")
    except (SeatsExhausted, NoSubscription):
        return "none_free"
    return "assigned"
