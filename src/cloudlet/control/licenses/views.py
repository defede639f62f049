"""How licenses look on pages."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from cloudlet.control.licenses.periods import DAY_SECONDS, renews, whole_days
from cloudlet.control.licenses.seats import seats_of
from cloudlet.control.licenses.service import license_of
from cloudlet.control.licenses.subscription_views import offer_view
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.policies import offline_hours
from cloudlet.control.workspaces.service import admin_names, opened_memberships
from cloudlet.control.workspaces.tables import Workspace

SOON_DAYS = 7


class LicenseView(msgspec.Struct, frozen=True, kw_only=True):
    """The viewer's license. `state`: active, ending (within a week), expired or suspended.

    `renews`: it goes on at `expires_at`, the end of the period, by itself.
    """

    license_id: str
    plan: str
    plan_code: str
    state: str
    assigned_at: datetime | None
    expires_at: datetime
    renews: bool
    days_left: int
    days_total: int
    features: tuple[str, ...]
    offline_hours: int

    @property
    def is_good(self) -> bool:
        return self.state in {"active", "ending"}


class Elsewhere(msgspec.Struct, frozen=True):
    """Another workspace of the viewer, in which they hold a license that is good."""

    workspace_id: str
    name: str


class NoLicenseView(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is none, and who can help.

    `why`: no_subscription, ended, full (all seats are taken) or not_assigned. `is_good` is there for templates.
    """

    why: str
    free: int
    admins: tuple[str, ...]
    elsewhere: tuple[Elsewhere, ...]
    may_try: bool
    trial_days: int
    is_good: bool = False


def license_view(session: Session, platform: Platform, viewer: Viewer) -> LicenseView | NoLicenseView:
    holding = license_of(session, viewer.membership_id)
    if holding is None:
        return no_license_view(session, platform, viewer)
    now = platform.now()
    goes_on = renews(holding.subscription) and holding.valid_until > holding.subscription.current_period_end
    expires = min(holding.license.expires_at, holding.subscription.current_period_end)
    left = (holding.valid_until - now).total_seconds()
    state = "active" if goes_on or left >= SOON_DAYS * DAY_SECONDS else "ending"
    if left <= 0 or "EXPIRED" in {holding.license.status, holding.subscription.status.upper()}:
        state = "expired"
    elif not holding.is_good(now):
        state = "expired" if holding.subscription.status == "canceled" else "suspended"
    return LicenseView(
        license_id=holding.license.id,
        plan=holding.plan.display,
        plan_code=holding.plan.code,
        state=state,
        assigned_at=holding.license.assigned_at,
        expires_at=expires,
        renews=goes_on,
        days_left=whole_days((expires - now).total_seconds()),
        days_total=max(1, whole_days((expires - holding.subscription.current_period_start).total_seconds())),
        features=tuple(feature(name, limit) for name, limit in sorted(holding.plan.entitlements.items())),
        offline_hours=offline_hours(session.get_one(Workspace, viewer.workspace_id), holding.plan),
    )


def no_license_view(session: Session, platform: Platform, viewer: Viewer) -> NoLicenseView:
    offer = offer_view(session, platform, viewer.workspace_id)
    seats = seats_of(session, viewer.workspace_id)
    if offer.current is None:
        why = "no_subscription"
    elif offer.current.is_over:
        why = "ended"
    else:
        why = "not_assigned" if seats.free else "full"
    return NoLicenseView(
        why=why,
        free=seats.free,
        admins=tuple(admin_names(session, viewer.workspace_id)),
        elsewhere=licenses_elsewhere(session, platform, viewer),
        may_try=offer.may_try,
        trial_days=offer.trial_days,
    )


def licenses_elsewhere(session: Session, platform: Platform, viewer: Viewer) -> tuple[Elsewhere, ...]:
    now = platform.now()
    return tuple(
        Elsewhere(workspace.id, workspace.name)
        for member, workspace in opened_memberships(session, viewer.user_id, viewer.only_workspace_id)
        if workspace.id != viewer.workspace_id
        and (held := license_of(session, member.id)) is not None
        and held.is_good(now)
    )


def feature(name: str, limit: int | None) -> str:
    """An entitlement in words."""
    words = {
        "aws/*": "All AWS services",
        "aws/community": "Community AWS services",
        "platform/*": "All platform features",
        "platform/ci": "CI credits a month",
        "platform/pods": "Cloud Pods, MB",
    }.get(name, name.partition("/")[2])
    return words if limit is None else f"{limit:,} {words}"
