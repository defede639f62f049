"""Scanners find what is issued, and nothing else; the rules of the page and of the file are the same."""

from __future__ import annotations

import base64
import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.license import admin_token
from cloudlet.license.patterns import PATTERNS
from cloudlet.license.token import generate
from tests.conftest import ROOT

BY_ID = {pattern.id: re.compile(pattern.regex) for pattern in PATTERNS}


def found_in(text: str) -> dict[str, str]:
    """Pattern id -> secret, for the patterns that match."""
    groups = {pattern.id: pattern.secret_group for pattern in PATTERNS}
    return {name: match[groups[name]] for name, regex in BY_ID.items() if (match := regex.search(text))}


@given(st.randoms(use_true_random=False))
def test_every_generated_secret_is_found_by_its_own_rule_alone(random) -> None:
    secrets = {
        "cloudlet-auth-token": generate("auth", random.randbytes),
        "cloudlet-ci-key": generate("ci", random.randbytes),
        "cloudlet-api-token": admin_token.generate(random.randbytes),
        "cloudlet-webhook-secret": "whsec_" + base64.urlsafe_b64encode(random.randbytes(32)).decode().rstrip("="),
    }
    for name, secret in secrets.items():
        for text in (secret, f'TOKEN="{secret}"', f"-e TOKEN={secret} \\", f"{secret}\n", f"Bearer {secret},"):
            assert found_in(text) == {name: secret}
        pattern = next(pattern for pattern in PATTERNS if pattern.id == name)
        assert any(word in secret for word in pattern.keywords)


@pytest.mark.parametrize(
    "line",
    [
        "LOCALSTACK_API_KEY=aB3dE6gH9j",
        'export LOCALSTACK_API_KEY="aB3dE6gH9j"',
        "LOCALSTACK_API_KEY: aB3dE6gH9j",
        '"LOCALSTACK_API_KEY": "aB3dE6gH9j",',
    ],
)
def test_legacy_keys_are_found_by_their_variable(line: str) -> None:
    assert found_in(line) == {"cloudlet-legacy-api-key": "aB3dE6gH9j"}


@pytest.mark.parametrize(
    "text",
    [
        "ls-AbCdEf12-****",
        "LOCALSTACK_API_KEY=${LOCALSTACK_API_KEY}",
        "LOCALSTACK_API_KEY=<YOUR_KEY>",
        "aB3dE6gH9j",
        "pals-AbCd1234-AbCd-1234-AbCd-12345678c0de",
        "lsadm_short",
        "ls -la",
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert found_in(text) == {}


def test_gitleaks_has_the_same_rules() -> None:
    rules = tomllib.loads((ROOT / "docs" / "gitleaks.toml").read_text(encoding="utf-8"))["rules"]
    assert rules == [
        {
            "id": pattern.id,
            "description": pattern.description,
            "regex": pattern.regex,
            "keywords": list(pattern.keywords),
            **({"secretGroup": pattern.secret_group} if pattern.secret_group else {}),
        }
        for pattern in PATTERNS
    ]


def test_the_expressions_are_of_the_common_kind() -> None:
    """RE2, which gitleaks and others use, knows neither look-around nor back references."""
    for pattern in PATTERNS:
        assert not re.search(r"\(\?[=!<]|\\[1-9]|\(\?P", pattern.regex)
