"""CI Keys: made and shown once, renamed, rotated with an overlap, ended; who may, and what the page says of a dead key."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from playwright.sync_api import expect

from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.ci import service
from cloudlet.control.ci.errors import KeyEnded
from cloudlet.control.ci.forms import KeyForm
from cloudlet.control.ci.views import key_view
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.workspaces.tables import Workspace
from tests.control import browsing
from tests.control.browsing import OpenPage
from tests.control.people import csrf, post, sign_in
from tests.control.serving import RunningPlatform
from tests.control.staff import Colleague, admin_of, audit_of

LIST = "/workspace/ci-keys"


@pytest.fixture
def company(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, workspace="Acme Research")


@pytest.fixture
def admin(platform: RunningPlatform, company: BootstrapResult) -> Iterator[httpx.Client]:
    with platform.client() as client:
        sign_in(client, company)
        yield client


class Key:
    """A key made on the page."""

    def __init__(self, client: httpx.Client, **fields: str) -> None:
        answer = post(client, LIST, **{"name": "GitHub Actions", "days": "0", **fields})
        assert answer.status_code == 200, answer.text
        self.token = secret_in(answer.text)
        shown = self.token[: self.token.index("-") + 9] + "-****"
        rows = re.findall(rf'href="{LIST}/(cik_\w+)">(.*?)</a>', client.get(LIST).text, re.DOTALL)
        self.id = next(key_id for key_id, row in rows if shown in row)
        self.page = f"{LIST}/{self.id}"


def secret_in(page: str) -> str:
    found = re.search(r'<code id="secret">([^<]+)</code>', page)
    assert found, page
    return found[1]


def test_a_key_is_shown_once(admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult) -> None:
    key = Key(admin, project="webshop", days="90")
    assert key.token.startswith("lsci-")
    for path in (LIST, key.page):
        page = admin.get(path).text
        assert key.token not in page
        assert "GitHub Actions" in page
        assert "webshop" in page
    assert platform.request_license(key.token).status_code == 200
    assert audit_of(platform, company, "credential.created")[-1] == {"kind": "ci", "name": "GitHub Actions"}
    assert "created the CI key “GitHub Actions”" in admin.get("/workspace/audit").text
    with platform.database.snapshot() as session:
        row = session.get_one(Credential, key.id)
        assert row.secret_enc is None
        assert row.expires_at is not None
        assert row.expires_at - row.created_at == timedelta(days=90)


def test_a_strict_key_looks_like_an_auth_token(admin: httpx.Client, platform: RunningPlatform) -> None:
    key = Key(admin, strict="on")
    assert key.token.startswith("ls-")
    assert len(key.token) == 39
    assert platform.request_license(key.token).status_code == 200


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": " "}, "Give the key a name"),
        ({"name": "x" * 121}, "at most 120 characters"),
        ({"name": "x", "project": "y" * 121}, "at most 120 characters"),
        ({"name": "x", "days": "-1"}, "Choose when the key expires"),
        ({"name": "x", "days": "9999"}, "3650 days"),
    ],
)
def test_what_is_filled_in_wrongly_is_said(admin: httpx.Client, fields: dict[str, str], problem: str) -> None:
    answer = post(admin, LIST, **{"days": "0", **fields})
    assert answer.status_code == 422
    assert problem in answer.text
    assert "No key yet" in answer.text


def test_a_key_is_renamed(admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult) -> None:
    key = Key(admin)
    assert post(admin, key.page, at=key.page, name="Nightly", project="api").status_code == 303
    page = admin.get(LIST).text
    assert "Nightly" in page
    assert "GitHub Actions</strong>" not in page
    assert audit_of(platform, company, "credential.renamed")[-1]["name_before"] == "GitHub Actions"
    assert post(admin, key.page, at=key.page, name="").status_code == 422


def test_a_rotated_key_lives_on_for_its_overlap(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    key = Key(admin, project="webshop", days="30")
    answer = post(admin, key.page + "/rotate", at=key.page, overlap="24")
    new = secret_in(answer.text)
    assert [platform.request_license(token).status_code for token in (key.token, new)] == [200, 200]
    assert "Replaced" in admin.get(key.page).text
    assert audit_of(platform, company, "credential.rotated")[-1]["overlap_hours"] == 24
    with platform.database.transaction() as session:
        row = session.get_one(Credential, key.id)
        assert row.replaced_by is not None
        successor = session.get_one(Credential, row.replaced_by)
        assert (successor.name, successor.project, successor.family_id) == (row.name, "webshop", row.family_id)
        assert successor.expires_at is not None
        row.grace_until = platform.platform.now() - timedelta(seconds=1)
    answer = platform.request_license(key.token)
    assert (answer.status_code, answer.json()["code"]) == (403, "licensing.credentials.revoked")
    assert platform.request_license(new).status_code == 200


def test_a_key_rotated_without_overlap_is_dead_at_once(admin: httpx.Client, platform: RunningPlatform) -> None:
    key = Key(admin)
    new = secret_in(post(admin, key.page + "/rotate", at=key.page, overlap="0").text)
    assert [platform.request_license(token).status_code for token in (key.token, new)] == [403, 200]
    answer = post(admin, key.page + "/rotate", at=LIST, overlap="0")
    assert answer.status_code == 409
    assert "ended" in answer.text


def test_an_overlap_that_is_not_offered_is_refused(admin: httpx.Client, platform: RunningPlatform) -> None:
    key = Key(admin)
    for overlap in ("2", "", "-1", "100000000"):
        assert post(admin, key.page + "/rotate", at=key.page, overlap=overlap).status_code == 422
    assert platform.request_license(key.token).status_code == 200


def test_of_two_who_rotate_at_once_one_gets_a_key(platform: RunningPlatform, company: BootstrapResult) -> None:
    viewer = admin_of(platform, company)
    with platform.database.transaction() as session:
        made = service.create_key(session, platform.platform, viewer, KeyForm(name="x"))
    barrier = threading.Barrier(4)

    def rotate(_: int) -> str:
        barrier.wait()
        try:
            with platform.database.transaction() as session:
                service.rotate_key(session, platform.platform, viewer, made.credential_id, overlap_hours=1)
        except KeyEnded:
            return "ended"
        return "ok"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(rotate, range(4))) == ["ended", "ended", "ended", "ok"]


def test_a_deleted_key_is_refused_and_its_use_is_told_once_an_hour(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    key = Key(admin)
    assert post(admin, key.page + "/delete", at=key.page).status_code == 303
    assert audit_of(platform, company, "credential.revoked")[-1] == {"kind": "ci", "reason": "deleted"}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: platform.request_license(key.token), range(12)))
    assert {answer.json()["code"] for answer in answers} == {"licensing.credentials.revoked"}
    reused = audit_of(platform, company, "credential.reused_after_revoke")
    assert [(entry["kind"], entry["uses"], entry["reason"]) for entry in reused] == [("ci", 1, "deleted")]
    assert "A dead key is" in admin.get(LIST).text
    assert "used 12 times after its end" in admin.get(key.page).text
    with platform.database.transaction() as session:
        row = session.get_one(Credential, key.id)
        assert row.reuse_count == 12
        assert row.last_used_at is None
        row.reuse_told_at = platform.platform.now() - timedelta(minutes=61)
    platform.request_license(key.token)
    assert [entry["uses"] for entry in audit_of(platform, company, "credential.reused_after_revoke")] == [1, 13]


def test_a_family_is_revoked_as_a_whole(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    first, stranger = Key(admin), Key(admin, name="Stranger")
    second = secret_in(post(admin, first.page + "/rotate", at=first.page, overlap="168").text)
    assert "Revoke the whole family" in admin.get(first.page).text
    assert "Revoke the whole family" not in admin.get(stranger.page).text
    assert post(admin, first.page + "/revoke-family", at=first.page).status_code == 303
    tokens = (first.token, second, stranger.token)
    assert [platform.request_license(token).status_code for token in tokens] == [403, 403, 200]


def test_an_expired_key_says_when(admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult) -> None:
    key = Key(admin)
    with platform.database.transaction() as session:
        session.get_one(Credential, key.id).created_at = platform.platform.now() - timedelta(days=10)
        session.get_one(Workspace, company.workspace_id).settings = {"token_max_age_d": 9}
    answer = platform.request_license(key.token).json()
    assert answer["code"] == "licensing.credentials.expired"
    assert f"{platform.platform.now() - timedelta(days=1):%Y-%m-%d}" in answer["detail"]
    assert "Expired" in admin.get(key.page).text


def test_the_page_counts_runs_by_key_and_day(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    assert "No run has used a credit" in admin.get(LIST).text
    key = Key(admin)
    for run in ("17", "17", "18"):
        platform.request_license(key.token, machine={"ci_run": f"GITHUB_RUN_ID={run}", "ci_project": "shop"})
    page = admin.get(LIST).text
    assert "<strong>2</strong>" in page
    assert "of 300 used" in page
    assert page.count('class="chart-bar"') == 1
    assert "2 runs" in page
    detail = admin.get(key.page).text
    assert ">17</td>" in detail
    assert "gen_0123456789ab" in detail
    with platform.database.snapshot() as session:
        view = key_view(session, platform.platform, company.workspace_id, key.id)
    assert (view.runs, view.last_project) == (2, "shop")


def test_who_may_only_read_sees_keys_and_changes_nothing(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    key = Key(admin)
    with Colleague(platform, company).browser() as client:
        page = client.get(LIST).text
        assert "GitHub Actions" in page
        assert "Create a key" not in page
        assert "Rotate" not in client.get(key.page).text
        token = csrf(client.get("/account").text)
        for path in (LIST, key.page, key.page + "/rotate", key.page + "/delete", key.page + "/revoke-family"):
            answer = client.post(path, data={"_csrf_token": token, "name": "x", "overlap": "0"})
            assert answer.status_code == 403
    with Colleague(platform, company, permissions={"ci_key.read": False}).browser() as client:
        assert client.get(LIST).status_code == client.get(key.page).status_code == 403
    assert platform.request_license(key.token).status_code == 200


def test_another_workspaces_key_does_not_exist(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult, new_email: Callable[[], str]
) -> None:
    key = Key(admin)
    with platform.client() as stranger:
        sign_in(stranger, platform.bootstrap(new_email()))
        assert stranger.get(key.page).status_code == 404
        for path in (key.page, key.page + "/rotate", key.page + "/delete", key.page + "/revoke-family"):
            assert post(stranger, path, at=LIST, name="x", overlap="0").status_code == 404
        assert key.id not in stranger.get(LIST).text
    assert platform.request_license(key.token).status_code == 200


@pytest.mark.parametrize("java_script_enabled", [True, False], ids=["with script", "without script"])
def test_a_key_is_made_rotated_and_deleted_in_a_browser(
    open_page: OpenPage, platform: RunningPlatform, company: BootstrapResult, java_script_enabled: bool
) -> None:
    page = open_page(java_script_enabled=java_script_enabled, viewport={"width": 390, "height": 800})
    browsing.sign_in(page, company)
    page.goto(LIST)
    page.get_by_label("Name").fill("Nightly")
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_text("it is shown this once")).to_be_visible()
    token = page.locator("#secret").inner_text()
    assert platform.request_license(token).status_code == 200
    page.goto(LIST)
    page.get_by_role("link", name="Nightly").click()
    expect(page.get_by_role("heading", name="Last runs")).to_be_visible()
    page.get_by_label("The old key ends").select_option("0")
    page.get_by_role("button", name="Rotate key").click()
    expect(page.get_by_role("heading", name="The new key")).to_be_visible()
    new = page.locator("#secret").inner_text()
    assert [platform.request_license(one).status_code for one in (token, new)] == [403, 200]
    page.get_by_text("Delete key").click()
    page.get_by_role("button", name="Delete Nightly").click()
    expect(page.get_by_role("status")).to_contain_text("The key is dead")
    assert platform.request_license(new).status_code == 403


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_readable_and_narrow(
    open_page: OpenPage, platform: RunningPlatform, company: BootstrapResult, scheme: str
) -> None:
    viewer = admin_of(platform, company)
    with platform.database.transaction() as session:
        made = service.create_key(session, platform.platform, viewer, KeyForm(name="A name " * 15, project="p" * 100))
    platform.request_license(made.token)
    page = open_page(color_scheme=scheme, viewport={"width": 320, "height": 800})
    browsing.sign_in(page, company)
    for path in (LIST, f"{LIST}/{made.credential_id}", "/workspace/activations", "/workspace/machines"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate(browsing.CONTRAST) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
