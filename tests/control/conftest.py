"""Control planes for the tests: one a module on SQLite, and one on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.control.api import viewer_of
from tests.control.browsing import ARGUMENTS, CHROMIUM, OpenPage
from tests.control.oidc_provider import RunningProvider
from tests.control.people import sequence
from tests.control.serving import RunningPlatform
from tests.control.signing_on import Place, set_up
from tests.store.postgres_server import PostgresServer, find_binaries


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    server = PostgresServer(find_binaries())
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgres"])
def fresh_database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database; "" is SQLite in the state directory."""
    if request.param == "sqlite":
        return ""
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """A running control plane, shared by a module's tests: each makes its own people."""
    folder: Path = tmp_path_factory.mktemp("control")
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_server").new_database()
    running = RunningPlatform(folder, url)
    yield running
    running.close()


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    """An identity provider; `place` has it as it is when all is well."""
    made = RunningProvider()
    yield made
    made.close()


@pytest.fixture
def place(platform: RunningPlatform, provider: RunningProvider, email: str) -> Place:
    """A workspace "Acme" with single sign-on."""
    provider.set()
    platform.bootstrap(email, workspace="Acme")
    return set_up(platform, viewer_of(platform, email), provider.url)


@pytest.fixture
def email() -> str:
    return f"person{next(sequence)}@example.com"


@pytest.fixture
def new_email() -> Callable[[], str]:
    return lambda: f"person{next(sequence)}@example.com"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed (/usr/bin/chromium; Debian's package chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Browser, platform: RunningPlatform) -> Iterator[OpenPage]:
    """Pages whose errors and console messages fail the test."""
    contexts, complaints = [], []

    def open_one(**options: object) -> Page:
        context = browser.new_context(base_url=platform.url, **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []
