"""Members of a workspace and their licenses."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.api.operation import Body, Call, Page, PageQuery, etag_of, operation, page_of, read_cursor
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.errors import InvalidForm, NotFound
from cloudlet.control.licenses.errors import NoSubscription, SeatsExhausted
from cloudlet.control.licenses.service import license_of, seats_of
from cloudlet.control.licenses.tables import License, Plan, Subscription
from cloudlet.control.members import service
from cloudlet.control.members.errors import CannotGrant, LastAdmin
from cloudlet.control.members.forms import MemberForm
from cloudlet.control.permissions import PERMISSIONS, ROLES, SIGNED_IN, effective
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.tables import Membership

Role = Literal["admin", "member", "billing", "auditor"]
Status = Literal["active", "invited", "removed", "all"]
MEMBERS = "/workspaces/{workspace_id}/members"
MEMBER = MEMBERS + "/{member_id}"


class HeldLicense(msgspec.Struct, frozen=True, kw_only=True):
    """The license that a member holds."""

    id: str
    status: str
    plan: str
    expires_at: datetime
    assigned_at: datetime | None


class Seats(msgspec.Struct, frozen=True):
    """Licenses of the workspace."""

    total: int
    used: int
    free: int


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """`permissions`: the switches of Advanced Permissions, null without them; `allowed`: all that they may do."""

    id: str
    status: str
    name: str
    email: str
    role: str
    permissions: dict[str, bool] | None
    allowed: tuple[str, ...]
    license: HeldLicense | None
    joined_at: datetime | None
    token_last_used_at: datetime | None


class MemberQuery(PageQuery, frozen=True, kw_only=True):
    """`q`: a part of name or address."""

    q: str = ""
    status: Status = "active"


class MemberChange(Body, frozen=True, kw_only=True):
    """What is left out stays. Switches that `permissions` leaves out follow the role; null takes all of them away."""

    role: Role | msgspec.UnsetType = msgspec.UNSET
    permissions: dict[str, bool] | msgspec.UnsetType | None = msgspec.UNSET


class Assignment(msgspec.Struct, frozen=True):
    """A member's license, null when it was taken away, and what is left."""

    license: HeldLicense | None
    seats: Seats


@operation("GET", MEMBERS, SIGNED_IN)
def list_members(call: Call, query: MemberQuery) -> Page[Member]:
    """Members, the one who came first first."""
    statement = members_of(call.viewer.workspace_id)
    if query.status != "all":
        statement = statement.where(Membership.status == query.status)
    if query.q.strip():
        text = query.q.strip().lower()[:100]
        columns = (User.name, User.email, Membership.invited_name, Membership.invited_email)
        statement = statement.where(or_(*(func.lower(column).contains(text, autoescape=True) for column in columns)))
    last = read_cursor("members", query.cursor)
    if last is not None:
        statement = statement.where(Membership.id > last)
    rows = list(call.session.execute(statement.order_by(Membership.id).limit(query.limit + 1)).all())
    return page_of("members", rows, query.limit, shape, lambda row: row[0].id)


@operation("GET", MEMBER, SIGNED_IN)
def get_member(call: Call, member_id: str) -> Member:
    """One member; the ETag is what PATCH wants as If-Match."""
    found = find(call.session, call.viewer, member_id)
    call.tell_version(version_of(found))
    return found


@operation("PATCH", MEMBER, "member.role", match="needed", refuses=(LastAdmin, CannotGrant))
def change_member(call: Call, member_id: str, body: MemberChange) -> Member:
    """Change role or switches.

    In force from now on. Nobody gives a permission that they do not have, a token none that is not in its scopes.
    """
    service.lock_for(call.session, call.viewer, "member.role")
    before = find(call.session, call.viewer, member_id)
    call.match(version_of(before), is_needed=True)
    form = form_of(before, body)
    check_token_grants(call.viewer, before, form)
    service.save_member(call.session, call.platform, call.viewer, member_id, form)
    after = find(call.session, call.viewer, member_id)
    call.tell_version(version_of(after))
    return after


@operation("DELETE", MEMBER, "member.remove", match="optional", refuses=(LastAdmin, CannotGrant))
def remove_member(call: Call, member_id: str) -> None:
    """Remove a member: their license is free and their tokens are dead at once."""
    service.lock_for(call.session, call.viewer, "member.remove")
    call.match(version_of(find(call.session, call.viewer, member_id)))
    service.remove_member(call.session, call.platform, call.viewer, member_id)


@operation("PUT", MEMBER + "/license", "license.assign", match="optional", refuses=(SeatsExhausted, NoSubscription))
def assign_license(call: Call, member_id: str) -> Assignment:
    """Give a member a free license. Who has one keeps it."""
    service.lock_for(call.session, call.viewer, "license.assign")
    call.match(version_of(find(call.session, call.viewer, member_id)))
    if license_of(call.session, member_id) is None:
        service.assign_license(call.session, call.platform, call.viewer, member_id)
    return assignment(call, member_id)


@operation("DELETE", MEMBER + "/license", "license.assign", match="optional")
def unassign_license(call: Call, member_id: str) -> Assignment:
    """Take a member's license away. Their emulators are refused at their next contact."""
    service.lock_for(call.session, call.viewer, "license.assign")
    call.match(version_of(find(call.session, call.viewer, member_id)))
    service.unassign_license(call.session, call.platform, call.viewer, member_id)
    return assignment(call, member_id)


def members_of(workspace_id: str) -> Select[Membership, User, License, str, datetime | None]:
    """Each member with what is shown beside them."""
    return (
        select(Membership, User, License, Plan.code, Credential.last_used_at)
        .outerjoin(User, User.id == Membership.user_id)
        .outerjoin(License, License.assigned_membership_id == Membership.id)
        .outerjoin(Subscription, Subscription.id == License.subscription_id)
        .outerjoin(Plan, Plan.id == Subscription.plan_id)
        .outerjoin(
            Credential,
            and_(Credential.membership_id == Membership.id, Credential.kind == "auth", Credential.revoked_at.is_(None)),
        )
        .where(Membership.workspace_id == workspace_id)
        .execution_options(populate_existing=True)
    )


def find(session: Session, viewer: Viewer, member_id: str) -> Member:
    """Active or invited. Raises NotFound."""
    row = session.execute(
        members_of(viewer.workspace_id).where(Membership.id == member_id, Membership.status != "removed")
    ).one_or_none()
    if row is None:
        raise NotFound("This workspace has no such member.")
    return shape(row)


def version_of(member: Member) -> str:
    """An activation meanwhile does not make it another version."""
    return etag_of(msgspec.structs.replace(member, token_last_used_at=None))


def shape(row: Any) -> Member:
    member, user, held, plan, used = row
    return Member(
        id=member.id,
        status=member.status,
        name=(user.name if user else "") or member.invited_name or "",
        email=(user.email if user else member.invited_email) or "",
        role=member.role,
        permissions=member.permissions,
        allowed=tuple(sorted(effective(member))),
        license=license_shape(held, plan) if held else None,
        joined_at=member.joined_at,
        token_last_used_at=used,
    )


def license_shape(held: License, plan: str) -> HeldLicense:
    return HeldLicense(
        id=held.id, status=held.status, plan=plan, expires_at=held.expires_at, assigned_at=held.assigned_at
    )


def form_of(before: Member, body: MemberChange) -> MemberForm:
    """The whole new state. Raises InvalidForm."""
    role = before.role if body.role is msgspec.UNSET else body.role
    switches = before.permissions if body.permissions is msgspec.UNSET else body.permissions
    if role == "admin":
        if body.permissions is not msgspec.UNSET and body.permissions:
            raise InvalidForm("An admin may do everything, so they have no switches.")
        return MemberForm(role, None)
    if switches is None:
        return MemberForm(role, None)
    unknown = sorted(set(switches) - PERMISSIONS)
    if unknown:
        raise InvalidForm(f"There is no permission “{unknown[0]}”.")
    return MemberForm(role, {key: switches.get(key, key in ROLES[role]) for key in sorted(PERMISSIONS)})


def check_token_grants(viewer: Viewer, before: Member, form: MemberForm) -> None:
    """A token gives no more than its scopes, whatever its owner may. Raises CannotGrant."""
    switches = form.permissions
    wanted = ROLES[form.role] if switches is None else frozenset(key for key, is_on in switches.items() if is_on)
    if viewer.credential_id and not wanted - frozenset(before.allowed) <= effective(viewer):
        raise CannotGrant


def assignment(call: Call, member_id: str) -> Assignment:
    seats = seats_of(call.session, call.viewer.workspace_id)
    return Assignment(
        license=find(call.session, call.viewer, member_id).license,
        seats=Seats(total=seats.total, used=seats.used, free=seats.free),
    )


OPERATIONS = (
    list_members,
    get_member,
    change_member,
    remove_member,
    assign_license,
    unassign_license,
)
