"""The whole story in a real browser with real emulators: from signing up to a reset token, a colleague, and CI."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.activation.running import environment, get, refused
from tests.conftest import RunningEmulator
from tests.control.browsing import OpenPage, sign_in
from tests.control.serving import RunningPlatform

PASSWORD = "four unrelated sunny words"
ACTIVATED = re.compile(r"Successfully .*activated.* license \S+:trial")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """Open to everybody, on SQLite: what differs by database is tested without a browser."""
    running = RunningPlatform(tmp_path_factory.mktemp("control"), PLATFORM_SIGNUP="open")
    yield running
    running.close()


class Desk:
    """A machine of somebody's: one volume, however often the emulator starts, and with which token."""

    def __init__(self, platform: RunningPlatform, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(exist_ok=True)
        self.server = {
            "ACTIVATE_PRO": "",
            "API_ENDPOINT": f"{platform.url}/v1",
            "WEB_APP_URL": platform.url,
            "LICENSE_TIMEOUT": "20",  # the machine that runs the tests may be slow
        }

    @contextmanager
    def emulator(self, **variables: str) -> Iterator[RunningEmulator]:
        running = RunningEmulator(
            self.folder / "emulator.log", **{**environment(self.folder, **self.server), "CI": "", **variables}
        )
        try:
            yield running
        finally:
            running.stop()

    def starts(self, **variables: str) -> RunningEmulator:
        """A start that is activated, and ended again."""
        with self.emulator(**variables) as running:
            info = get(running, "info")
            assert (info["edition"], info["is_license_activated"]) == ("pro", True)
        return running

    def is_refused(self, token: str) -> dict[str, str]:
        """The verdict of a start that ended with 55."""
        found: dict[str, str] = refused(self.folder, **self.server, LOCALSTACK_AUTH_TOKEN=token)
        return found


@pytest.fixture
def desk(platform: RunningPlatform, tmp_path: Path) -> Desk:
    return Desk(platform, tmp_path)


def open_mail(page: Page, email: str, title: str) -> None:
    """On the developer page; then what its link opens."""
    page.goto("/dev/mail")
    page.get_by_role("link").filter(has_text=email).first.click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    page.locator("pre a").first.click()


def sign_up(page: Page, email: str, workspace: str) -> None:
    """As far as the first workspace."""
    page.goto("/sign-up")
    page.get_by_label("Name").fill("Grace Hopper")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    open_mail(page, email, "Confirm your e-mail address")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Create a workspace")).to_be_visible()
    page.get_by_label("Name", exact=True).fill(workspace)
    page.get_by_role("button", name="Create workspace").click()
    expect(page.get_by_role("heading", name="Getting Started")).to_be_visible()


def revealed(page: Page) -> str:
    page.goto("/workspace/auth-tokens")
    page.get_by_role("button", name="Reveal").click()
    expect(page.locator("#token")).to_have_text(re.compile(r"^ls-\S{36,}$"))
    return page.locator("#token").inner_text()


def test_from_signing_up_to_a_reset_token(
    open_page: OpenPage, platform: RunningPlatform, desk: Desk, email: str
) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    sign_up(page, email, "Acme Research")
    page.get_by_role("button", name="Start the 14-day trial").click()
    expect(page.get_by_text("A license is assigned to you.")).to_be_visible()
    page.get_by_role("link", name="Users & Licenses").first.click()
    expect(page.locator("a.person").filter(has_text="Grace Hopper")).to_contain_text("Trial")

    page.goto("/getting-started")
    create = page.get_by_role("button", name="Create my auth token")
    expect(create.or_(page.get_by_role("button", name="Reveal"))).to_be_visible()
    if create.is_visible():
        create.click()
    token = revealed(page)
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == token

    page.goto("/getting-started")
    expect(page.get_by_text("Waiting for the first start")).to_be_visible()
    with desk.emulator(LOCALSTACK_AUTH_TOKEN=token) as emulator:
        assert ACTIVATED.search(emulator.printed()), emulator.printed()
        assert token not in emulator.printed()
        info = get(emulator, "info")
        assert (info["edition"], info["is_license_activated"]) == ("pro", True)
        assert emulator.client("mq", account="000000000000").list_brokers()["BrokerSummaries"] == []
        # By its live check: nobody loads the page again.
        expect(page.get_by_text(info["machine_id"])).to_be_visible()
        expect(page.get_by_text("Activated").first).to_be_visible()

    page.goto("/workspace/auth-tokens")
    page.get_by_text("Reset Auth Token").first.click()
    expect(page.get_by_role("cell", name=info["machine_id"])).to_be_visible()
    page.get_by_label("Type “reset” to confirm").fill("reset")
    page.get_by_role("button", name="Reset Auth Token").click()
    expect(page.get_by_role("status")).to_contain_text("Your old token is dead")

    assert (desk.folder / "volume/cache/license.json").exists(), "the dead token is refused in spite of this"
    assert desk.is_refused(token)["code"] == "credentials.invalid"
    renewed = revealed(page)
    assert renewed != token
    desk.starts(LOCALSTACK_AUTH_TOKEN=renewed)
    assert desk.is_refused(token)["code"] == "credentials.invalid"


def test_a_colleague_joins_and_works_once_a_license_is_assigned(
    open_page: OpenPage, platform: RunningPlatform, desk: Desk, email: str, new_email: Callable[[], str]
) -> None:
    admin, colleague = open_page(), open_page()
    invited = new_email()
    sign_in(admin, platform.bootstrap(email, workspace="Acme Research"))
    admin.goto("/workspace/members")
    admin.get_by_text("Invite user").click()
    admin.get_by_label("E-mail address", exact=True).fill(invited)
    admin.get_by_label("Assign a license when they join").uncheck()
    admin.get_by_role("button", name="Send invitation").click()
    expect(admin.get_by_role("status")).to_be_visible()

    open_mail(colleague, invited, "Acme Research")
    colleague.get_by_label("Your name").fill("Katherine Johnson")
    colleague.get_by_label("Password").fill(PASSWORD)
    colleague.get_by_role("button", name="Make account and join").click()
    expect(colleague.get_by_role("heading", name="My License")).to_be_visible()
    colleague.goto("/workspace/auth-tokens")
    create = colleague.get_by_role("button", name="Create my auth token")
    expect(create.or_(colleague.get_by_role("button", name="Reveal"))).to_be_visible()
    if create.is_visible():
        create.click()
    token = revealed(colleague)

    verdict = desk.is_refused(token)
    assert verdict["code"] == "license.not_assigned"
    assert email in str(verdict), verdict
    colleague.goto("/workspace/my-license")
    expect(colleague.get_by_role("main")).to_contain_text(email)

    for path in ("audit", "webhooks", "subscriptions", "offline"):
        assert colleague.request.get(f"{platform.url}/workspace/{path}").status == 403, path
    colleague.goto("/workspace/members")
    expect(colleague.get_by_text("Invite user")).to_have_count(0)

    admin.goto("/workspace/members")
    admin.get_by_role("link", name="Katherine Johnson").click()
    expect(admin.get_by_label("Member Role")).to_have_value("member")
    admin.get_by_role("button", name="Assign license").click()
    expect(admin.get_by_role("status")).to_contain_text("The license is assigned")
    desk.starts(LOCALSTACK_AUTH_TOKEN=token)


def test_two_starts_of_a_ci_run_cost_one_credit(
    open_page: OpenPage, platform: RunningPlatform, desk: Desk, email: str, tmp_path: Path
) -> None:
    page = open_page()
    sign_in(page, platform.bootstrap(email, workspace="Acme Research"))
    page.goto("/workspace/ci-keys")
    expect(page.get_by_text("No key yet.")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("GitHub Actions")
    page.get_by_role("button", name="Create key").click()
    expect(page.locator("#secret")).to_have_text(re.compile(r"^lsci-"))
    key = page.locator("#secret").inner_text()
    run = {"LOCALSTACK_API_KEY": key, "CI": "1", "GITHUB_RUN_ID": "1018"}
    Desk(platform, tmp_path / "first").starts(**run)
    Desk(platform, tmp_path / "second").starts(**run)
    page.goto("/workspace/ci-keys")
    expect(page.get_by_text(key)).to_have_count(0)
    expect(page.get_by_role("region", name="Credits").locator(".plan strong")).to_have_text("1")
    expect(page.get_by_role("link", name="GitHub Actions")).to_contain_text("1 run")
