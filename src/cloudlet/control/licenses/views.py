"""How licenses look on pages."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from cloudlet.control.licenses.service import license_of
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import admin_names, memberships_of

SOON_DAYS = 7


class LicenseView(msgspec.Struct, frozen=True, kw_only=True):
    """The viewer's license. `state`: active, ending (within a week), expired or suspended."""

    license_id: str
    plan: str
    plan_code: str
    state: str
    assigned_at: datetime | None
    expires_at: datetime
    days_left: int
    days_total: int
    features: tuple[str, ...]
    offline_hours: int


class NoLicenseView(msgspec.Struct, frozen=True):
    """Why there is none, and who can help. `elsewhere`: workspaces in which the viewer does hold one."""

    admins: tuple[str, ...]
    elsewhere: tuple[str, ...]


def license_view(session: Session, platform: Platform, viewer: Viewer) -> LicenseView | NoLicenseView:
    holding = license_of(session, viewer.membership_id)
    if holding is None:
        elsewhere = tuple(
            workspace.name
            for member, workspace in memberships_of(session, viewer.user_id)
            if license_of(session, member.id)
        )
        return NoLicenseView(tuple(admin_names(session, viewer.workspace_id)), elsewhere)
    expires = min(holding.license.expires_at, holding.subscription.current_period_end)
    left = expires - platform.now()
    state = "ending" if left.days < SOON_DAYS else "active"
    if left.total_seconds() <= 0 or holding.license.status == "EXPIRED":
        state = "expired"
    elif holding.license.status != "ACTIVE" or holding.subscription.status in {"past_due", "canceled"}:
        state = "suspended"
    return LicenseView(
        license_id=holding.license.id,
        plan=holding.plan.display,
        plan_code=holding.plan.code,
        state=state,
        assigned_at=holding.license.assigned_at,
        expires_at=expires,
        days_left=max(0, whole_days(left)),
        days_total=max(1, whole_days(expires - holding.subscription.current_period_start)),
        features=tuple(feature(name, limit) for name, limit in sorted(holding.plan.entitlements.items())),
        offline_hours=holding.plan.offline_window_h,
    )


def whole_days(span: timedelta) -> int:
    """A begun day counts."""
    return -(-int(span.total_seconds()) // 86400)


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
