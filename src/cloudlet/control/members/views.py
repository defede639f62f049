"""How members and seats look on pages."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.credentials.views import MachineView, living_ids, machines_of
from cloudlet.control.errors import NotFound
from cloudlet.control.licenses.tables import License, Plan, Subscription
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
    """A row of the list. `plan` is that of the license they hold, None without one."""

    id: str
    name: str
    email: str
    role: str
    has_switches: bool
    allowed: frozenset[str]
    is_removed: bool
    joined_at: datetime | None
    plan: str | None
    last_used_at: datetime | None


class SeatsView(msgspec.Struct, frozen=True, kw_only=True):
    """The licenses of one subscription."""

    plan: str
    total: int
    used: int
    ends: datetime
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
        conditions.append(Membership.status == "active")
    if search:
        text = search.lower()
        conditions.append(
            or_(
                func.lower(User.name).contains(text, autoescape=True),
                func.lower(User.email).contains(text, autoescape=True),
            )
        )
    counted = select(func.count(Membership.id)).join(User, User.id == Membership.user_id).where(*conditions)
    found = session.scalar(counted) or 0
    pages = max(1, -(-found // PAGE_SIZE))
    number = min(max(1, number), pages)
    return MemberList(
        members=rows_of(session, *conditions, offset=(number - 1) * PAGE_SIZE), found=found, number=number, pages=pages
    )


def member_view(session: Session, workspace_id: str, member_id: str) -> MemberView:
    """Raises NotFound."""
    rows = rows_of(
        session,
        Membership.workspace_id == workspace_id,
        Membership.id == member_id,
        Membership.status == "active",
    )
    if not rows:
        raise NotFound("This workspace has no such member.")
    return rows[0]


def rows_of(session: Session, *conditions: ColumnElement[bool], offset: int = 0) -> tuple[MemberView, ...]:
    rows = session.execute(
        select(Membership, User.name, User.email, Plan.display, Credential.last_used_at)
        .join(User, User.id == Membership.user_id)
        .outerjoin(License, License.assigned_membership_id == Membership.id)
        .outerjoin(Subscription, Subscription.id == License.subscription_id)
        .outerjoin(Plan, Plan.id == Subscription.plan_id)
        .outerjoin(
            Credential,
            and_(Credential.membership_id == Membership.id, Credential.kind == "auth", Credential.revoked_at.is_(None)),
        )
        .where(*conditions)
        .order_by(Membership.status, func.lower(func.coalesce(func.nullif(User.name, ""), User.email)), Membership.id)
        .offset(offset)
        .limit(PAGE_SIZE)
    ).all()
    return tuple(
        MemberView(
            id=member.id,
            name=name,
            email=email,
            role=member.role,
            has_switches=member.permissions is not None,
            allowed=effective(member),
            is_removed=member.status == "removed",
            joined_at=member.joined_at,
            plan=plan,
            last_used_at=last_used_at,
        )
        for member, name, email, plan, last_used_at in rows
    )


def seats_views(session: Session, platform: Platform, workspace_id: str) -> tuple[SeatsView, ...]:
    """The workspace's subscriptions, the one that lasts longest first."""
    rows = session.execute(
        select(
            Plan.display,
            func.count(License.id),
            func.count(License.assigned_membership_id),
            Subscription.current_period_end,
        )
        .join(Subscription, Subscription.plan_id == Plan.id)
        .join(License, License.subscription_id == Subscription.id)
        .where(Subscription.workspace_id == workspace_id)
        .group_by(Subscription.id, Plan.display, Subscription.current_period_end)
        .order_by(Subscription.current_period_end.desc())
    ).all()
    return tuple(
        SeatsView(plan=plan, total=total, used=used, ends=ends, is_over=ends <= platform.now())
        for plan, total, used, ends in rows
    )


def machines_that_stop(session: Session, member_id: str) -> tuple[MachineView, ...]:
    """What stops at its next start when this member loses license or membership."""
    return machines_of(session, living_ids(session, member_id))
