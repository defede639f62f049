"""CI credits: what a run is, that it costs one however often and from however many places it starts, and what is then."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from cloudlet.control.audit.service import first_broken
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.ci.credits import quota_of, run_key_of, span_of
from cloudlet.control.ci.forms import KeyForm
from cloudlet.control.ci.service import create_key, rotate_key
from cloudlet.control.ci.tables import CiCharge, CiPeriod
from cloudlet.control.ci.usage import chart_of, usage_view
from cloudlet.control.credentials.service import create_token
from cloudlet.control.licenses.tables import Plan, Subscription
from cloudlet.control.mail.tables import OutboxMail
from cloudlet.control.workspaces.tables import Membership, Workspace
from tests.control.people import sequence
from tests.control.serving import RunningPlatform
from tests.control.staff import admin_of


@pytest.fixture
def company(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, workspace=f"Company of {email}")


@pytest.fixture
def key(platform: RunningPlatform, company: BootstrapResult) -> str:
    """A CI key."""
    return new_key(platform, company)


def new_key(platform: RunningPlatform, company: BootstrapResult, **columns: Any) -> str:
    with platform.database.transaction() as session:
        form = KeyForm(name="pipeline", **columns)
        return create_key(session, platform.platform, admin_of(platform, company), form).token


def give_quota(platform: RunningPlatform, company: BootstrapResult, quota: int | None, policy: str = "soft") -> None:
    """A plan of its own for this workspace."""
    with platform.database.transaction() as session:
        plan = Plan(
            id=platform.platform.new_id("pln"),
            code=f"plan{next(sequence)}",
            display="Narrow",
            entitlements={"platform/*": None} if quota is None else {"platform/ci": quota},
            quotas={},
        )
        session.add(plan)
        session.flush()
        row = session.scalars(select(Subscription).where(Subscription.workspace_id == company.workspace_id)).one()
        row.plan_id = plan.id
        session.get_one(Workspace, company.workspace_id).settings = {"ci_quota_policy": policy}


def used(platform: RunningPlatform, company: BootstrapResult) -> tuple[int, int]:
    """The counter, and the charges; they always agree."""
    with platform.database.snapshot() as session:
        counted = session.scalar(select(func.sum(CiPeriod.used)).where(CiPeriod.workspace_id == company.workspace_id))
        charges = session.scalar(select(func.count(CiCharge.id)).where(CiCharge.workspace_id == company.workspace_id))
    return int(counted or 0), int(charges or 0)


def start(platform: RunningPlatform, token: str, run: str = "", **machine: Any) -> int:
    named = {"ci_run": f"GITHUB_RUN_ID={run}"} if run else {}
    return platform.request_license(token, machine={"ci": True, **named, **machine}).status_code


def test_restarts_and_retries_of_a_run_cost_one_credit(
    platform: RunningPlatform, company: BootstrapResult, key: str
) -> None:
    assert [start(platform, key, "7", id=f"gen_m{number}") for number in range(4)] == [200] * 4
    assert start(platform, key, "8") == 200
    assert used(platform, company) == (2, 2)
    with platform.database.snapshot() as session:
        starts = session.scalars(
            select(CiCharge.starts).where(CiCharge.workspace_id == company.workspace_id).order_by(CiCharge.id)
        ).all()
    assert list(starts) == [4, 1]


def test_many_starts_of_one_run_at_once_cost_one_credit(
    platform: RunningPlatform, company: BootstrapResult, key: str
) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda number: start(platform, key, "one", id=f"gen_p{number}"), range(24)))
    assert answers == [200] * 24
    assert used(platform, company) == (1, 1)


def test_many_runs_at_once_are_all_counted(platform: RunningPlatform, company: BootstrapResult, key: str) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda number: start(platform, key, str(number)), range(24)))
    assert answers == [200] * 24
    assert used(platform, company) == (24, 24)


def test_of_many_runs_at_once_as_many_start_as_there_are_credits(
    platform: RunningPlatform, company: BootstrapResult, key: str
) -> None:
    give_quota(platform, company, 5, "hard")
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda number: start(platform, key, str(number), id=f"gen_q{number}"), range(16)))
    assert sorted(answers) == [200] * 5 + [403] * 11
    assert used(platform, company) == (5, 5)
    with platform.database.snapshot() as session:
        assert first_broken(session, company.workspace_id) is None


def test_a_client_that_names_no_run_pays_once_a_machine_and_day(
    platform: RunningPlatform, company: BootstrapResult, key: str
) -> None:
    for machine in ("gen_a", "gen_a", "gen_b", "gen_a"):
        assert start(platform, key, id=machine) == 200
    assert used(platform, company) == (2, 2)
    with platform.database.transaction() as session:
        for row in session.scalars(select(CiCharge).where(CiCharge.workspace_id == company.workspace_id)):
            row.run_key = row.run_key.replace(datetime.now(UTC).strftime("%Y-%m-%d"), "2026-01-01")
    assert start(platform, key, id="gen_a") == 200
    assert used(platform, company) == (3, 3)


def test_a_host_name_is_a_machine_too_and_who_names_none_pays_each_time(
    platform: RunningPlatform, company: BootstrapResult, key: str
) -> None:
    for _ in range(2):
        assert start(platform, key, id="", hostname="runner-1") == 200
    assert used(platform, company) == (1, 1)
    for _ in range(2):
        assert start(platform, key, id="") == 200
    assert used(platform, company) == (3, 3)
    with platform.database.snapshot() as session:
        keys = session.scalars(select(CiCharge.run_key).where(CiCharge.workspace_id == company.workspace_id)).all()
    assert not any("runner-1" in one for one in keys)


def test_the_same_run_of_another_project_is_another_run(
    platform: RunningPlatform, company: BootstrapResult, key: str
) -> None:
    for project in ("api", "web", "api"):
        assert start(platform, key, "42", ci_project=project) == 200
    assert used(platform, company) == (2, 2)


def test_a_keys_project_counts_where_the_start_names_none(platform: RunningPlatform, company: BootstrapResult) -> None:
    token = new_key(platform, company, project="shop")
    assert start(platform, token, "1") == 200
    assert start(platform, token, "2", ci_project="other") == 200
    with platform.database.snapshot() as session:
        projects = session.scalars(
            select(CiCharge.project).where(CiCharge.workspace_id == company.workspace_id).order_by(CiCharge.id)
        ).all()
    assert list(projects) == ["shop", "other"]


def test_a_developers_token_in_ci_costs_a_credit_and_elsewhere_none(
    platform: RunningPlatform, company: BootstrapResult
) -> None:
    assert platform.request_license(company.token).status_code == 200
    assert used(platform, company) == (0, 0)
    assert start(platform, company.token, "1") == 200
    assert used(platform, company) == (1, 1)


def test_a_refused_start_and_a_question_cost_nothing(
    platform: RunningPlatform, company: BootstrapResult, key: str
) -> None:
    assert platform.request_license(key, product={"name": "else"}).status_code == 403
    assert platform.request_license(key, "check").status_code == 200
    assert used(platform, company) == (0, 0)


def test_when_credits_are_used_up_hard_refuses_new_runs_and_says_until_when(
    platform: RunningPlatform, company: BootstrapResult, key: str
) -> None:
    give_quota(platform, company, 2, "hard")
    assert [start(platform, key, run) for run in ("1", "2", "3", "1")] == [200, 200, 403, 200]
    answer = platform.request_license(key, machine={"ci": True, "ci_run": "GITHUB_RUN_ID=3"}).json()
    assert (answer["message"], answer["code"]) == ("licensing.ci.quota_exceeded", "licensing.ci.quota_exceeded")
    with platform.database.snapshot() as session:
        period = session.scalars(select(CiPeriod).where(CiPeriod.workspace_id == company.workspace_id)).one()
    assert answer["detail"] == f"CI credits of this period are used up (2/2, resets {period.period_end:%Y-%m-%d})."
    assert answer["docs"].endswith("/docs/errors#ci.quota")
    assert used(platform, company) == (2, 2)


def test_soft_counts_on_and_admins_hear_at_80_and_at_100_percent_once(
    platform: RunningPlatform, company: BootstrapResult, key: str
) -> None:
    give_quota(platform, company, 5)
    for run in range(8):
        assert start(platform, key, str(run)) == 200
    assert used(platform, company) == (8, 8)
    with platform.database.snapshot() as session:
        entries = session.execute(
            select(AuditEntry.action, AuditEntry.actor, AuditEntry.data)
            .where(AuditEntry.workspace_id == company.workspace_id, AuditEntry.action.startswith("ci.quota"))
            .order_by(AuditEntry.seq)
        ).all()
        mails = session.scalars(
            select(OutboxMail.subject)
            .where(OutboxMail.to_address == company.email, OutboxMail.kind == "ci_quota")
            .order_by(OutboxMail.id)
        ).all()
    assert [(entry.action, entry.actor, entry.data["used"]) for entry in entries] == [
        ("ci.quota.80", "system", 4),
        ("ci.quota.100", "system", 5),
    ]
    assert list(mails) == [
        f"80 % of the CI credits of {company.workspace} are used",
        f"The CI credits of {company.workspace} are used up",
    ]


def test_a_bigger_plan_counts_at_once(platform: RunningPlatform, company: BootstrapResult, key: str) -> None:
    give_quota(platform, company, 1, "hard")
    assert [start(platform, key, run) for run in ("1", "2")] == [200, 403]
    give_quota(platform, company, 3, "hard")
    assert [start(platform, key, run) for run in ("2", "3", "4")] == [200, 200, 403]
    give_quota(platform, company, None, "hard")
    assert start(platform, key, "4") == 200


def test_ci_keys_open_the_subscription_without_a_seat(platform: RunningPlatform, company: BootstrapResult) -> None:
    for is_strict, prefix in ((False, "lsci-"), (True, "ls-")):
        token = new_key(platform, company, is_strict=is_strict)
        assert token.startswith(prefix)
        document = platform.request_license(token).json()
        assert document["license_type"] == "trial"
        assert platform.request_license(token, "activate", license_id=document["id"]).json()["id"] == document["id"]
    assert used(platform, company) == (1, 1)  # the same machine, the same day


@pytest.mark.parametrize(
    ("status", "days", "code"),
    [
        ("trialing", -1, "licensing.license.expired"),
        ("past_due", 10, "licensing.license.suspended"),
        ("canceled", 10, "licensing.license.suspended"),
    ],
)
def test_a_ci_key_is_refused_with_the_subscription(
    platform: RunningPlatform, company: BootstrapResult, key: str, status: str, days: int, code: str
) -> None:
    with platform.database.transaction() as session:
        row = session.scalars(select(Subscription).where(Subscription.workspace_id == company.workspace_id)).one()
        row.status = status
        row.current_period_end = platform.platform.later(days=days)
    answer = platform.request_license(key)
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert used(platform, company) == (0, 0)


def test_without_a_subscription_a_ci_key_says_so(platform: RunningPlatform, company: BootstrapResult, key: str) -> None:
    with platform.database.transaction() as session:
        session.delete(
            session.scalars(select(Subscription).where(Subscription.workspace_id == company.workspace_id)).one()
        )
    answer = platform.request_license(key).json()
    assert answer["code"] == "licensing.license.not_assigned"
    assert f'Workspace "{company.workspace}" has no subscription' in answer["detail"]


def test_a_period_is_a_month_of_the_subscription(platform: RunningPlatform, company: BootstrapResult, key: str) -> None:
    now = platform.platform.now()
    with platform.database.transaction() as session:
        row = session.scalars(select(Subscription).where(Subscription.workspace_id == company.workspace_id)).one()
        row.current_period_start = now - timedelta(days=100)
        row.current_period_end = now + timedelta(days=200)
        viewer = admin_of(platform, company)
        old = session.scalars(select(CiPeriod).where(CiPeriod.workspace_id == company.workspace_id)).all()
        assert old == []
    assert start(platform, key, "1") == 200
    with platform.database.snapshot() as session:
        usage = usage_view(session, platform.platform, viewer.workspace_id)
    assert usage is not None
    assert usage.start <= now < usage.end <= usage.start + timedelta(days=31)
    assert usage.used == sum(day.used for day in usage.days) == 1
    assert [(project.name, project.used) for project in usage.projects] == [("", 1)]
    assert usage.days[0].day == usage.start.date()
    bars = chart_of(usage, now.date()).bars
    assert len(bars) == len(usage.days)
    assert [bar.day for bar in bars if bar.used] == [now.date()]
    assert all(bar.x >= 0 and bar.x + bar.width <= 640 and bar.y >= 0 for bar in bars)


def subscription(start_at: datetime, end_at: datetime) -> Subscription:
    return Subscription(current_period_start=start_at, current_period_end=end_at)


@given(
    st.integers(1_577_836_800, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.integers(1, 1500),
    st.floats(0, 1, exclude_max=True),
)
def test_every_moment_of_a_subscription_is_in_one_period(start_at: datetime, days: int, part: float) -> None:
    end_at = start_at + timedelta(days=days)
    now = start_at + timedelta(seconds=int(days * 86400 * part))
    span = span_of(subscription(start_at, end_at), now)
    assert start_at <= span.start <= now < span.end <= end_at
    assert span_of(subscription(start_at, end_at), span.start) == span
    assert span.end - span.start <= timedelta(days=31)


def test_a_subscription_that_waits_to_be_renewed_is_in_its_next_month() -> None:
    found = span_of(subscription(at(1, 31), at(2, 28)), at(3, 1))
    assert (found.start, found.end) == (at(2, 28), at(3, 31))
    assert span_of(subscription(at(2, 28), at(3, 31)), at(3, 1)).start == found.start


def at(month: int, day: int) -> datetime:
    return datetime(2027, month, day, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("entitlements", "quota"),
    [({"platform/ci": 5, "platform/*": None}, 5), ({"platform/*": None}, None), ({"aws/*": None}, 0)],
)
def test_a_plan_says_how_many_credits_there_are(entitlements: dict[str, int | None], quota: int | None) -> None:
    assert quota_of(Plan(entitlements=entitlements)) == quota


def test_a_rotated_key_goes_on_for_the_overlap_and_counts_with_the_new_one(
    platform: RunningPlatform, company: BootstrapResult, key: str
) -> None:
    viewer = admin_of(platform, company)
    with platform.database.transaction() as session:
        old = session.scalars(select(CiCharge)).first()
        from_key = create_key(session, platform.platform, viewer, KeyForm(name="rotating", project="shop"))
        new = rotate_key(session, platform.platform, viewer, from_key.credential_id, overlap_hours=1)
        assert old is None or old.credential_id != new.credential_id
    assert start(platform, from_key.token, "5") == 200
    assert start(platform, new.token, "5") == 200
    assert used(platform, company) == (1, 1)


def test_device_tokens_follow_the_ci_rule_too(platform: RunningPlatform, company: BootstrapResult) -> None:
    with platform.database.transaction() as session:
        viewer = admin_of(platform, company)
        member = session.get_one(Membership, viewer.membership_id)
        token = create_token(
            session, platform.platform, company.workspace_id, kind="device", membership=member, name="cli", actor="test"
        ).token
        session.get_one(Workspace, company.workspace_id).settings = {"ci_policy": "enforce"}
    assert platform.request_license(token).status_code == 200
    answer = platform.request_license(token, machine={"ci": True})
    assert answer.json()["code"] == "licensing.credentials.ci_required"
    assert used(platform, company) == (0, 0)


def test_long_names_of_runs_that_differ_at_their_end_are_two_runs(
    platform: RunningPlatform, company: BootstrapResult, key: str
) -> None:
    long = "https://ci.example.com/" + "pipelines/" * 40
    for run in (long + "1", long + "2", long + "1"):
        machine = {"ci": True, "ci_run": run, "ci_project": "p" * 400}
        assert platform.request_license(key, machine=machine).status_code == 200
    with platform.database.snapshot() as session:
        charges = session.scalars(select(CiCharge).where(CiCharge.workspace_id == company.workspace_id)).all()
    assert sorted(charge.starts for charge in charges) == [1, 2]
    assert all(len(charge.run_key) <= 300 for charge in charges)


@given(st.text(min_size=250, max_size=400), st.text(min_size=250, max_size=400))
def test_no_two_runs_share_a_key(one: str, other: str) -> None:
    keys = {
        run_key_of(run=run, project="p", machine_id="", now=datetime(2026, 1, 1, tzinfo=UTC), request_id="")
        for run in (one, other)
    }
    assert len(keys) == len({one, other})
    assert max(map(len, keys)) <= 300
