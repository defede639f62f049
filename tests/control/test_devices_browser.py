"""The page on which a command line's sign-in is approved, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from cloudlet.control.accounts.service import find_user
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.limits.tables import RateBucket
from cloudlet.control.workspaces.service import create_workspace
from tests.control.browsing import CONTRAST, OpenPage, sign_in
from tests.control.serving import RunningPlatform

WISH = {"actor": "cloudlet", "version": "0.1.0", "host": "ada-laptop", "scopes": ["ci_key.manage", "usage.read"]}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """On SQLite: what differs by database is tested without a browser."""
    running = RunningPlatform(tmp_path_factory.mktemp("control"))
    yield running
    running.close()


@pytest.fixture
def member(platform: RunningPlatform, email: str) -> BootstrapResult:
    """With a second workspace, so that there is something to choose."""
    made = platform.bootstrap(email, workspace="Acme Research")
    with platform.database.transaction() as session:
        session.execute(delete(RateBucket))
        user = find_user(session, email)
        assert user is not None
        create_workspace(session, platform.platform, "Side project", user)
    return made


def open_request(page: Page, platform: RunningPlatform) -> dict[str, str]:
    opened: dict[str, str] = httpx.post(f"{platform.url}/v1/auth/request", json=WISH).json()
    page.goto(opened["url"])
    expect(page.get_by_role("heading", name="cloudlet wants to sign in as you")).to_be_visible()
    return opened


def is_confirmed(platform: RunningPlatform, opened: dict[str, str]) -> dict[str, bool]:
    headers = {"x-exchange-token": opened["exchange_token"]}
    answer: dict[str, bool] = httpx.get(f"{platform.url}/v1/auth/request/{opened['id']}", headers=headers).json()
    return answer


@pytest.mark.parametrize("java_script_enabled", [True, False], ids=["with script", "without script"])
def test_a_person_compares_chooses_and_approves(
    open_page: OpenPage, platform: RunningPlatform, member: BootstrapResult, java_script_enabled: bool
) -> None:
    page = open_page(java_script_enabled=java_script_enabled)
    sign_in(page, member)
    opened = open_request(page, platform)
    expect(page.get_by_text(opened["code"])).to_be_visible()
    expect(page.get_by_text("ada-laptop")).to_be_visible()
    page.get_by_label("Workspace").select_option(label="Side project, no license for you")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name="Signed in")).to_be_visible()
    expect(page.get_by_text("Side project")).to_be_visible()
    assert is_confirmed(platform, opened) == {"confirmed": True, "denied": False}


def test_a_person_denies(open_page: OpenPage, platform: RunningPlatform, member: BootstrapResult) -> None:
    page = open_page()
    sign_in(page, member)
    opened = open_request(page, platform)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", name="Denied")).to_be_visible()
    assert is_confirmed(platform, opened) == {"confirmed": False, "denied": True}


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_can_be_read(
    open_page: OpenPage, platform: RunningPlatform, member: BootstrapResult, width: int, scheme: str
) -> None:
    page = open_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    sign_in(page, member)
    open_request(page, platform)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name="Signed in")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []
