"""How members and seats look on pages."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.credentials.views import MachineView, living_ids, machines_of
from cloudlet.control.errors import NotFound
from cloudlet.control.licenses.periods import LIVING, paid_until, renews
from cloudlet.control.licenses.seats import seats_of
from cloudlet.control.licenses.tables import License, Plan, Subscription
from cloudlet.control.members.tables import Invitation
from cloudlet.control.permissions import effective
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.tables import Membership

PAGE_SIZE = 50
LABELS = (
    (
        "Licenses",
        (
            ("license.self_assign", "Allow member to issue a license for themselves (or a legacy API key)"),
            ("license.assign", "Assign and unassign licenses"),
            ("offline_file.issue", "Issue offline license files"),
            ("machine.manage", "Block machines, free their seats"),
            ("api_key.manage", "Manage legacy API keys"),
        ),
    ),
    (
        "Members",
        (
            ("member.invite", "Invite members"),
            ("member.remove", "Remove members"),
            ("member.role", "Change roles and permissions"),
        ),
    ),
    (
        "CI and usage",
        (
            ("ci_key.read", "See CI keys"),
            ("ci_key.manage", "Create, rename, rotate and delete CI keys"),
            ("usage.read", "See CI credits and everybody’s activations"),
            ("ci_project.manage", "Manage CI projects"),
        ),
    ),
    (
        "Subscription",
        (
            ("subscription.read", "See plan and seats"),
            ("subscription.manage", "Change plan, trial, seats and billing"),
        ),
    ),
    (
        "Cloud Pods",
        (
            ("pod.read", "Load and list Cloud Pods"),
            ("pod.write", "Save Cloud Pods"),
            ("pod.delete", "Delete Cloud Pods"),
            ("pod.publish", "Make Cloud Pods public"),
        ),
    ),
    (
        "Features",
        (
            ("instance.manage", "Manage ephemeral instances"),
            ("insight.read", "See Stack Insights"),
            ("extension.manage", "Manage extensions"),
        ),
    ),
    (
        "Administration",
        (
            ("audit.read", "See the audit log"),
            ("webhook.manage", "Manage webhooks"),
            ("sso.manage", "Manage single sign-on"),
            ("workspace.update", "Change the workspace"),
            ("workspace.delete", "Delete the workspace"),
        ),
    ),
)
ROLE_NAMES = (
    ("admin", "Admin", "may do everything"),
    ("member", "Member", "uses their license"),
    ("billing", "Billing", "plan and seats"),
    ("auditor", "Auditor", "reads usage and audit log"),
)


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the list. `plan` is that of the license they hold, None without one; `is_licensed`: it is good today.

    `invited_until` is there while an invitation is open; `gets_license`: when they join.
    """

    id: str
    name: str
    email: str
    role: str
    has_switches: bool
    allowed: frozenset[str]
    is_removed: bool
    is_invited: bool
    invited_until: datetime | None
    gets_license: bool
    joined_at: datetime | None
    plan: str | None
    is_licensed: bool
    last_used_at: datetime | None


class SeatsView(msgspec.Struct, frozen=True, kw_only=True):
    """The seats of one subscription; legacy API keys take them too."""

    plan: str
    total: int
    used: int
    ends: datetime
    renews: bool
    is_over: bool


class MemberList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of members; `found` counts those of all pages."""

    members: tuple[MemberView, ...]
    found: int
    number: int
    pages: int


def list_members(
    session: Session, workspace_id: str, *, search: str = "", with_removed: bool = False, number: int = 1
) -> MemberList:
    """Members whose name or address contains `search`, by name."""
    conditions: list[ColumnElement[bool]] = [Membership.workspace_id == workspace_id]
    if not with_removed:
        conditions.append(Membership.status != "removed")
    else:
        conditions.append(or_(Membership.status != "removed", Membership.user_id.not_in(present_users(workspace_id))))
    if search:
        text = search.lower()
        columns = (User.name, User.email, Membership.invited_name, Membership.invited_email)
        conditions.append(or_(*(func.lower(column).contains(text, autoescape=True) for column in columns)))
    counted = select(func.count(Membership.id)).outerjoin(User, User.id == Membership.user_id).where(*conditions)
    found = session.scalar(counted) or 0
    pages = max(1, -(-found // PAGE_SIZE))
    number = min(max(1, number), pages)
    return MemberList(
        members=rows_of(session, *conditions, offset=(number - 1) * PAGE_SIZE), found=found, number=number, pages=pages
    )


def present_users(workspace_id: str) -> Select[str | None]:
    """Who was removed and is here again is shown once."""
    return select(Membership.user_id).where(
        Membership.workspace_id == workspace_id, Membership.status == "active", Membership.user_id.is_not(None)
    )


def member_view(session: Session, workspace_id: str, member_id: str) -> MemberView:
    """Active or invited. Raises NotFound."""
    rows = rows_of(
        session,
        Membership.workspace_id == workspace_id,
        Membership.id == member_id,
        Membership.status != "removed",
    )
    if not rows:
        raise NotFound("This workspace has no such member.")
    return rows[0]


def rows_of(session: Session, *conditions: ColumnElement[bool], offset: int = 0) -> tuple[MemberView, ...]:
    shown_name = func.lower(func.coalesce(func.nullif(User.name, ""), User.email, Membership.invited_email))
    rows = session.execute(
        select(Membership, User.name, User.email, License.status, Plan.display, Credential.last_used_at, Invitation)
        .outerjoin(User, User.id == Membership.user_id)
        .outerjoin(License, License.assigned_membership_id == Membership.id)
        .outerjoin(Subscription, Subscription.id == License.subscription_id)
        .outerjoin(Plan, Plan.id == Subscription.plan_id)
        .outerjoin(
            Credential,
            and_(Credential.membership_id == Membership.id, Credential.kind == "auth", Credential.revoked_at.is_(None)),
        )
        .outerjoin(Invitation, and_(Invitation.membership_id == Membership.id, Invitation.used_at.is_(None)))
        .where(*conditions)
        .order_by(Membership.status, shown_name, Membership.id)
        .offset(offset)
        .limit(PAGE_SIZE)
    ).all()
    return tuple(row_view(*row) for row in rows)


def row_view(
    member: Membership,
    name: str | None,
    email: str | None,
    license_status: str | None,
    plan: str | None,
    last_used_at: datetime | None,
    invitation: Invitation | None,
) -> MemberView:
    return MemberView(
        id=member.id,
        name=(name if email else member.invited_name) or "",
        email=email or member.invited_email or "",
        role=member.role,
        has_switches=member.permissions is not None,
        allowed=effective(member),
        is_removed=member.status == "removed",
        is_invited=member.status == "invited",
        invited_until=invitation.expires_at if invitation else None,
        gets_license=bool(invitation and invitation.assign_license),
        joined_at=member.joined_at,
        plan=plan,
        is_licensed=license_status == "ACTIVE",
        last_used_at=last_used_at,
    )


def seats_views(session: Session, platform: Platform, workspace_id: str) -> tuple[SeatsView, ...]:
    """The workspace's subscriptions, the one that lasts longest first."""
    rows = session.execute(
        select(Subscription, Plan.display, func.count(License.assigned_membership_id))
        .join(Plan, Subscription.plan_id == Plan.id)
        .outerjoin(License, License.subscription_id == Subscription.id)
        .where(Subscription.workspace_id == workspace_id)
        .group_by(Subscription.id, Plan.display)
        .order_by(Subscription.current_period_end.desc())
    ).all()
    with_keys = seats_of(session, workspace_id).used
    return tuple(
        SeatsView(
            plan=plan,
            total=found.seats,
            used=with_keys if len(rows) == 1 and found.status in LIVING else used,
            ends=found.current_period_end,
            renews=renews(found),
            is_over=found.status not in LIVING or paid_until(found) <= platform.now(),
        )
        for found, plan, used in rows
    )


def machines_that_stop(session: Session, member_id: str) -> tuple[MachineView, ...]:
    """What stops at its next start when this member loses license or membership."""
    return machines_of(session, living_ids(session, member_id))
