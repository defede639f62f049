"""How license files look on their page."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.licenses.service import Holding
from cloudlet.control.licenses.tables import License, Plan, Subscription
from cloudlet.control.offline.service import days_until, latest_end
from cloudlet.control.offline.tables import OfflineFile
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.tables import Membership

PAGE_SIZE = 50


class FileView(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: living, ended or revoked; `is_loose`: the license went to somebody else, the file works on."""

    id: str
    name: str
    owner: str
    plan: str
    machines: tuple[str, ...]
    system: str
    is_bound: bool
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    downloads: int
    downloaded_at: datetime | None
    revoked_at: datetime | None
    state: str
    is_loose: bool


class FileList(msgspec.Struct, frozen=True):
    """`older` is the cursor of the next page, "" on the last one."""

    files: tuple[FileView, ...]
    older: str


class ChoiceView(msgspec.Struct, frozen=True):
    """A member whose license a file can be issued for, and for how many days."""

    membership_id: str
    name: str
    plan: str
    days: int
    until: datetime


def list_files(session: Session, platform: Platform, workspace_id: str, *, before: str = "") -> FileList:
    """Newest first: ids sort by time."""
    issuer, owner = User.__table__.alias("issuer"), User.__table__.alias("owner")
    query = (
        select(
            OfflineFile,
            owner.c.name.label("owner_name"),
            owner.c.email.label("owner_email"),
            issuer.c.name.label("issuer_name"),
            issuer.c.email.label("issuer_email"),
            License.assigned_membership_id,
            License.revoke_epoch,
            Plan.display,
        )
        .join(License, License.id == OfflineFile.license_id)
        .join(Subscription, Subscription.id == License.subscription_id)
        .join(Plan, Plan.id == Subscription.plan_id)
        .outerjoin(Membership, Membership.id == OfflineFile.membership_id)
        .outerjoin(owner, owner.c.id == Membership.user_id)
        .outerjoin(issuer, issuer.c.id == OfflineFile.issued_by)
        .where(OfflineFile.workspace_id == workspace_id)
    )
    if before:
        query = query.where(OfflineFile.id < before)
    rows = session.execute(query.order_by(OfflineFile.id.desc()).limit(PAGE_SIZE + 1)).all()
    now = platform.now()
    found = []
    for row in rows[:PAGE_SIZE]:
        file: OfflineFile = row[0]
        is_over = file.expires_at <= now
        was_moved = row.assigned_membership_id != file.membership_id or file.claims["ep"] < row.revoke_epoch
        found.append(
            FileView(
                id=file.id,
                name=file.name,
                owner=row.owner_name or row.owner_email or "a former member",
                plan=row.display,
                machines=tuple(file.machine_ids),
                system=file.system,
                is_bound=file.claims["cnf"] is not None,
                issued_by=row.issuer_name or row.issuer_email or "a former member",
                issued_at=file.issued_at,
                expires_at=file.expires_at,
                downloads=file.downloads,
                downloaded_at=file.downloaded_at,
                revoked_at=file.revoked_at,
                state="revoked" if file.revoked_at else "ended" if is_over else "living",
                is_loose=not is_over and file.revoked_at is None and was_moved,
            )
        )
    return FileList(tuple(found), found[-1].id if len(rows) > PAGE_SIZE else "")


def choices_of(session: Session, platform: Platform, workspace_id: str) -> tuple[ChoiceView, ...]:
    """Members with a license in force whose plan has license files, by name."""
    rows = session.execute(
        select(Membership.id, User.name, User.email, License, Subscription, Plan)
        .join(User, User.id == Membership.user_id)
        .join(License, License.assigned_membership_id == Membership.id)
        .join(Subscription, Subscription.id == License.subscription_id)
        .join(Plan, Plan.id == Subscription.plan_id)
        .where(Membership.workspace_id == workspace_id, Membership.status == "active")
        .limit(500)
    ).all()
    now = platform.now()
    found = []
    for membership_id, name, email, license_row, subscription, plan in rows:
        holding = Holding(license_row, subscription, plan)
        latest = latest_end(holding, now)
        if holding.is_good(now) and latest > now:
            found.append(ChoiceView(membership_id, name or email, plan.display, days_until(latest, now), latest))
    return tuple(sorted(found, key=lambda choice: choice.name.lower()))
