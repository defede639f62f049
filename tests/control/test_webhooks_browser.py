"""Webhooks in a browser: added, tested, looked at; with and without JavaScript, on a phone and in the dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.control.browsing import CONTRAST, OpenPage, sign_in
from tests.control.receiving import Receiver
from tests.control.serving import RunningPlatform


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """On SQLite: what differs by database is tested without a browser."""
    running = RunningPlatform(tmp_path_factory.mktemp("control"), PLATFORM_WEBHOOKS_ALLOW_PRIVATE="1")
    yield running
    running.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.mark.parametrize("java_script_enabled", [True, False], ids=["with script", "without script"])
def test_a_webhook_is_added_and_tested(
    open_page: OpenPage, platform: RunningPlatform, receiver: Receiver, email: str, java_script_enabled: bool
) -> None:
    page = open_page(
        java_script_enabled=java_script_enabled, viewport={"width": 320, "height": 800}, color_scheme="dark"
    )
    sign_in(page, platform.bootstrap(email, workspace="Acme"))
    page.goto("/workspace/webhooks")
    expect(page.get_by_role("heading", name="Webhooks")).to_be_visible()
    page.get_by_label("Address").fill(receiver.url)
    assigned = page.get_by_role("checkbox", name="license.assigned")
    expect(assigned).to_be_hidden()
    page.get_by_role("switch", name="All events").uncheck()
    assigned.check()
    if java_script_enabled:
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert page.evaluate(CONTRAST) == []
    page.get_by_role("button", name="Add webhook").click()
    expect(page.locator("#secret")).to_contain_text("whsec_")
    page.get_by_role("link", name="I have it").click()
    expect(page.locator("#secret")).to_be_hidden()
    page.get_by_role("button", name="Send test event").click()
    expect(page.get_by_role("status")).to_contain_text("The test event is on its way")
    assert receiver.wait_for(1)[0].event["type"] == "webhook.test"
    page.get_by_role("link", name="webhook.test").click()
    expect(page.get_by_role("heading", name="Payload")).to_be_visible()
    if java_script_enabled:
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert page.evaluate(CONTRAST) == []
