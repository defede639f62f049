"""The whole walk in a real browser: an admin sets single sign-on up and tries it, then somebody new comes in by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.control.browsing import OpenPage, sign_in
from tests.control.oidc_provider import CLIENT_ID, SECRET, RunningProvider
from tests.control.serving import RunningPlatform

PASSWORD = "four unrelated words here"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """On SQLite: what differs by database is tested without a browser."""
    running = RunningPlatform(tmp_path_factory.mktemp("control"))
    yield running
    running.close()


def fill_in(page: Page, provider: RunningProvider) -> None:
    page.get_by_role("link", name="Single sign-on").first.click()
    expect(page.get_by_role("heading", name="Add your identity provider")).to_be_visible()
    page.get_by_label("Name", exact=False).first.fill("Keycloak")
    page.get_by_label("Issuer").fill(provider.url)
    page.get_by_label("Client ID").fill(CLIENT_ID)
    page.get_by_label("Client secret").fill(SECRET)
    page.get_by_label("Default User Role").select_option("auditor")
    page.get_by_role("button", name="Check and add").click()
    expect(page.get_by_text("The provider is set up.")).to_be_visible()


def complaints(page: Page) -> list[str]:
    return [violation["id"] for violation in Axe().run(page).response["violations"]]


@pytest.mark.parametrize("java_script_enabled", [True, False], ids=["with script", "without script"])
def test_an_admin_sets_it_up_and_a_colleague_comes_in_with_the_default_role(
    open_page: OpenPage,
    platform: RunningPlatform,
    provider: RunningProvider,
    email: str,
    java_script_enabled: bool,
) -> None:
    provider.set(subject="admin-" + email, email=email)
    page = open_page(java_script_enabled=java_script_enabled)
    sign_in(page, platform.bootstrap(email, workspace="Acme", password=PASSWORD))
    fill_in(page, provider)
    page.get_by_role("link", name="Test sign-in").click()
    expect(page.get_by_role("heading", name="It works")).to_be_visible()
    page.get_by_role("link", name="Back to Keycloak").click()
    expect(page.get_by_role("heading", name="Addresses")).to_be_visible()

    colleague = f"new-{email}"
    provider.set(subject=colleague, email=colleague, name="Grace Hopper")
    page = open_page(java_script_enabled=java_script_enabled)
    page.goto("/workspace/audit")
    page.get_by_role("link", name="Sign in with SSO").click()
    page.get_by_label("E-mail address").fill(colleague)
    page.get_by_role("button", name="Continue").click()
    doors = page.get_by_role("link", name="Continue with Keycloak")
    choice = page.get_by_role("link", name="Acme, by Keycloak")
    expect(doors.or_(choice).first).to_be_visible()
    if choice.count():  # of the other run of this test
        choice.last.click()
    expect(page.get_by_role("heading", name="Sign in to Acme")).to_be_visible()
    doors.click()
    expect(page.get_by_role("heading", name="Audit log")).to_be_visible()
    expect(page.get_by_text("Grace Hopper").first).to_be_visible()
    assert page.url == f"{platform.url}/workspace/audit"


def test_what_the_provider_refuses_is_told_on_a_page_that_everybody_can_read(
    browser: Browser, platform: RunningPlatform, provider: RunningProvider, email: str
) -> None:
    """Not by `open_page`: the browser's console complains of each status like 403."""
    provider.set()
    page = browser.new_context(base_url=platform.url).new_page()
    page.set_default_timeout(20_000)
    sign_in(page, platform.bootstrap(email, workspace="Acme", password=PASSWORD))
    fill_in(page, provider)
    provider.set(email_verified=False)
    page.get_by_role("link", name="Test sign-in").click()
    expect(page.get_by_role("heading", name="It does not work yet")).to_be_visible()
    assert complaints(page) == []
    portal = page.get_by_role("link", name="Back to Keycloak")
    portal.click()
    address = page.locator("#portal")
    expect(address).to_be_visible()
    target = address.inner_text()
    provider.set(deny="access_denied", deny_words="Not assigned to this application.")
    page.goto(target)
    page.get_by_role("link", name="Continue with Keycloak").click()
    expect(page.get_by_role("heading", name="The identity provider did not let you in")).to_be_visible()
    expect(page.get_by_text("Not assigned to this application.")).to_be_visible()
    assert complaints(page) == []
    provider.set(subject="known-" + email, email=email)
    page.goto(target)
    page.get_by_role("link", name="Continue with Keycloak").click()
    expect(page.get_by_role("heading", name="Getting Started")).to_be_visible()
    page.context.close()
