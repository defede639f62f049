"""Every page that the application has, found from its routes: by axe-core's rules, at each width, and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html.parser import HTMLParser
from types import MappingProxyType

import httpx
import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from cloudlet.control.app import create_app
from tests.control.serving import RunningPlatform
from tests.control.showcase import Showcase, Shown, furnish

MAX_PAGE_BYTES = 100_000
WIDTHS = (320, 390, 768, 1280)
RULES: Mapping[str, object] = MappingProxyType(
    {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
)
COLOURS: Mapping[str, object] = MappingProxyType(
    {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
)
TOO_WIDE = "() => document.documentElement.scrollWidth - window.innerWidth"


class Place(msgspec.Struct, frozen=True):
    running: RunningPlatform
    pages: list[Shown]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """On SQLite, with sign-up open and legacy keys, so that every page is there."""
    folder = tmp_path_factory.mktemp("control")
    running = RunningPlatform(folder, PLATFORM_SIGNUP="open", PLATFORM_LEGACY_API_KEYS="1")
    shown: Showcase = furnish(running)
    yield Place(running, shown.pages(create_app(running.settings)))
    running.close()


class Markup(HTMLParser):
    """What of a page can be judged without drawing it; `complaints` at the end."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings = self.forms = self.inputs = 0
        self.title = ""
        self.last_tag = ""
        self.ids: list[str] = []
        self.complaints: list[str] = []
        self.feed(text)
        if self.headings != 1:
            self.complaints.append(f"{self.headings} headings of the first order")
        if not self.title.replace(" · Cloudlet", "").strip():
            self.complaints.append("no title")
        if len(set(self.ids)) != len(self.ids):
            self.complaints.append(f"an id twice: {sorted(self.ids)}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.last_tag = tag
        self.headings += tag == "h1"
        self.forms += tag == "form"
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.complaints.append(f"style or script in the page: {tag} {given}")
        if tag == "script" and not given.get("src"):
            self.complaints.append("a script in the page")
        if tag == "button" and not self.forms and "hidden" not in given and "form" not in given:
            self.complaints.append(f"a button that does nothing without JavaScript: {given}")

    def handle_endtag(self, tag: str) -> None:
        self.forms -= tag == "form"

    def handle_data(self, data: str) -> None:
        if self.last_tag == "title":
            self.title += data
            self.last_tag = ""


def fetch(running: RunningPlatform, shown: Shown) -> httpx.Response:
    cookies = {"cloudlet_session": shown.cookie} if shown.cookie else {}
    with httpx.Client(base_url=running.url, cookies=cookies, follow_redirects=True) as client:
        return client.get(shown.path)


@contextmanager
def opened(browser: Browser, place: Place, cookie: str, **options: object) -> Iterator[Page]:
    context = browser.new_context(base_url=place.running.url, **options)  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    if cookie:
        context.add_cookies([{"name": "cloudlet_session", "value": cookie, "url": place.running.url}])
    yield context.new_page()
    context.close()


def walk(browser: Browser, place: Place, **options: object) -> Iterator[tuple[str, Page]]:
    """Each page, open."""
    for cookie in sorted({shown.cookie for shown in place.pages}):
        with opened(browser, place, cookie, **options) as page:
            for shown in place.pages:
                if shown.cookie == cookie:
                    page.goto(shown.path)
                    expect(page.locator("h1")).to_be_visible()
                    yield shown.path, page


def test_every_page_is_whole_light_and_of_use_without_javascript(place: Place) -> None:
    wrong = []
    assets: dict[str, int] = {}
    for shown in place.pages:
        answer = fetch(place.running, shown)
        assert answer.status_code == (404 if "nowhere" in shown.path else 200), (shown.path, answer.text[:300])
        wrong += [f"{shown.path}: {complaint}" for complaint in Markup(answer.text).complaints]
        weight = len(answer.content)
        for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', answer.text):
            if path not in assets:
                assets[path] = len(fetch(place.running, Shown(path, "")).content)
            weight += assets[path]
        if weight > MAX_PAGE_BYTES:
            wrong.append(f"{shown.path}: {weight} bytes")
    assert wrong == []


def test_no_page_is_wider_than_its_window(browser: Browser, place: Place) -> None:
    wrong = []
    for path, page in walk(browser, place):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if page.evaluate(TOO_WIDE) > 0:
                wrong.append(f"{path} at {width}")
    assert wrong == []


def problems(axe: Axe, page: Page, options: Mapping[str, object]) -> list[str]:
    """What breaks a rule of WCAG, or another one seriously."""
    found = axe.run(page, options={**options, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"{rule['id']}: {[node['html'][:160] for node in rule['nodes'][:3]]}"
        for rule in found
        if rule["impact"] in {"serious", "critical"} or "wcag2" in " ".join(rule["tags"])
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_the_rules_for_accessible_pages(browser: Browser, place: Place, scheme: str) -> None:
    """The dark pages differ in their colours alone. The policy of the pages would keep axe-core out."""
    axe, wrong = Axe(), []
    options = RULES if scheme == "light" else COLOURS
    for path, page in walk(browser, place, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce"):
        wrong += [f"{path}: {problem}" for problem in problems(axe, page, options)]
    assert wrong == []


def test_the_rules_find_what_is_wrong(browser: Browser, place: Place) -> None:
    with opened(browser, place, "") as page:
        page.set_content('<h1>Title</h1><p style="color: #ddd; background: #fff">pale</p><input><button></button>')
        found = " ".join(problems(Axe(), page, RULES))
    assert all(rule in found for rule in ("color-contrast", "label", "button-name", "html-has-lang"))
