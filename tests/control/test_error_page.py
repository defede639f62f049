"""Every code that anybody can meet has its place on `/docs/errors`, and the errors link to it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import httpx
import pytest

from cloudlet.control import app
from cloudlet.control.error_codes import PLAIN, error_codes, refusals
from cloudlet.control.errors import Refusal
from cloudlet.control.handlers import SENTENCES
from cloudlet.license.patterns import PATTERNS
from cloudlet.license.reasons import ALL as REASONS
from cloudlet.license.verdicts import ALL as VERDICTS
from tests.control.people import sign_in
from tests.control.serving import RunningPlatform
from tools.reasons_page import make_page

PATH = "/docs/errors"


@pytest.fixture
def page(platform: RunningPlatform) -> str:
    return httpx.get(platform.url + PATH).text


def anchors(page: str) -> list[str]:
    return re.findall(r'<article class="reason" id="([^"]+)"', page)


def all_codes() -> set[str]:
    assert app.ROUTES  # its areas are loaded
    return {
        *(reason.code for reason in REASONS),
        *(verdict.code for verdict in VERDICTS),
        *(refusal.code for refusal in refusals(Refusal)),
        *(code for code, *_ in PLAIN),
    }


def test_every_code_has_one_anchor_here_and_in_the_generated_docs(page: str) -> None:
    found = anchors(page)
    assert sorted(found) == sorted(all_codes())
    assert sorted(re.findall(r'<a id="([^"]+)"></a>', make_page())) == sorted(found)


def test_the_answers_of_the_framework_have_codes_too() -> None:
    assert {f"http.{status}" for status in SENTENCES} <= {code for code, *_ in PLAIN}


def test_every_entry_says_what_it_means_and_who_can_fix_it(page: str) -> None:
    for body in re.findall(r'<article class="reason".*?</article>', page, re.DOTALL):
        assert re.search(r"<p>\s*\S", body)
        assert "Who can fix it: " in body or "What to do</a>" in body
    for code in error_codes():
        assert code.meaning
        assert code.who


@pytest.mark.parametrize("code", ["license.entitlement", "license.not_assigned", "seats.exhausted", "webhook.limit"])
def test_links_within_the_page_lead_to_anchors(page: str, code: str) -> None:
    assert f'id="{code}"' in page
    targets = set(re.findall(r'href="(?:/docs/errors)?#([^"]+)"', page)) - {"main", ""}
    ids = set(re.findall(r'id="([^"]+)"', page))
    assert sorted(targets - ids) == []
    assert len(re.findall(r'id="([^"]+)"', page)) == len(ids)


def test_the_docs_of_every_kind_of_error_body_lead_to_an_anchor(
    platform: RunningPlatform, page: str, email: str
) -> None:
    member = platform.bootstrap(email)
    answers = [
        platform.request_license("ls-wrong"),
        platform.request_license(member.token, product={"name": "else"}),
        platform.request_license(member.token, product={"version": "latest"}),
        httpx.get(f"{platform.url}/v1/nothing"),
        httpx.delete(f"{platform.url}/v1/license/ping"),
        httpx.get(f"{platform.url}/api/v1/workspaces"),
        httpx.get(f"{platform.url}/api/v1/workspaces", headers={"Authorization": "Bearer lsadm_wrong"}),
        httpx.post(f"{platform.url}/v1/auth/request", content=b"{"),
        httpx.post(f"{platform.url}/v1/license/file-check", content=b"x"),
        httpx.get(f"{platform.url}/v1/license/credentials"),
    ]
    with platform.client() as client:
        sign_in(client, member)
        answers.append(client.get("/api/v1/workspaces/ws_nobody"))
    for answer in answers:
        assert answer.status_code >= 400, answer.text
        docs = urlsplit(answer.json()["docs"])
        assert (docs.path, f'id="{docs.fragment}"' in page) == (PATH, True), answer.text
    assert len({answer.json()["docs"] for answer in answers}) > 6


def test_words_are_looked_for_without_a_script(platform: RunningPlatform) -> None:
    def search(words: str) -> str:
        return httpx.get(platform.url + PATH, params={"q": words}).text

    assert anchors(search("SEATS exhausted")) == ["seats.exhausted"]
    found = anchors(search("certificate"))
    assert "server.tls" in found
    assert "seats.exhausted" not in found
    assert "No code has “xyzzy”" in search("xyzzy")
    assert "<b>" not in search("<b>")
    assert len(anchors(search(" "))) == len(all_codes())


def test_the_page_is_small(page: str) -> None:
    assert len(page.encode()) < 100_000


def test_scanners_get_the_rules(platform: RunningPlatform, email: str) -> None:
    answer = httpx.get(f"{platform.url}/.well-known/token-patterns.json")
    assert answer.headers["content-type"] == "application/json"
    rules = {rule["id"]: rule for rule in answer.json()["patterns"]}
    assert rules.keys() == {pattern.id for pattern in PATTERNS}
    token = platform.bootstrap(email).token
    assert re.fullmatch(rules["cloudlet-auth-token"]["regex"], token)
    assert "MD5" in rules["cloudlet-auth-token"]["checksum"]
