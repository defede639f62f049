"""What a token opens: its member's license, or, for a CI key, the workspace's subscription."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.activations.errors import LicenseVerdict
from cloudlet.control.activations.forms import LicenseForm
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.licenses.periods import paid_until
from cloudlet.control.licenses.service import license_of
from cloudlet.control.licenses.tables import License, Plan, Subscription
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.service import admin_names, memberships_of
from cloudlet.control.workspaces.tables import Membership, Workspace
from cloudlet.license.verify import covers

PRODUCTS = frozenset({"cloudlet", "localstack-pro", "localstack"})
RUNNING = frozenset({"trialing", "active"})


class Holder(msgspec.Struct, frozen=True):
    """Whose token it is; a CI key has no member."""

    credential: Credential
    workspace: Workspace
    membership: Membership | None
    user: User | None

    @property
    def subject(self) -> str:
        """Whom the license names: `mem_…`, or `cik_…`."""
        return self.membership.id if self.membership else self.credential.id


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A license that may be issued. `license_id` names it; `license` is the seat, None for a CI key's."""

    license_id: str
    license: License | None
    subscription: Subscription
    plan: Plan
    expires_at: datetime


def find_grant(session: Session, platform: Platform, form: LicenseForm, holder: Holder) -> Grant:
    """In force now, and the one that the request names where it names one. Raises LicenseVerdict."""
    if holder.membership is None:
        grant = workspace_grant(session, platform, holder)
    else:
        grant = member_grant(session, platform, holder, holder.membership)
    check_in_force(platform, grant, holder)
    check_license_id(session, platform, form, grant, holder)
    return grant


def member_grant(session: Session, platform: Platform, holder: Holder, membership: Membership) -> Grant:
    holding = license_of(session, membership.id)
    if holding is None and holder.credential.kind == "legacy_api":
        return workspace_grant(session, platform, holder)  # the key itself takes a seat
    if holding is None:
        raise LicenseVerdict(
            "licensing.license.not_assigned",
            user=holder.user.email if holder.user else "",
            ws=holder.workspace.name,
            ws2=other_workspace_with_license(session, holder),
            admins=", ".join(admin_names(session, holder.workspace.id)),
            web=platform.settings.base_url,
        )
    return Grant(
        license_id=holding.license.id,
        license=holding.license,
        subscription=holding.subscription,
        plan=holding.plan,
        expires_at=holding.valid_until,
    )


def workspace_grant(session: Session, platform: Platform, holder: Holder) -> Grant:
    """What all CI keys of the workspace share, and legacy keys without a license; it is called by its subscription's id."""
    found = subscription_of(session, platform, holder.workspace.id)
    if found is None:
        raise LicenseVerdict(
            "licensing.license.not_assigned", ci_ws=holder.workspace.name, web=platform.settings.base_url
        )
    subscription, plan = found
    return Grant(
        license_id=subscription.id,
        license=None,
        subscription=subscription,
        plan=plan,
        expires_at=paid_until(subscription),
    )


def subscription_of(session: Session, platform: Platform, workspace_id: str) -> tuple[Subscription, Plan] | None:
    """The workspace's subscription: of several the one in force that lasts longest, or else the one that ended last."""
    rows = session.execute(
        select(Subscription, Plan)
        .join(Plan, Plan.id == Subscription.plan_id)
        .where(Subscription.workspace_id == workspace_id, Subscription.starts_at <= platform.now())
        .order_by(Subscription.current_period_end.desc(), Subscription.id.desc())
    ).all()
    now = platform.now()
    running = [row for row in rows if row[0].status in RUNNING and paid_until(row[0]) > now]
    best = next(iter(running or rows), None)
    return (best[0], best[1]) if best else None


def check_in_force(platform: Platform, grant: Grant, holder: Holder) -> None:
    """Not over, not suspended. Raises LicenseVerdict."""
    web = platform.settings.base_url
    status = grant.license.status if grant.license else "ACTIVE"
    if grant.expires_at <= platform.now() or "EXPIRED" in {status, grant.subscription.status.upper()}:
        raise LicenseVerdict(
            "licensing.license.expired",
            ws=holder.workspace.name,
            date=shown(grant.expires_at),
            days=str(platform.settings.trial_days) if grant.plan.code == "trial" else "",
            web=web,
        )
    if status != "ACTIVE" or grant.subscription.status not in RUNNING:
        why = grant.subscription.status.replace("_", " ") if status == "ACTIVE" else "by an admin"
        raise LicenseVerdict("licensing.license.suspended", why=why, web=web)


def check_license_id(session: Session, platform: Platform, form: LicenseForm, grant: Grant, holder: Holder) -> None:
    """A client that holds an older license of the same workspace gets the current one. Raises LicenseVerdict."""
    if not form.license_id or form.license_id == grant.license_id:
        return
    for table in (License, Subscription):
        if session.scalar(
            select(table.id).where(table.id == form.license_id, table.workspace_id == holder.workspace.id)
        ):
            return
    raise LicenseVerdict("licensing.license.not_found", web=platform.settings.base_url)


def other_workspace_with_license(session: Session, holder: Holder) -> str:
    if holder.user is None:
        return ""
    for membership, workspace in memberships_of(session, holder.user.id):
        if workspace.id != holder.workspace.id and license_of(session, membership.id):
            return workspace.name
    return ""


def check_product(form: LicenseForm, grant: Grant) -> None:
    if form.product not in PRODUCTS:
        raise LicenseVerdict("licensing.product.unknown", product=form.product, range=", ".join(sorted(PRODUCTS)))
    if not covers(grant.plan.versions, form.version):
        raise LicenseVerdict("licensing.product.version", v=form.version, range=grant.plan.versions)


def shown(moment: datetime) -> str:
    """For sentences."""
    return moment.strftime("%Y-%m-%d")
