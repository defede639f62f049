"""A person makes an account, reads the mail on the developer page, and sets up a second factor; on a desk and a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.control.browsing import CONTRAST, OpenPage
from tests.control.serving import RunningPlatform

PASSWORD = "four unrelated sunny words"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    running = RunningPlatform(tmp_path_factory.mktemp("control"))
    yield running
    running.close()


def sign_up(page: Page, email: str) -> None:
    page.goto("/sign-in")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Name").fill("Grace Hopper")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()


def confirm(page: Page, email: str) -> None:
    """By the mail on the developer page."""
    page.get_by_role("link", name="developer page for mail").click()
    expect(page.get_by_text("A page for developers.")).to_be_visible()
    page.get_by_role("link").filter(has_text=email).first.click()
    expect(page.get_by_role("heading", name="Confirm your e-mail address")).to_be_visible()
    page.locator("pre a").first.click()
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/workspaces/new")


@pytest.mark.parametrize("java_script_enabled", [True, False], ids=["with script", "without script"])
def test_from_signing_up_to_the_first_workspace(
    open_page: OpenPage, platform: RunningPlatform, email: str, java_script_enabled: bool
) -> None:
    page = open_page(java_script_enabled=java_script_enabled)
    sign_up(page, email)
    confirm(page, email)
    expect(page.get_by_role("heading", name="Create a workspace")).to_be_visible()
    page.goto("/account")
    expect(page.get_by_text("You belong to none.")).to_be_visible()
    expect(page.get_by_text("Chrome")).to_be_visible()
    page.get_by_role("link", name="Create a workspace").click()
    page.get_by_label("Name", exact=True).fill("Acme Research")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("link", name="My License")).to_be_visible()
    expect(page.get_by_text("Acme Research").first).to_be_visible()


def test_a_second_factor_is_set_up_and_asked_for(open_page: OpenPage, platform: RunningPlatform, email: str) -> None:
    page = open_page()
    sign_up(page, email)
    confirm(page, email)
    page.goto("/account")
    page.get_by_role("link", name="Set it up").click()
    page.get_by_role("button", name="Show the QR code").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    key = page.locator("#totp-key").inner_text().replace(" ", "")
    page.get_by_label("Six digits").fill(pyotp.TOTP(key).now())
    page.get_by_role("button", name="Switch it on").click()
    codes = page.locator("#codes li")
    expect(codes).to_have_count(10)
    recovery = codes.first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("On", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/workspaces/new")


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1280, "dark")])
def test_the_pages_fit_and_can_be_read(
    open_page: OpenPage, platform: RunningPlatform, email: str, width: int, scheme: str
) -> None:
    page = open_page(viewport={"width": width, "height": 800}, color_scheme=scheme)

    def check(what: str) -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= width, what
        assert page.evaluate(CONTRAST) == [], what

    for path in ("/sign-in", "/sign-up", "/reset"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        check(path)
    sign_up(page, email)
    check("check your mail")
    page.get_by_role("link", name="developer page for mail").click()
    expect(page.get_by_text("A page for developers.")).to_be_visible()
    check("mails")
    page.get_by_role("link").filter(has_text=email).first.click()
    expect(page.locator("pre a").first).to_be_visible()
    check("mail")
    page.locator("pre a").first.click()
    expect(page.get_by_role("button", name="Confirm")).to_be_visible()
    check("confirm")
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/workspaces/new")
    page.goto("/account/second-factor")
    page.get_by_role("button", name="Show the QR code").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    check("second factor")
