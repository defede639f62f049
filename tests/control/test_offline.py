"""License files on their page: issued from request files, downloaded, revoked, checked; and what is in the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from cloudlet.control.accounts.service import create_user
from cloudlet.control.activations.tables import Machine
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.credentials.service import ensure_auth_token
from cloudlet.control.errors import InvalidForm
from cloudlet.control.licenses.service import Holding, license_of
from cloudlet.control.licenses.tables import License, Plan, Subscription
from cloudlet.control.offline.errors import BadRequestFile
from cloudlet.control.offline.forms import read_issue_form, read_request
from cloudlet.control.offline.service import days_until, latest_end
from cloudlet.control.offline.tables import OfflineFile
from cloudlet.control.workspaces.service import add_member
from cloudlet.control.workspaces.tables import Membership, Workspace
from cloudlet.license import files
from cloudlet.license.envelope import Claims, TrustStore, confirmation, verify
from tests.control.people import csrf, post, sign_in
from tests.control.serving import RunningPlatform

PATH = "/workspace/offline"
MACHINE_ID = "sys_0123456789ab"


@pytest.fixture
def admin(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, workspace="Acme")


@pytest.fixture
def client(platform: RunningPlatform, admin: BootstrapResult) -> Iterator[httpx.Client]:
    with platform.client() as opened:
        sign_in(opened, admin)
        yield opened


def request_file(machine_id: str = MACHINE_ID, **changes: Any) -> bytes:
    return json.dumps(
        {
            "format": "cloudlet-license-request-1",
            "product": {"name": "cloudlet", "version": "1.2.3"},
            "machine": {"id": machine_id, "system": "Linux,6.1,x86_64"},
            **changes,
        }
    ).encode()


def membership_of(platform: RunningPlatform, found: BootstrapResult) -> str:
    with platform.database.snapshot() as session:
        return session.scalars(select(Membership.id).where(Membership.workspace_id == found.workspace_id)).first() or ""


def issue(client: httpx.Client, member: str, *raw: bytes, days: str = "7", name: str = "Lab") -> httpx.Response:
    """As a browser sends the form."""
    return client.post(
        PATH,
        data={"_csrf_token": csrf(client.get(PATH).text), "membership": member, "days": days, "name": name},
        files=[("request", ("license-request.json", content, "application/json")) for content in raw],
    )


def issued(answer: httpx.Response) -> str:
    """The id of the new file."""
    assert answer.status_code == 303, answer.text
    found = re.search(r"new=(off_\w+)", answer.headers["location"])
    assert found
    return found[1]


def download(client: httpx.Client, file_id: str) -> httpx.Response:
    return post(client, f"{PATH}/{file_id}/download", at=PATH)


def claims_of(platform: RunningPlatform, raw: bytes) -> Claims:
    keys = httpx.get(f"{platform.url}/.well-known/license-keys.json").content
    return verify(files.parse(raw), TrustStore.parse(keys))


def ask(platform: RunningPlatform, raw: bytes) -> httpx.Response:
    return httpx.post(f"{platform.url}/v1/license/file-check", content=raw)


def test_a_file_is_issued_downloaded_and_says_what_was_asked(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    file_id = issued(issue(client, membership_of(platform, admin), request_file(), request_file("dkr_00000000000f")))
    page = client.get(PATH).text
    assert "Lab" in page
    assert MACHINE_ID in page
    assert "not downloaded yet" in page
    answer = download(client, file_id)
    assert answer.content.startswith(b"-----BEGIN LICENSE-----\n")
    assert re.search(r'attachment; filename="cloudlet-\w{6}\.lic"', answer.headers["content-disposition"])
    claims = claims_of(platform, answer.content)
    assert (claims.kind, claims.lic, claims.ws) == ("file", admin.license_id, admin.workspace_id)
    assert claims.mach == (MACHINE_ID, "dkr_00000000000f")
    assert (claims.cnf, claims.crit) == (None, ("mach",))
    assert claims.ra == claims.exp == claims.iat + 7 * 86_400
    assert download(client, file_id).content == answer.content  # the same file, byte for byte
    assert "downloaded 2 times" in client.get(PATH).text
    with platform.database.snapshot() as session:
        entries = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.workspace_id == admin.workspace_id, AuditEntry.action.startswith("offline_file."))
            .order_by(AuditEntry.seq)
        ).all()
    assert [entry.action for entry in entries] == [
        "offline_file.issued",
        *(["offline_file.downloaded"] * 2),
    ]
    assert "issued the license file Lab" in client.get("/workspace/audit").text


def test_a_file_is_bound_to_the_token_that_its_request_names(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client, new_email: Callable[[], str]
) -> None:
    member = membership_of(platform, admin)
    file_id = issued(issue(client, member, request_file(cnf=confirmation(admin.token))))
    claims = claims_of(platform, download(client, file_id).content)
    assert (claims.cnf, claims.crit) == (confirmation(admin.token), ("cnf", "mach"))
    assert "with the token it was asked for" in client.get(PATH).text
    other = platform.bootstrap(new_email(), workspace="Other")
    answer = issue(client, member, request_file(cnf=confirmation(other.token)))
    assert (answer.status_code, "not one of this member" in answer.text) == (422, True)
    answer = issue(client, member, request_file(cnf=confirmation(admin.token)), request_file("sys_00000000000a"))
    assert "belong to different tokens" in answer.text


def test_without_a_name_the_machine_is_the_name(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    issued(issue(client, membership_of(platform, admin), request_file(), name=" "))
    assert f"<strong>{MACHINE_ID}</strong>" in client.get(PATH).text


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 4000, "cannot be read"),
        (b"{}", "missing required field `format`"),
        (request_file(format="other-1"), "Invalid enum value 'other-1'"),
        (request_file(machine={"id": "no spaces"}), "names no machine"),
        (request_file(machine={"id": ""}), "names no machine"),
        (request_file(product={"name": "else", "version": "1"}), "which is not licensed here"),
        (request_file(product={"name": "cloudlet", "version": "latest"}), "names no version"),
        (request_file(cnf="short"), "in a way that nobody knows"),
        (b"x" * 9000, "larger than 8 KiB"),
        (b"-----BEGIN LICENSE-----\nlsl1\n-----END LICENSE-----\n", "That is a license file"),
    ],
)
def test_what_is_wrong_with_a_request_file_is_said(raw: bytes, sentence: str) -> None:
    with pytest.raises(BadRequestFile, match=re.escape(sentence)):
        read_request(raw)


@pytest.mark.parametrize("days", ["", "0", "-1", "1.5", "many", "99999", "²"])
def test_days_are_a_number(days: str) -> None:
    with pytest.raises(InvalidForm, match="for how many days"):
        read_issue_form([request_file()], "mem_1", days, "")


def test_what_is_wrong_with_the_form_is_shown_on_the_page(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    member = membership_of(platform, admin)
    for raw, fields, sentence, status in (
        ([], {}, "Choose the request file", 422),
        ([b"{}"], {}, "cannot be read", 422),
        ([request_file(f"sys_{n:012}") for n in range(6)], {}, "5 machines at most", 422),
        ([request_file()], {"days": "15"}, "good for 14 days at most", 422),
        ([request_file()], {"name": "x" * 121}, "120 characters at most", 422),
    ):
        answer = issue(client, member, *raw, **fields)
        assert (answer.status_code, sentence in answer.text) == (status, True), answer.text
    answer = issue(client, "mem_nobody", request_file())
    assert (answer.status_code, "no such member" in answer.text) == (422, True)
    assert client.post(PATH, data={"days": "1"}, files={"request": request_file()}).status_code == 403


def test_who_holds_no_license_gets_no_file(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    member = membership_of(platform, admin)
    post(client, f"/workspace/members/{member}/unassign", at=f"/workspace/members/{member}")
    page = client.get(PATH).text
    assert "Nobody here holds a license" in page
    answer = client.post(
        PATH,
        data={"_csrf_token": csrf(page), "membership": member, "days": "1"},
        files={"request": request_file()},
    )
    assert (answer.status_code, "holds no license that is in force" in answer.text) == (409, True)


def test_a_blocked_machine_gets_no_file(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    assert platform.request_license(admin.token, machine={"id": MACHINE_ID}).status_code == 200
    with platform.database.transaction() as session:
        session.execute(
            update(Machine).where(Machine.workspace_id == admin.workspace_id).values(blocked_at=platform.platform.now())
        )
    answer = issue(client, membership_of(platform, admin), request_file())
    assert (answer.status_code, f"{MACHINE_ID} is blocked" in answer.text) == (422, True)


def test_plans_say_how_long_a_file_may_be_good(platform: RunningPlatform, admin: BootstrapResult) -> None:
    now = platform.platform.now()
    with platform.database.snapshot() as session:
        held = license_of(session, membership_of(platform, admin))
        assert held is not None
        ends = held.valid_until

    def longest(entitlements: dict[str, int | None]) -> Any:
        plan = Plan(entitlements=entitlements)
        return latest_end(Holding(License(expires_at=ends), Subscription(current_period_end=ends), plan), now)

    assert longest({"platform/*": None}) == ends
    assert longest({"platform/*": None, "platform/offline": 3}) == now + timedelta(days=3)
    assert longest({"aws/*": None, "platform/offline": 0}) == now
    assert longest({"aws/*": None}) == ends  # 30 days are longer than the trial
    assert days_until(ends, now) == 14


def test_a_plan_may_have_no_files_at_all(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    with platform.database.transaction() as session:
        held = license_of(session, membership_of(platform, admin))
        assert held is not None
        plan = Plan(
            id=platform.platform.new_id("pln"),
            code=platform.platform.new_id("p")[-12:],
            display="Bare",
            entitlements={"aws/*": None, "platform/offline": 0},
            quotas={},
        )
        session.add(plan)
        session.flush()
        session.execute(update(Subscription).where(Subscription.id == held.subscription.id).values(plan_id=plan.id))
    page = client.get(PATH).text
    assert "Nobody here holds a license" in page
    answer = client.post(
        PATH,
        data={"_csrf_token": csrf(page), "membership": membership_of(platform, admin), "days": "1"},
        files={"request": request_file()},
    )
    assert (answer.status_code, "The plan Bare has no license files" in answer.text) == (409, True)


def test_a_revoked_file_is_not_handed_out_and_who_asks_is_told_no(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    file_id = issued(issue(client, membership_of(platform, admin), request_file()))
    raw = download(client, file_id).content
    answer = ask(platform, raw)
    assert (answer.status_code, answer.json()["ok"], answer.json()["license_id"]) == (200, True, admin.license_id)
    again = post(client, f"{PATH}/{file_id}/revoke", at=PATH)
    assert again.headers["location"] == f"{PATH}?done=revoked"
    refused = ask(platform, raw)
    assert (refused.status_code, refused.json()["code"]) == (403, "licensing.license.suspended")
    assert "this license file was revoked on" in refused.json()["detail"]
    page = client.get(PATH).text
    assert "Revoked" in page
    assert f"{file_id}/download" not in page
    gone = client.post(f"{PATH}/{file_id}/download", data={"_csrf_token": csrf(page)})
    assert (gone.status_code, "This license file was revoked" in gone.text) == (409, True)
    assert post(client, f"{PATH}/{file_id}/revoke", at=PATH).status_code == 303
    with platform.database.snapshot() as session:
        actions = session.scalars(
            select(AuditEntry.action).where(
                AuditEntry.workspace_id == admin.workspace_id, AuditEntry.action == "offline_file.revoked"
            )
        ).all()
    assert len(actions) == 1


def test_when_the_license_goes_to_somebody_else_the_page_says_so_and_who_asks_is_told_no(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client, new_email: Callable[[], str]
) -> None:
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, new_email(), name="Grace Hopper")
        member = add_member(session, platform.platform, admin.workspace_id, user, role="member")
        ensure_auth_token(session, platform.platform, member, actor="test")
    post(client, f"/workspace/members/{member.id}/assign", at=f"/workspace/members/{member.id}")
    raw = download(client, issued(issue(client, member.id, request_file()))).content
    assert "Grace Hopper" in client.get(PATH).text
    for _ in range(2):
        post(client, f"/workspace/members/{member.id}/unassign", at=f"/workspace/members/{member.id}")
        assert "taken from Grace Hopper since" in client.get(PATH).text
        assert ask(platform, raw).json()["code"] == "licensing.license.not_assigned"
        post(client, f"/workspace/members/{member.id}/assign", at=f"/workspace/members/{member.id}")
    assert ask(platform, raw).json()["code"] == "licensing.license.not_assigned"  # given back: issued before


def test_a_file_whose_subscription_or_workspace_ended_is_told_so(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    raw = download(client, issued(issue(client, membership_of(platform, admin), request_file()))).content

    def set_subscription(**values: Any) -> str:
        with platform.database.transaction() as session:
            session.execute(
                update(Subscription).where(Subscription.workspace_id == admin.workspace_id).values(**values)
            )
        return str(ask(platform, raw).json()["code"])

    assert set_subscription(status="past_due") == "licensing.license.suspended"
    now = platform.platform.now()
    assert set_subscription(status="trialing", current_period_end=now) == "licensing.license.expired"
    with platform.database.transaction() as session:
        session.execute(update(Workspace).where(Workspace.id == admin.workspace_id).values(deleted_at=now))
    assert ask(platform, raw).json()["code"] == "licensing.license.not_found"


def test_a_file_that_is_over_or_not_ours_is_told_so(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    file_id = issued(issue(client, membership_of(platform, admin), request_file()))
    raw = download(client, file_id).content
    assert ask(platform, raw[:60] + b"A" + raw[61:]).json()["code"] == "licensing.request.format"
    for nonsense in (b"", b"\xff", b"lsl1.k.x.y", b"x" * 40_000):
        assert ask(platform, nonsense).json()["code"] == "licensing.request.format"
    with platform.database.transaction() as session:
        row = session.get_one(OfflineFile, file_id)
        row.expires_at = platform.platform.now()
    assert ask(platform, raw).json()["code"] == "licensing.license.expired"
    assert "Ended" in client.get(PATH).text
    with platform.database.transaction() as session:
        session.delete(session.get_one(OfflineFile, file_id))
    assert ask(platform, raw).json()["code"] == "licensing.license.not_found"


def test_another_workspaces_files_and_members_are_not_there(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client, new_email: Callable[[], str]
) -> None:
    member = membership_of(platform, admin)
    file_id = issued(issue(client, member, request_file()))
    with platform.client() as stranger:
        sign_in(stranger, platform.bootstrap(new_email(), workspace="Other"))
        assert file_id not in stranger.get(PATH).text
        assert download(stranger, file_id).status_code == 404
        assert post(stranger, f"{PATH}/{file_id}/revoke", at=PATH).status_code == 404
        assert issue(stranger, member, request_file()).status_code == 422
    assert download(client, file_id).status_code == 200


def test_the_list_goes_on_where_the_page_before_ended(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    member = membership_of(platform, admin)
    first = issued(issue(client, member, request_file()))
    with platform.database.transaction() as session:
        row = session.get_one(OfflineFile, first)
        kept = {
            column.key: getattr(row, column.key)
            for column in OfflineFile.__table__.columns
            if column.key not in {"id", "jti"}
        }
        for _ in range(60):
            session.add(OfflineFile(id=platform.platform.new_id("off"), jti=platform.platform.new_id("lfi"), **kept))
    page = client.get(PATH).text
    older = re.search(r'href="(\?before=off_\w+)">Older', page)
    assert older
    second = client.get(PATH + older[1]).text
    assert first in second
    assert first not in page
    assert page.count("/download") + second.count("/download") == 61


def test_a_file_whose_license_was_taken_away_is_not_handed_out(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    member = membership_of(platform, admin)
    file_id = issued(issue(client, member, request_file()))
    assert download(client, file_id).status_code == 200
    for verb in ("unassign", "assign"):  # it is theirs again, and another license than the file was made for
        assert post(client, f"/workspace/members/{member}/{verb}", at=f"/workspace/members/{member}").status_code == 303
        assert f"{file_id}/download" not in client.get(PATH).text
        refused = download(client, file_id)
        assert (refused.status_code, "no more" in refused.text) == (409, True)
    assert post(client, f"{PATH}/{file_id}/revoke", at=PATH).status_code == 303
