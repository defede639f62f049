from __future__ import annotations

import base64
import hashlib
import io
import logging
import random
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.license.effects import SYSTEM
from cloudlet.license.token import (
    TOKEN_PATTERN,
    TokenMaskingFilter,
    clean,
    find_key_problem,
    find_problem,
    generate,
    kind_of,
    mask,
    mask_text,
)
from tests.license.samples import TOKEN


def seeded(seed: int):
    return random.Random(seed).randbytes


def problem(value: str) -> str:
    found = find_problem(value)
    return found.code if found else "none"


def test_a_seed_gives_the_token_that_it_always_gave() -> None:
    assert generate("auth", seeded(1)) == "ls-VxiWls3e-KBKJ-80OD-9baC-neR1jQr6a428"
    assert generate("ci", seeded(2)).startswith("lsci-")


@given(st.integers(), st.sampled_from(["auth", "ci"]))
def test_generated_tokens_are_valid(seed: int, kind) -> None:
    token = generate(kind, seeded(seed))
    assert TOKEN_PATTERN.fullmatch(token)
    assert find_problem(token) is None
    assert kind_of(token) == kind


def test_an_auth_token_has_39_characters_and_a_checksum_over_what_follows_the_prefix() -> None:
    token = generate("auth", SYSTEM.random_bytes)
    assert re.fullmatch(r"ls-[A-Za-z]{4}\w{4}-\w{4}-\w{4}-\w{4}-\w{12}", token)
    assert len(token) == 39
    assert hashlib.md5(token[3:-4].encode()).hexdigest()[:4] == token[-4:]


def test_every_character_is_equally_likely() -> None:
    letters = "".join(generate("auth", seeded(n))[11:16].replace("-", "") for n in range(3000))
    counts = [letters.count(char) for char in string.ascii_letters + string.digits]
    assert min(counts) > 0.6 * len(letters) / 62
    assert max(counts) < 1.4 * len(letters) / 62


def test_any_one_changed_character_is_found() -> None:
    assert find_problem(TOKEN) is None
    for position in range(3, len(TOKEN)):
        for char in "aZ0-":
            changed = TOKEN[:position] + char + TOKEN[position + 1 :]
            if changed != TOKEN:
                assert problem(changed) in {"credentials.checksum", "credentials.format"}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "credentials.missing"),
        ("<YOUR_AUTH_TOKEN>", "credentials.placeholder"),
        ("${LOCALSTACK_AUTH_TOKEN}", "credentials.placeholder"),
        ("${LOCALSTACK_AUTH_TOKEN:?}", "credentials.placeholder"),
        ("$LOCALSTACK_AUTH_TOKEN", "credentials.placeholder"),
        ("%TOKEN%", "credentials.placeholder"),
        ("{{ secrets.TOKEN }}", "credentials.placeholder"),
        ("YOUR_AUTH_TOKEN", "credentials.placeholder"),
        ("your-auth-token-here", "credentials.placeholder"),
        ("changeme", "credentials.placeholder"),
        ("ls-1234", "credentials.format"),
        (TOKEN[:-1], "credentials.format"),
        (TOKEN + "x", "credentials.format"),
        (TOKEN[:-1] + "d", "credentials.checksum"),
        (TOKEN.replace("AbCd", "AbCe"), "credentials.checksum"),
        (TOKEN, "none"),
    ],
)
def test_the_reason_is_precise(value: str, code: str) -> None:
    assert problem(value) == code


def test_the_reason_never_contains_the_value() -> None:
    for value in (TOKEN[:-1] + "d", TOKEN[:-1], "ls-secretsecretsecret"):
        found = find_problem(value)
        assert found is not None
        assert value not in found.text() + "".join(found.advice())
        assert value[3:] not in found.text()


@pytest.mark.parametrize("around", ["{}", " {} ", "'{}'", '"{}"', ' "{}"\r\n', "\ufeff{}", "{}'"])
def test_quotes_blanks_and_line_ends_do_not_matter(around: str) -> None:
    assert clean(around.format(TOKEN)) == TOKEN


def test_the_api_key_variable_takes_old_keys_and_tokens() -> None:
    assert find_key_problem("Ab12Cd34Ef") is None
    assert find_key_problem(TOKEN) is None
    assert find_key_problem("Ab12") is not None
    wrong = find_key_problem(TOKEN[:-1] + "d")
    assert wrong is not None
    assert wrong.code == "credentials.checksum"


def test_a_mask_shows_the_prefix_and_eight_characters() -> None:
    assert mask(TOKEN) == "ls-AbCd1234-****"
    assert mask("lsci-" + TOKEN[3:]) == "lsci-AbCd1234-****"
    assert mask("Ab12Cd34Ef") == "Ab****"
    assert mask("short") == "****"


@given(st.text(), st.text())
def test_masked_text_never_contains_the_token(before: str, after: str) -> None:
    assert TOKEN not in mask_text(f"{before} {TOKEN} {after}")


def test_a_token_with_a_typing_error_is_masked_too() -> None:
    assert TOKEN[:-2] not in mask_text(f"token={TOKEN[:-2]}!")
    assert mask_text("else-where: nothing to hide") == "else-where: nothing to hide"


def test_the_log_filter_masks_messages_arguments_and_tracebacks() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(TokenMaskingFilter())
    log = logging.Logger("test.masking")
    log.addHandler(handler)
    log.warning("token %s and %r", TOKEN, {"token": TOKEN})
    try:
        raise ValueError(TOKEN)
    except ValueError:
        log.exception("failed")
    assert TOKEN not in out.getvalue()
    assert out.getvalue().count("ls-AbCd1234-****") >= 3


def test_base64_is_not_needed_to_recognise_a_token() -> None:
    header = base64.b64encode(f":{TOKEN}".encode()).decode()
    assert mask_text(header) == header  # credentials in headers are never logged; the mask does not pretend to help
