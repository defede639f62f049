from __future__ import annotations

import subprocess
import sys

import pytest

from cloudlet.license.explain import explanations
from cloudlet.license.reasons import ALL, GO_ON_WITHOUT, REASONS, failure, placeholders
from cloudlet.license.verdicts import ALL as VERDICTS
from cloudlet.license.verdicts import reason_of
from tests.conftest import ROOT

SPECIFIED = [
    "credentials.missing",
    "credentials.format",
    "credentials.checksum",
    "credentials.placeholder",
    "credentials.conflict",
    "credentials.invalid",
    "credentials.expired",
    "membership.removed",
    "license.not_assigned",
    "license.expired",
    "license.suspended",
    "license.product",
    "license.version",
    "license.signature",
    "license.other_token",
    "license.stale",
    "server.dns",
    "server.connect",
    "server.timeout",
    "server.tls",
    "server.proxy_auth",
    "server.intercepted",
    "server.error",
    "server.rate_limited",
    "ci.token_required",
    "ci.quota",
    "machine.blocked",
    "machine.limit",
    "clock.rollback",
    "clock.skew",
]


@pytest.mark.parametrize("code", SPECIFIED)
def test_every_specified_reason_exists(code: str) -> None:
    assert code in REASONS


@pytest.mark.parametrize("reason", ALL, ids=lambda reason: reason.code)
def test_every_reason_has_a_sentence_without_any_value(reason) -> None:
    bare = failure(reason.code)
    assert bare.text()
    assert not placeholders(reason.texts[-1]) or "?" in bare.text()
    assert bare.advice()[-1] == GO_ON_WITHOUT
    assert "{" not in bare.text().replace("${", "")


def test_the_most_specific_wording_whose_values_are_known_is_used() -> None:
    known = {"user": "ann@example.com", "ws": "Acme", "admins": "Bo"}
    assert "Ask an admin (Bo)" in failure("license.not_assigned", **known).text()
    elsewhere = failure("license.not_assigned", **known, ws2="Home")
    assert elsewhere.text().endswith('You do have one in "Home": use that workspace\'s token.')
    assert failure("license.not_assigned", user="", ws="Acme").text().startswith("No license is assigned to you.")


def test_the_servers_own_words_come_first() -> None:
    found = failure("license.expired", detail="It ended yesterday.", hint="Renew it.")
    assert found.text() == "It ended yesterday."
    assert found.advice()[0] == "Renew it."


def test_only_network_reasons_allow_what_is_cached() -> None:
    assert {reason.code for reason in ALL if not reason.is_final} == {
        code for code in REASONS if code.startswith("server.")
    }


def test_every_verdict_has_a_reason_and_is_read_back_by_code_and_by_message() -> None:
    for verdict in VERDICTS:
        assert verdict.reason in REASONS
        assert reason_of(verdict.message, verdict.code) == verdict.reason
    assert reason_of("licensing.license.invalid_status:UNASSIGNED") == "license.not_assigned"
    assert reason_of("licensing.license.format:latest") == "license.version"
    assert reason_of("licensing.something.new") == "license.not_found"


def test_the_errors_page_has_an_anchor_for_every_reason() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    for entry in explanations("http://web"):
        assert f'<a id="{entry.code}"></a>' in page


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, cloudlet.license, cloudlet.license.token, cloudlet.license.reasons, cloudlet.license.client;"
        "print([name for name in ('cryptography', 'httpx', 'asyncio', 'sqlalchemy') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
