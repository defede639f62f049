"""Seats: how many there are, who sits on them.

A member takes one seat for a license, for a legacy API key, or for both. What gives or takes seats locks the workspace's
row first (`lock_seats`), so that no two do it at the same time.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.licenses.errors import NoSubscription, SeatsExhausted
from cloudlet.control.licenses.tables import License, Subscription
from cloudlet.control.workspaces.service import lock_workspace
from cloudlet.control.workspaces.tables import Membership


class Seats(msgspec.Struct, frozen=True):
    """Licenses of a workspace."""

    total: int
    used: int

    @property
    def free(self) -> int:
        return max(0, self.total - self.used)


def lock_seats(session: Session, workspace_id: str) -> None:
    lock_workspace(session, workspace_id)


def seated_members(session: Session, workspace_id: str) -> frozenset[str]:
    """Memberships that take a seat: holders of a license that is good, and of legacy API keys."""
    holders = select(License.assigned_membership_id).where(
        License.workspace_id == workspace_id, License.status == "ACTIVE", License.assigned_membership_id.is_not(None)
    )
    return frozenset(row for row in session.scalars(holders) if row) | key_holders(session, workspace_id)


def key_holders(session: Session, workspace_id: str) -> frozenset[str]:
    """Memberships with a living legacy API key."""
    keys = select(Credential.membership_id).where(
        Credential.workspace_id == workspace_id,
        Credential.kind == "legacy_api",
        Credential.revoked_at.is_(None),
        Credential.membership_id.is_not(None),
    )
    return frozenset(row for row in session.scalars(keys) if row)


def seats_of(session: Session, workspace_id: str) -> Seats:
    total = session.scalar(
        select(func.count(License.id)).where(License.workspace_id == workspace_id, License.status == "ACTIVE")
    )
    return Seats(total or 0, len(seated_members(session, workspace_id)))


def require_seat(session: Session, workspace_id: str, membership_id: str) -> None:
    """May this member have a license or a legacy key? The seats must be locked. Raises SeatsExhausted, NoSubscription."""
    seats = seats_of(session, workspace_id)
    if seats.free or (seats.total and membership_id in seated_members(session, workspace_id)):
        return
    if seats.total:
        raise SeatsExhausted(f"All {seats.total} licenses are assigned.")
    ended = session.scalar(select(Subscription.id).where(Subscription.workspace_id == workspace_id).limit(1))
    raise (
        NoSubscription("The subscription of this workspace has ended.", hint="Choose a plan.")
        if ended
        else (NoSubscription)
    )


def names_of(session: Session, membership_ids: frozenset[str]) -> list[str]:
    """Names or addresses, sorted."""
    rows = session.execute(
        select(User.name, User.email)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.id.in_(membership_ids))
    ).all()
    return sorted((name or email for name, email in rows), key=str.casefold)
