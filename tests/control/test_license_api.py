"""The verdicts of `/v1/license/…`, over HTTP, on both databases (control-plane.md, B3.1)."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.credentials.service import create_token, reset_auth_token
from cloudlet.control.licenses.service import license_of, unassign
from cloudlet.control.licenses.tables import License, Plan, Subscription
from cloudlet.control.tables import Credential
from cloudlet.control.workspaces.tables import Membership, Workspace
from cloudlet.license import document as documents
from cloudlet.license.canonical import from_base64url
from cloudlet.license.effects import SYSTEM
from cloudlet.license.envelope import TrustStore
from cloudlet.license.token import generate
from cloudlet.license.verify import Circumstances, verify_license
from tests.control.people import sequence
from tests.control.serving import RunningPlatform


@pytest.fixture
def member(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, workspace=f"Workspace of {email}")


def membership_id(platform: RunningPlatform, member: BootstrapResult) -> str:
    with platform.database.snapshot() as session:
        return session.scalars(select(Membership.id).where(Membership.workspace_id == member.workspace_id)).one()


def assert_verdict(answer: httpx.Response, status: int, message: str, code: str = "", text: str = "") -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["message"], body["code"]) == (status, message, code or message)
    assert body["error"] is True
    assert set(body) == {"error", "message", "code", "detail", "hint", "docs", "request_id"}
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["docs"].startswith("http")
    assert "/docs/errors#" in body["docs"]
    assert text in body["detail"], body["detail"]
    return body


def test_a_license_is_a_format_1_document_with_our_envelope_in_it(
    platform: RunningPlatform, member: BootstrapResult
) -> None:
    answer = platform.request_license(member.token)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    document = documents.parse(answer.content)
    documents.check_signature(document, member.token)
    assert document.license_type == "trial"
    assert document.license_status == "ACTIVE"
    assert document.offline_data["localstack_version"] == "2026.8.2"
    assert document.id == member.license_id
    lasts = documents.to_seconds(document.expiry_date) - documents.to_seconds(document.issue_date)
    assert 13.9 * 86400 < lasts <= 14 * 86400
    window = documents.to_seconds(document.reactivate_after) - documents.to_seconds(document.issue_date)
    assert window == 24 * 3600


def test_what_it_sends_verifies_with_its_published_keys(platform: RunningPlatform, member: BootstrapResult) -> None:
    trust = TrustStore.parse(httpx.get(f"{platform.url}/.well-known/license-keys.json").content)
    raw = platform.request_license(member.token, product={"name": "cloudlet", "version": "0.1.0"}).content
    here = Circumstances(
        token=member.token, machine_id="gen_0123456789ab", version="0.1.0", now=SYSTEM.now(), where="test"
    )
    found = verify_license(raw, trust, here)
    assert found.claims.ws == member.workspace_id
    assert found.claims.iss == platform.url
    assert found.is_fresh(SYSTEM.now())


def test_the_go_clients_dialect_is_understood(platform: RunningPlatform, member: BootstrapResult) -> None:
    body = {
        "product": {"name": "localstack-pro", "version": "4.12.0"},
        "credentials": {"token": member.token},
        "machine": {"hostname": "h", "platform": "linux", "platform_release": "amd64"},
    }
    answer = httpx.post(f"{platform.url}/v1/license/request", json=body)
    assert answer.status_code == 200
    assert answer.json()["license_type"] == "trial"


def test_activate_names_the_license_and_gets_a_fresh_one(platform: RunningPlatform, member: BootstrapResult) -> None:
    first = platform.request_license(member.token).json()
    answer = platform.request_license(member.token, "activate", license_id=first["id"])
    assert answer.status_code == 200
    assert answer.json()["id"] == first["id"]
    assert answer.json()["offline_data"]["lsl1"] != first["offline_data"]["lsl1"]


@pytest.mark.parametrize("content", [b"", b"not json", b"[]", b'{"credentials": {}}', b"\xff", b'{"a":' * 1000])
def test_a_malformed_body_is_a_verdict(platform: RunningPlatform, content: bytes) -> None:
    for path in ("request", "activate"):
        answer = httpx.post(f"{platform.url}/v1/license/{path}", content=content)
        assert_verdict(answer, 400, "licensing.request.format")


def test_a_huge_body_is_refused(platform: RunningPlatform) -> None:
    answer = httpx.post(f"{platform.url}/v1/license/request", content=b"x" * 100_000)
    assert_verdict(answer, 400, "licensing.request.format")
    assert httpx.post(f"{platform.url}/v1/license/request", content=b"x" * 600_000).status_code == 413


@pytest.mark.parametrize("token", ["ls-short", "nothing at all", "<YOUR_AUTH_TOKEN>", ""])
def test_what_cannot_be_a_token_is_told_so(platform: RunningPlatform, token: str) -> None:
    assert_verdict(platform.request_license(token), 400, "licensing.credentials.format")


def test_a_typing_error_is_told_apart(platform: RunningPlatform, member: BootstrapResult) -> None:
    wrong = member.token[:5] + ("X" if member.token[5] != "X" else "Y") + member.token[6:]
    answer = platform.request_license(wrong)
    assert_verdict(answer, 400, "licensing.credentials.format", "licensing.credentials.checksum", "typing or copying")


def test_an_unknown_token_is_invalid(platform: RunningPlatform) -> None:
    answer = platform.request_license(generate("auth", SYSTEM.random_bytes))
    assert_verdict(answer, 403, "licensing.credentials.invalid", text="does not know this token")


def test_a_reset_token_is_dead_at_once_and_its_holder_learns_when(
    platform: RunningPlatform, member: BootstrapResult
) -> None:
    assert platform.request_license(member.token).status_code == 200
    with platform.database.transaction() as session:
        holder = session.get_one(Membership, membership_id(platform, member))
        new = reset_auth_token(session, platform.platform, holder, actor="test")
    answer = platform.request_license(member.token)
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    assert_verdict(
        answer, 403, "licensing.credentials.invalid", "licensing.credentials.revoked", f"was reset on {today}"
    )
    assert platform.request_license(new.token).status_code == 200


def test_an_expired_token_says_when(platform: RunningPlatform, member: BootstrapResult) -> None:
    with platform.database.transaction() as session:
        row = session.scalars(select(Credential).where(Credential.workspace_id == member.workspace_id)).one()
        row.expires_at = datetime(2026, 1, 2, tzinfo=UTC)
    answer = platform.request_license(member.token)
    assert_verdict(answer, 403, "licensing.credentials.invalid", "licensing.credentials.expired", "2026-01-02")


def test_a_removed_member_is_told_so(platform: RunningPlatform, member: BootstrapResult) -> None:
    with platform.database.transaction() as session:
        session.get_one(Membership, membership_id(platform, member)).status = "removed"
    answer = platform.request_license(member.token)
    assert_verdict(answer, 403, "licensing.membership.removed", text=member.workspace)


def test_without_a_license_an_old_client_prints_a_readable_line(
    platform: RunningPlatform, member: BootstrapResult
) -> None:
    with platform.database.transaction() as session:
        unassign(session, platform.platform, member.workspace_id, membership_id(platform, member), actor="test")
    answer = platform.request_license(member.token)
    text = f'No license is assigned to {member.email} in workspace "{member.workspace}". Ask an admin ({member.email})'
    assert_verdict(answer, 403, "licensing.license.invalid_status:UNASSIGNED", "licensing.license.not_assigned", text)


def test_a_license_in_another_workspace_is_pointed_out(platform: RunningPlatform, member: BootstrapResult) -> None:
    with platform.database.transaction() as session:
        first = session.get_one(Membership, membership_id(platform, member))
        other = Workspace(
            id=platform.platform.new_id("ws"),
            name="Elsewhere",
            slug=f"elsewhere-{next(sequence)}",
            settings={},
            created_at=platform.platform.now(),
        )
        session.add(other)
        session.flush()
        second = Membership(
            id=platform.platform.new_id("mem"),
            workspace_id=other.id,
            user_id=first.user_id,
            role="member",
            status="active",
            joined_at=platform.platform.now(),
        )
        session.add(second)
        session.flush()
        token = create_token(session, platform.platform, other.id, kind="auth", membership=second, actor="test").token
    answer = platform.request_license(token)
    assert_verdict(
        answer,
        403,
        "licensing.license.invalid_status:UNASSIGNED",
        "licensing.license.not_assigned",
        f'You do have one in "{member.workspace}"',
    )


def change_license(platform: RunningPlatform, member: BootstrapResult, **changes: Any) -> None:
    with platform.database.transaction() as session:
        holding = license_of(session, membership_id(platform, member))
        assert holding is not None
        for name, value in changes.items():
            setattr(session.get_one(License, holding.license.id), name, value)


def change_subscription(platform: RunningPlatform, member: BootstrapResult, **changes: Any) -> None:
    with platform.database.transaction() as session:
        row = session.scalars(select(Subscription).where(Subscription.workspace_id == member.workspace_id)).one()
        for name, value in changes.items():
            setattr(row, name, value)


def test_a_trial_that_ended_says_so(platform: RunningPlatform, member: BootstrapResult) -> None:
    change_license(platform, member, expires_at=datetime(2026, 11, 1, tzinfo=UTC))
    answer = platform.request_license(member.token)
    assert_verdict(answer, 403, "licensing.license.expired", text="The 14-day trial")
    assert "2026-11-01" in answer.json()["detail"]


@pytest.mark.parametrize(("status", "text"), [("past_due", "past due"), ("canceled", "canceled")])
def test_a_subscription_in_trouble_suspends(
    platform: RunningPlatform, member: BootstrapResult, status: str, text: str
) -> None:
    change_subscription(platform, member, status=status)
    answer = platform.request_license(member.token)
    assert_verdict(answer, 403, "licensing.license.invalid_status:SUSPENDED", "licensing.license.suspended", text)


def test_a_suspended_license_is_refused(platform: RunningPlatform, member: BootstrapResult) -> None:
    change_license(platform, member, status="SUSPENDED")
    answer = platform.request_license(member.token)
    assert_verdict(answer, 403, "licensing.license.invalid_status:SUSPENDED", "licensing.license.suspended")


def test_the_document_never_outlives_the_license(platform: RunningPlatform, member: BootstrapResult) -> None:
    soon = platform.platform.now() + timedelta(hours=2)
    change_license(platform, member, expires_at=soon)
    document = documents.parse(platform.request_license(member.token).content)
    assert documents.to_seconds(document.reactivate_after) == documents.to_seconds(document.expiry_date)
    assert documents.to_seconds(document.expiry_date) == int(soon.timestamp())


def test_a_license_id_that_is_not_of_this_workspace_is_not_found(
    platform: RunningPlatform, member: BootstrapResult, new_email
) -> None:
    stranger = platform.bootstrap(new_email())
    for license_id in ("lic_nothing", stranger.license_id):
        answer = platform.request_license(member.token, "activate", license_id=license_id)
        assert_verdict(answer, 404, "licensing.license.not_found")


def test_an_unknown_product_and_an_uncovered_version_are_refused(
    platform: RunningPlatform, member: BootstrapResult
) -> None:
    answer = platform.request_license(member.token, product={"name": "something-else"})
    assert_verdict(answer, 403, "licensing.product.unknown", text="something-else")
    with platform.database.transaction() as session:
        session.add(
            Plan(
                id=platform.platform.new_id("pln"),
                code=f"narrow{next(sequence)}",
                display="Narrow",
                entitlements={"aws/*": None},
                quotas={},
                versions="3",
                offline_window_h=24,
            )
        )
        session.flush()
        narrow = session.scalars(select(Plan.id).where(Plan.display == "Narrow").order_by(Plan.id.desc())).first()
        row = session.scalars(select(Subscription).where(Subscription.workspace_id == member.workspace_id)).one()
        row.plan_id = str(narrow)
    answer = platform.request_license(member.token)
    assert_verdict(answer, 403, "licensing.product.version", text="2026.8.2")
    assert platform.request_license(member.token, product={"version": "3.8.1"}).status_code == 200


@pytest.mark.parametrize("version", ["latest", "nightly", "", "3;drop", "x" * 200])
def test_a_version_that_is_no_version_is_told_so(
    platform: RunningPlatform, member: BootstrapResult, version: str
) -> None:
    answer = platform.request_license(member.token, product={"version": version})
    body = answer.json()
    assert answer.status_code == 400
    assert body["message"] == f"licensing.license.format:{version[:120]}"
    assert body["code"] == "licensing.license.format"


@pytest.mark.parametrize("version", ["4.12.0", "2026.8.2", "3.0.0:6dd3f3d", "4.12.1.dev3", "5"])
def test_versions_of_all_kinds_are_accepted(platform: RunningPlatform, member: BootstrapResult, version: str) -> None:
    answer = platform.request_license(member.token, product={"version": version})
    assert answer.status_code == 200
    assert answer.json()["offline_data"]["localstack_version"] == version


def test_developers_tokens_in_ci_are_refused_where_the_workspace_says_so(
    platform: RunningPlatform, member: BootstrapResult
) -> None:
    assert platform.request_license(member.token, machine={"ci": True}).status_code == 200
    with platform.database.transaction() as session:
        session.get_one(Workspace, member.workspace_id).settings = {"ci_policy": "enforce"}
    answer = platform.request_license(member.token, machine={"ci": True})
    assert_verdict(answer, 403, "licensing.credentials.ci_required")
    assert platform.request_license(member.token).status_code == 200


def test_a_blocked_machine_is_refused_and_others_are_not(platform: RunningPlatform, member: BootstrapResult) -> None:
    assert platform.request_license(member.token, machine={"id": "sys_00000000000a"}).status_code == 200
    with platform.database.transaction() as session:
        row = session.scalars(
            select(Machine).where(Machine.workspace_id == member.workspace_id, Machine.machine_id == "sys_00000000000a")
        ).one()
        row.blocked_at = platform.platform.now()
    answer = platform.request_license(member.token, machine={"id": "sys_00000000000a"})
    assert_verdict(answer, 403, "licensing.machine.blocked", text="sys_00000000000a")
    assert platform.request_license(member.token).status_code == 200


@pytest.mark.parametrize(("hours", "status"), [(-25, 400), (-23, 200), (23, 200), (25, 400)])
def test_a_clock_that_is_a_day_off_is_a_verdict(
    platform: RunningPlatform, member: BootstrapResult, hours: int, status: int
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    body = {"credentials": {"token": member.token}, "product": {"name": "cloudlet", "version": "0.1.0"}}
    answer = httpx.post(f"{platform.url}/v1/license/request", json=body, headers={"date": date})
    assert answer.status_code == status
    if status == 400:
        assert_verdict(answer, 400, "licensing.clock.skew")


def test_each_request_with_a_known_token_is_recorded(platform: RunningPlatform, member: BootstrapResult) -> None:
    granted = platform.request_license(member.token).headers["x-request-id"]
    refused = platform.request_license(member.token, product={"name": "else"}).headers["x-request-id"]
    with platform.database.snapshot() as session:
        rows = session.scalars(select(Activation).where(Activation.workspace_id == member.workspace_id)).all()
        credential = session.get_one(Credential, rows[0].credential_id)
    found = {row.request_id: (row.result_code, row.is_cli, row.offline_until is not None) for row in rows}
    assert found == {granted: ("ok", True, True), refused: ("licensing.product.unknown", True, False)}
    assert credential.last_used_machine == "gen_0123456789ab"
    assert credential.last_used_ip == "127.0.0.1"


def sequence_number(answer: httpx.Response) -> int:
    envelope = answer.json()["offline_data"]["lsl1"]
    return int(json.loads(from_base64url(envelope.split(".")[2]))["seq"])


def test_many_starts_of_one_new_machine_at_once_all_succeed(platform: RunningPlatform, member: BootstrapResult) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: platform.request_license(member.token, machine={"id": "gen_new"}), range(48)))
    assert {answer.status_code for answer in answers} == {200}
    numbers = [sequence_number(answer) for answer in answers]
    assert sorted(numbers) == list(range(1, 49))
    with platform.database.snapshot() as session:
        machines = session.scalars(select(Machine).where(Machine.workspace_id == member.workspace_id)).all()
    assert len(machines) == 1


def test_ping_tells_time_and_key(platform: RunningPlatform) -> None:
    found = httpx.get(f"{platform.url}/v1/license/ping").json()
    keys = httpx.get(f"{platform.url}/.well-known/license-keys.json").json()["keys"]
    assert found["ok"] is True
    assert found["kid"] in {key["kid"] for key in keys}
    assert datetime.fromisoformat(found["time"])


def test_what_is_not_there_is_no_verdict(platform: RunningPlatform) -> None:
    answer = httpx.get(f"{platform.url}/v1/nothing")
    assert answer.status_code == 404
    assert not answer.json()["message"].startswith("licensing.")
    assert httpx.get(f"{platform.url}/v1/license/request").status_code == 405
