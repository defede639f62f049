"""The audit log in a browser, on a phone in the dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.control.browsing import CONTRAST, OpenPage, sign_in
from tests.control.serving import RunningPlatform


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """On SQLite: what differs by database is tested without a browser."""
    running = RunningPlatform(tmp_path_factory.mktemp("control"))
    yield running
    running.close()


def test_the_page_in_a_browser(platform: RunningPlatform, open_page: OpenPage, email: str) -> None:
    member = platform.bootstrap(email, workspace="Acme")
    page = open_page(viewport={"width": 320, "height": 800}, color_scheme="dark")
    sign_in(page, member)
    page.goto("/workspace/audit")
    expect(page.get_by_role("heading", name="Audit log")).to_be_visible()
    page.get_by_text("started the subscription Trial").click()
    expect(page.get_by_text("subscription.started", exact=True).last).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate(CONTRAST) == []
    page.get_by_label("Action").select_option("license.assigned")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("assigned Trial license 1")).to_be_visible()
    expect(page.get_by_text("started the subscription Trial")).to_be_hidden()
    page.get_by_role("button", name="Verify chain").click()
    expect(page.get_by_role("status")).to_contain_text("as they were written")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    assert download.value.suggested_filename.endswith(".csv")
