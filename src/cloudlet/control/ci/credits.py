"""CI credits: which period it is, how many it has, and that one run costs one, however often it starts.

    charge(…)     in the transaction of a license request that is going to be granted

Of several requests of one run at the same time, one inserts the charge; the others wait for it, and find it there.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cloudlet.control.audit.service import record
from cloudlet.control.ci.errors import QuotaExceeded
from cloudlet.control.ci.tables import CiCharge, CiPeriod
from cloudlet.control.fields import shortened
from cloudlet.control.licenses.periods import add_months
from cloudlet.control.licenses.tables import Plan, Subscription
from cloudlet.control.mail.service import queue_mail
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.service import admin_addresses
from cloudlet.control.workspaces.tables import Workspace

ENTITLEMENT = "platform/ci"
POLICIES = frozenset({"soft", "hard"})
LONGEST_KEY = 300
WARNINGS = (100, 80)  # percent of the quota, the higher one first


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Who started what: `key` is the same for every start of one run."""

    key: str
    project: str
    credential_id: str


class Span(msgspec.Struct, frozen=True):
    """A period, from and until."""

    start: datetime
    end: datetime


def run_key_of(*, run: str, project: str, machine_id: str, now: datetime, request_id: str) -> str:
    """What makes two starts the same run.

    Our emulators send the CI system's name of the run. Other clients say `ci` and no more: then all starts of one machine
    on one day (UTC) are one run. Who does not even name their machine is charged each time.
    """
    if run:
        return shortened(f"run:{project}:{run}", LONGEST_KEY)
    return f"machine:{machine_id}:{now:%Y-%m-%d}" if machine_id else f"request:{request_id}"


def policy_of(workspace: Workspace) -> str:
    """What happens when the credits are used up: `soft` counts on, `hard` refuses."""
    chosen = workspace.settings.get("ci_quota_policy")
    return chosen if chosen in POLICIES else "soft"


def quota_of(plan: Plan) -> int | None:
    """Credits in a period; None is no limit. A plan without CI has none."""
    if ENTITLEMENT in plan.entitlements:
        return plan.entitlements[ENTITLEMENT]
    return None if "platform/*" in plan.entitlements else 0


def span_of(subscription: Subscription, now: datetime) -> Span:
    """The month of the subscription that `now` is in: a year's subscription has its credits anew each month.

    It ends with the subscription, unless that is over and waits to be renewed.
    """
    anchor = subscription.current_period_start
    months = (now.year - anchor.year) * 12 + now.month - anchor.month
    if add_months(anchor, months) > now:
        months -= 1
    start = add_months(anchor, max(0, months))
    end = add_months(anchor, max(0, months) + 1)
    until = subscription.current_period_end
    return Span(start, min(end, until) if now < until else end)


def find_period(session: Session, workspace_id: str, start: datetime) -> CiPeriod | None:
    return session.scalar(select(CiPeriod).where(CiPeriod.workspace_id == workspace_id, CiPeriod.period_start == start))


def ensure_period(
    session: Session, platform: Platform, workspace_id: str, subscription: Subscription, plan: Plan
) -> CiPeriod:
    """The current period, with the quota that the plan has now."""
    span, quota = span_of(subscription, platform.now()), quota_of(plan)
    found = find_period(session, workspace_id, span.start)
    if found is None:
        try:
            with session.begin_nested():
                found = CiPeriod(
                    id=platform.new_id("cip"),
                    workspace_id=workspace_id,
                    period_start=span.start,
                    period_end=span.end,
                    quota=quota,
                )
                session.add(found)
            return found
        except IntegrityError:  # another start began the period
            found = find_period(session, workspace_id, span.start)
            assert found is not None
    if (found.quota, found.period_end) != (quota, span.end):
        found.quota, found.period_end = quota, span.end
        session.flush()
    return found


def charge(
    session: Session,
    platform: Platform,
    workspace: Workspace,
    subscription: Subscription,
    plan: Plan,
    run: Run,
) -> bool:
    """Take a credit for this run; False when it was charged before. Raises QuotaExceeded where the policy is hard."""
    if started_again(session, workspace.id, run.key):
        return False
    period = ensure_period(session, platform, workspace.id, subscription, plan)
    try:
        with session.begin_nested():
            add_charge(session, platform, workspace, period, run)
    except IntegrityError:  # another start of this run was charged meanwhile
        started_again(session, workspace.id, run.key)
        return False
    return True


def started_again(session: Session, workspace_id: str, run_key: str) -> bool:
    found = session.scalar(
        update(CiCharge)
        .where(CiCharge.workspace_id == workspace_id, CiCharge.run_key == run_key)
        .values(starts=CiCharge.starts + 1)
        .returning(CiCharge.id)
        .execution_options(synchronize_session=False)
    )
    return found is not None


def add_charge(session: Session, platform: Platform, workspace: Workspace, period: CiPeriod, run: Run) -> None:
    """The charge and the counter, both or none."""
    session.add(
        CiCharge(
            id=platform.new_id("cic"),
            workspace_id=workspace.id,
            period_id=period.id,
            credential_id=run.credential_id,
            run_key=run.key,
            project=run.project or None,
            at=platform.now(),
        )
    )
    session.flush()
    counted = update(CiPeriod).where(CiPeriod.id == period.id).values(used=CiPeriod.used + 1)
    if policy_of(workspace) == "hard" and period.quota is not None:
        counted = counted.where(CiPeriod.used < period.quota)
    used = session.scalar(counted.returning(CiPeriod.used).execution_options(synchronize_session=False))
    if used is None:
        assert period.quota is not None
        raise QuotaExceeded(used=period.quota, quota=period.quota, resets=period.period_end)
    warn(session, platform, workspace, period, used)


def warn(session: Session, platform: Platform, workspace: Workspace, period: CiPeriod, used: int) -> None:
    """Audit log and admins hear once that 80 %, and once that 100 % are used."""
    if period.quota is None:
        return
    reached = next((percent for percent in WARNINGS if used * 100 >= period.quota * percent), 0)
    if reached <= period.told_percent:
        return
    is_first = session.scalar(
        update(CiPeriod)
        .where(CiPeriod.id == period.id, CiPeriod.told_percent < reached)
        .values(told_percent=reached)
        .returning(CiPeriod.id)
        .execution_options(synchronize_session=False)
    )
    if is_first is None:
        return
    record(
        session,
        platform,
        workspace.id,
        actor="system",
        action=f"ci.quota.{reached}",
        target=period.id,
        data={"used": used, "quota": period.quota, "resets": period.period_end.strftime("%Y-%m-%dT%H:%M:%SZ")},
    )
    subject, text = quota_mail(platform, workspace, period, used, reached)
    for address in admin_addresses(session, workspace.id):
        queue_mail(session, platform, kind="ci_quota", to=address, subject=subject, text=text)


def quota_mail(platform: Platform, workspace: Workspace, period: CiPeriod, used: int, reached: int) -> tuple[str, str]:
    """Subject and text."""
    if reached < 100:
        subject = f"{reached} % of the CI credits of {workspace.name} are used"
        then = "Nothing changes yet."
    else:
        subject = f"The CI credits of {workspace.name} are used up"
        then = (
            "New CI runs are refused until then; runs that were charged may restart."
            if policy_of(workspace) == "hard"
            else "CI runs go on and are counted beyond the quota."
        )
    text = (
        f"{used} of {period.quota} CI credits of {workspace.name} are used in this period,\n"
        f"which ends on {period.period_end:%Y-%m-%d}. {then}\n\n"
        f"See which keys and projects use them:\n{platform.settings.base_url}/workspace/ci-keys\n"
    )
    return subject, text
