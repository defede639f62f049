"""Pages over HTTP, without JavaScript: signing in, the token, the license; who may see what."""

from __future__ import annotations

import re

import httpx
import pytest
from sqlalchemy import select, update

from cloudlet.control.accounts.service import SUDO_MINUTES, create_user, make_link
from cloudlet.control.accounts.tables import EmailToken, WebSession
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.licenses.service import unassign
from cloudlet.control.workspaces.tables import Membership
from tests.control.people import csrf, post, sign_in
from tests.control.serving import RunningPlatform

PASSWORD = "correct horse battery staple"
PAGES = ("/getting-started", "/workspace/auth-tokens", "/workspace/my-license", "/workspace/members")


@pytest.fixture
def member(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, workspace=f"Workspace of {email}", password=PASSWORD)


@pytest.fixture
def client(platform: RunningPlatform):
    with platform.client() as opened:
        yield opened


@pytest.fixture
def signed_in(client: httpx.Client, member: BootstrapResult) -> httpx.Client:
    sign_in(client, member)
    return client


def end_sudo(platform: RunningPlatform) -> None:
    with platform.database.transaction() as session:
        session.execute(update(WebSession).values(sudo_until=None))


@pytest.mark.parametrize("path", PAGES)
def test_strangers_are_led_to_the_sign_in_page_and_back(
    client: httpx.Client, member: BootstrapResult, path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 303
    page = client.get(answer.headers["location"])
    assert page.status_code == 200
    signed = post(client, "/sign-in", at=answer.headers["location"], email=member.email, password=PASSWORD, next=path)
    assert (signed.status_code, signed.headers["location"]) == (303, path)
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/sign-out"]
)
def test_signing_in_leads_nowhere_else(client: httpx.Client, member: BootstrapResult, target: str) -> None:
    signed = post(client, "/sign-in", email=member.email, password=PASSWORD, next=target)
    assert signed.headers["location"] == "/getting-started"


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    client: httpx.Client, member: BootstrapResult
) -> None:
    wrong = post(client, "/sign-in", email=member.email, password="wrong")
    unknown = post(client, "/sign-in", email="nobody@example.com", password="wrong")
    assert wrong.status_code == unknown.status_code == 401
    text = "E-mail address or password is wrong"
    assert text in wrong.text
    assert text in unknown.text
    assert member.email in wrong.text  # what was typed is still there
    assert "cloudlet_session" not in client.cookies


def test_a_user_without_a_password_cannot_sign_in_by_an_empty_one(
    client: httpx.Client, platform: RunningPlatform, new_email
) -> None:
    found = platform.bootstrap(new_email())
    assert post(client, "/sign-in", email=found.email, password="").status_code == 401


def test_a_link_signs_in_once(platform: RunningPlatform, member: BootstrapResult) -> None:
    path = member.sign_in_link.removeprefix(platform.url)
    with platform.client() as first, platform.client() as second:
        assert member.email in first.get(path).text
        assert member.email in second.get(path).text  # looking does not use it up
        assert post(first, path).status_code == 303
        assert first.get("/getting-started").status_code == 200
        assert second.get(path).status_code == 410
        again = second.post(path, data={"_csrf_token": csrf(second.get("/sign-in").text)})
        assert again.status_code == 410
        assert "cloudlet_session" not in second.cookies


def test_a_link_that_is_too_old_or_was_made_up_is_refused(platform: RunningPlatform, member: BootstrapResult) -> None:
    path = member.sign_in_link.removeprefix(platform.url)
    with platform.database.transaction() as session:
        session.execute(update(EmailToken).values(expires_at=platform.platform.now()))
    with platform.client() as client:
        assert client.get(path).status_code == 410
        assert client.get("/sign-in/link/made-up").status_code == 410


def test_a_link_for_another_purpose_does_not_sign_in(platform: RunningPlatform, member: BootstrapResult) -> None:
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, "x" + member.email)
        secret = make_link(session, platform.platform, user, "reset")
    with platform.client() as client:
        assert client.get(f"/sign-in/link/{secret}").status_code == 410


def test_signing_out_ends_the_session_on_the_server(signed_in: httpx.Client) -> None:
    cookie = signed_in.cookies["cloudlet_session"]
    assert post(signed_in, "/sign-out", at="/getting-started").headers["location"] == "/sign-in"
    signed_in.cookies.set("cloudlet_session", cookie)
    assert signed_in.get("/getting-started").status_code == 303


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(client: httpx.Client, member: BootstrapResult) -> None:
    answer = post(client, member.sign_in_link.removeprefix(member.web_url))
    cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("cloudlet_session"))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie  # served over http on loopback here


def test_a_member_who_was_removed_is_signed_out(
    platform: RunningPlatform, signed_in: httpx.Client, member: BootstrapResult
) -> None:
    with platform.database.transaction() as session:
        session.execute(
            update(Membership).where(Membership.workspace_id == member.workspace_id).values(status="removed")
        )
    assert signed_in.get("/getting-started").status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in",
        "/sign-out",
        "/workspace/auth-tokens/reveal",
        "/workspace/auth-tokens/reset",
        "/workspace/auth-tokens/create",
    ],
)
def test_a_form_without_its_token_is_refused(signed_in: httpx.Client, path: str) -> None:
    assert signed_in.post(path, data={}).status_code == 403
    assert signed_in.post(path, data={"_csrf_token": "made-up"}).status_code == 403
    other = httpx.get(str(signed_in.base_url) + "/sign-in")
    assert signed_in.post(path, data={"_csrf_token": csrf(other.text)}).status_code == 403


@pytest.mark.parametrize("path", [*PAGES, "/sign-in", "/nothing", "/docs/errors", "/healthz", "/v1/license/ping"])
def test_every_answer_has_the_security_headers(signed_in: httpx.Client, path: str) -> None:
    headers = signed_in.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("path", [*PAGES, "/sign-in", "/docs/errors"])
def test_no_page_has_inline_script_or_style_or_is_large(signed_in: httpx.Client, path: str) -> None:
    page = signed_in.get(path)
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son\w+=|javascript:", page.text)
    assert "http://" not in re.sub(r"(API_ENDPOINT|xmlns)[=: ]\"?http://\S+", "", page.text).replace(
        str(signed_in.base_url), ""
    )
    assert len(page.content) < 100_000


def test_the_token_is_masked_until_it_is_revealed(
    platform: RunningPlatform, signed_in: httpx.Client, member: BootstrapResult
) -> None:
    for path in PAGES:
        assert member.token not in signed_in.get(path).text
    assert member.token[:11] in signed_in.get("/workspace/auth-tokens").text
    shown = post(signed_in, "/workspace/auth-tokens/reveal", at="/workspace/auth-tokens")
    assert member.token in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert member.token not in signed_in.get("/workspace/auth-tokens").text
    with platform.database.snapshot() as session:
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.workspace_id == member.workspace_id)).all()
    assert actions.count("credential.revealed") == 1


def test_some_time_after_signing_in_the_password_is_asked_for(
    platform: RunningPlatform, signed_in: httpx.Client, member: BootstrapResult
) -> None:
    end_sudo(platform)
    path = "/workspace/auth-tokens/reveal"
    asked = post(signed_in, path, at="/workspace/auth-tokens")
    assert member.token not in asked.text
    assert "Confirm your password" in asked.text
    wrong = post(signed_in, path, at="/workspace/auth-tokens", password="wrong")
    assert (wrong.status_code, member.token in wrong.text) == (403, False)
    right = post(signed_in, path, at="/workspace/auth-tokens", password=PASSWORD)
    assert member.token in right.text
    again = post(signed_in, path, at="/workspace/auth-tokens")
    assert member.token in again.text
    assert SUDO_MINUTES <= 15


def test_without_a_password_one_signs_in_again(platform: RunningPlatform, client: httpx.Client, new_email) -> None:
    found = platform.bootstrap(new_email())
    sign_in(client, found)
    end_sudo(platform)
    asked = post(client, "/workspace/auth-tokens/reveal", at="/workspace/auth-tokens")
    assert found.token not in asked.text
    assert "Sign in again</a>" in asked.text


def test_reset_wants_its_word_and_kills_the_old_token(
    platform: RunningPlatform, signed_in: httpx.Client, member: BootstrapResult
) -> None:
    platform.request_license(member.token, machine={"id": "sys_00000000abcd"})
    page = signed_in.get("/workspace/auth-tokens").text
    assert "sys_00000000abcd" in page  # who will stop is told beforehand
    refused = post(signed_in, "/workspace/auth-tokens/reset", at="/workspace/auth-tokens", confirm="yes")
    assert refused.status_code == 422
    assert platform.request_license(member.token).status_code == 200
    done = post(signed_in, "/workspace/auth-tokens/reset", at="/workspace/auth-tokens", confirm="Reset")
    assert "Your old token is dead" in done.text
    assert platform.request_license(member.token).status_code == 403
    shown = post(signed_in, "/workspace/auth-tokens/reveal", at="/workspace/auth-tokens").text
    found = re.search(r'id="token">(ls-[^<]+)<', shown)
    assert found
    assert platform.request_license(found[1]).status_code == 200


def test_my_license_tells_plan_days_and_last_activation(
    platform: RunningPlatform, signed_in: httpx.Client, member: BootstrapResult
) -> None:
    page = signed_in.get("/workspace/my-license").text
    assert "Trial" in page
    assert "14 days left" in page
    assert "No emulator has asked" in page
    platform.request_license(member.token)
    page = signed_in.get("/workspace/my-license").text
    assert "Granted" in page
    assert "gen_0123456789ab" in page
    platform.request_license(member.token, product={"name": "else"})
    page = signed_in.get("/workspace/my-license").text
    assert "Refused" in page
    assert "/docs/errors#license.product" in page


def test_who_has_no_license_learns_whom_to_ask(
    platform: RunningPlatform, signed_in: httpx.Client, member: BootstrapResult
) -> None:
    with platform.database.transaction() as session:
        membership = session.scalars(select(Membership).where(Membership.workspace_id == member.workspace_id)).one()
        unassign(session, platform.platform, member.workspace_id, membership.id, actor="test")
    page = signed_in.get("/workspace/my-license").text
    assert "No license is assigned to you" in page
    assert f"<strong>{member.email}</strong>" in page
    assert "None" in signed_in.get("/getting-started").text


def test_getting_started_notices_the_first_activation(
    platform: RunningPlatform, signed_in: httpx.Client, member: BootstrapResult
) -> None:
    assert signed_in.get("/getting-started/status").json() == {"activated": False, "problem": ""}
    assert "Waiting for the first start" in signed_in.get("/getting-started").text
    platform.request_license(member.token)
    assert signed_in.get("/getting-started/status").json() == {"activated": True, "problem": ""}
    assert "Waiting for the first start" not in signed_in.get("/getting-started").text
    assert f"API_ENDPOINT={platform.url}/v1" in signed_in.get("/getting-started").text


def test_everybody_sees_their_own_workspace_only(platform: RunningPlatform, signed_in: httpx.Client, new_email) -> None:
    stranger = platform.bootstrap(new_email(), workspace="Strangers Ltd")
    platform.request_license(stranger.token, machine={"id": "sys_strange"})
    for path in PAGES:
        page = signed_in.get(path).text
        for secret in ("Strangers Ltd", stranger.email, stranger.license_id, "sys_strange", stranger.token[:11]):
            assert secret not in page
    revealed = post(signed_in, "/workspace/auth-tokens/reveal", at="/workspace/auth-tokens").text
    assert stranger.token not in revealed


def test_names_are_escaped(platform: RunningPlatform, client: httpx.Client, new_email) -> None:
    found = platform.bootstrap(new_email(), workspace="<script>alert(1)</script>")
    sign_in(client, found)
    for path in PAGES:
        page = client.get(path).text
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_what_is_not_there_is_a_page_with_a_request_id(client: httpx.Client) -> None:
    answer = client.get("/nothing")
    assert answer.status_code == 404
    assert answer.headers["x-request-id"] in answer.text


def test_static_files_may_be_kept_because_their_address_changes_with_them(client: httpx.Client) -> None:
    found = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/sign-in").text)
    assert len(found) == 3
    for address in found:
        answer = client.get(address)
        assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True)
        assert re.fullmatch(r"/static/[\w.]+\?[0-9a-f]{10}", address)
    assert client.get("/static/../settings.py").status_code == 404
    assert client.get("/static/%2e%2e/app.py").status_code == 404


def test_health_and_readiness(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_the_errors_page_explains_every_code(client: httpx.Client) -> None:
    page = client.get("/docs/errors").text
    for code in ("credentials.missing", "license.not_assigned", "server.tls", "clock.rollback"):
        assert f'id="{code}"' in page
