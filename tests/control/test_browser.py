"""A real browser walks from the one-time link to the revealed token; with and without JavaScript, on a desk and a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from cloudlet.control.accounts.service import create_user
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.credentials.service import ensure_auth_token
from cloudlet.control.workspaces.service import add_member
from tests.control.browsing import CONTRAST, OpenPage, sign_in
from tests.control.serving import RunningPlatform


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """On SQLite: what differs by database is tested without a browser and without the outside client."""
    running = RunningPlatform(tmp_path_factory.mktemp("control"))
    yield running
    running.close()


@pytest.fixture
def member(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, workspace="Acme Research")


@pytest.mark.parametrize("java_script_enabled", [True, False], ids=["with script", "without script"])
def test_from_the_link_to_the_revealed_token(
    open_page: OpenPage, platform: RunningPlatform, member: BootstrapResult, java_script_enabled: bool
) -> None:
    page = open_page(java_script_enabled=java_script_enabled)
    sign_in(page, member)
    page.get_by_role("link", name="Auth Token").first.click()
    expect(page.get_by_role("heading", name="Auth Token", exact=True)).to_be_visible()
    assert member.token not in page.content()
    page.get_by_role("button", name="Reveal").click()
    expect(page.locator("#token")).to_have_text(member.token)
    assert member.token not in page.url
    page.get_by_role("link", name="My License").click()
    expect(page.get_by_text("14 days left")).to_be_visible()
    assert member.token not in page.content()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto(platform.url + "/workspace/auth-tokens")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_the_token_can_be_copied(open_page: OpenPage, platform: RunningPlatform, member: BootstrapResult) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    sign_in(page, member)
    page.goto("/workspace/auth-tokens")
    page.get_by_role("button", name="Reveal").click()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == member.token


def test_getting_started_turns_green_by_itself(
    open_page: OpenPage, platform: RunningPlatform, member: BootstrapResult
) -> None:
    page = open_page()
    sign_in(page, member)
    expect(page.get_by_text("Waiting for the first start")).to_be_visible()
    assert platform.request_license(member.token).status_code == 200
    expect(page.get_by_text("gen_0123456789ab")).to_be_visible()
    expect(page.get_by_text("Activated").first).to_be_visible()


def test_a_reset_is_confirmed_by_typing(
    open_page: OpenPage, platform: RunningPlatform, member: BootstrapResult
) -> None:
    page = open_page()
    sign_in(page, member)
    page.goto("/workspace/auth-tokens")
    page.get_by_text("Reset Auth Token").first.click()
    page.get_by_label("Type “reset” to confirm").fill("reset")
    page.get_by_role("button", name="Reset Auth Token").click()
    expect(page.get_by_role("status")).to_contain_text("Your old token is dead")
    assert platform.request_license(member.token).status_code == 403


@pytest.mark.parametrize("java_script_enabled", [True, False], ids=["with script", "without script"])
def test_an_admin_assigns_a_license_and_the_members_emulator_starts(
    open_page: OpenPage,
    platform: RunningPlatform,
    member: BootstrapResult,
    new_email: Callable[[], str],
    java_script_enabled: bool,
) -> None:
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, new_email(), name="Grace Hopper")
        joined = add_member(session, platform.platform, member.workspace_id, user, role="member")
        token = ensure_auth_token(session, platform.platform, joined, actor="test").token
    page = open_page(java_script_enabled=java_script_enabled)
    sign_in(page, member)
    assert platform.request_license(token).status_code == 403
    page.get_by_role("link", name="Users & Licenses").click()
    page.get_by_label("Name or e-mail address").fill("grace")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Grace Hopper").click()
    page.get_by_role("button", name="Assign license").click()
    expect(page.get_by_role("status")).to_contain_text("The license is assigned")
    assert platform.request_license(token).status_code == 200
    page.get_by_label("Member Role").select_option("billing")
    issue = page.get_by_role("switch", name="Allow member to issue a license for themselves")
    expect(issue).to_be_hidden()
    page.get_by_role("switch", name="Advanced Permissions").check()
    issue.check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.get_by_label("Member Role")).to_have_value("billing")
    expect(issue).to_be_checked()
    page.get_by_role("button", name="Unassign license").click()
    expect(page.get_by_role("status")).to_contain_text("free again")
    assert platform.request_license(token).status_code == 403


@pytest.mark.parametrize("path", ["/workspace/members", "/workspace/members/own"])
@pytest.mark.parametrize("width", [320, 1280])
def test_a_members_page_fits_and_can_be_read(
    open_page: OpenPage, platform: RunningPlatform, member: BootstrapResult, path: str, width: int
) -> None:
    page = open_page(viewport={"width": width, "height": 800}, color_scheme="dark")
    sign_in(page, member)
    page.goto("/workspace/members")
    if path.endswith("own"):
        page.locator("a.person").click()
        page.get_by_label("Member Role").select_option("member")
        page.get_by_role("switch", name="Advanced Permissions").check()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []


def test_a_revealed_token_fits_a_small_window(open_page: OpenPage, member: BootstrapResult) -> None:
    page = open_page(viewport={"width": 320, "height": 800})
    sign_in(page, member)
    page.goto("/workspace/auth-tokens")
    page.get_by_role("button", name="Reveal").click()
    expect(page.locator("#token")).to_have_text(member.token)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_everything_can_be_reached_by_keyboard(open_page: OpenPage, member: BootstrapResult) -> None:
    page = open_page()
    sign_in(page, member)
    page.goto("/workspace/auth-tokens")
    seen = []
    for _ in range(30):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.innerText.trim()"))
    assert seen[0] == "Skip to content"
    for name in (
        "Getting Started",
        "My License",
        "Auth Token",
        "Users & Licenses",
        "Sign out",
        "Reveal",
        "Reset Auth Token",
    ):
        assert name in seen
