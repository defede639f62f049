"""ID tokens by themselves: whatever a provider signs, the answer is a person or a refusal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from cloudlet.control.sso.errors import SsoTokenInvalid
from cloudlet.control.sso.tokens import check_id_token, is_true, person_of, usable_key, visible

NOW = 1_800_000_000
KEY = RSAKey.generate_key(2048, {"kid": "one"})
KEYS = KeySet([KEY])
GOOD = (
    ("iss", "https://login.example.com"),
    ("sub", "subject"),
    ("aud", "client"),
    ("exp", NOW + 300),
    ("iat", NOW),
    ("nonce", "nonce"),
    ("email", "grace@example.com"),
    ("email_verified", True),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def check(text: str, keys: KeySet = KEYS, now: int = NOW) -> dict[str, Any]:
    return check_id_token(
        text,
        keys,
        issuer="https://login.example.com",
        client_id="client",
        nonce="nonce",
        access_token="",
        now=now,
    )


def signed(**changes: Any) -> str:
    return jwt.encode({"alg": "RS256", "kid": "one"}, {**dict(GOOD), **changes}, KEY)


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("PS256", KEY),
        ("RS512", KEY),
        ("ES256", ECKey.generate_key("P-256", {"kid": "ec"})),
        ("ES512", ECKey.generate_key("P-521", {"kid": "ec"})),
        ("Ed25519", OKPKey.generate_key("Ed25519", {"kid": "ed"})),
    ],
)
def test_each_kind_of_signature_that_providers_use_counts(algorithm: str, key: RSAKey | ECKey | OKPKey) -> None:
    text = jwt.encode({"alg": algorithm, "kid": key.kid}, dict(GOOD), key, algorithms=[algorithm])
    assert check(text, KeySet([key]))["sub"] == "subject"


def test_an_audience_of_many_counts_when_we_are_the_party_that_asked() -> None:
    assert check(signed(aud=["client", "other"], azp="client"))["sub"] == "subject"
    for aud, azp in ((["client", "other"], "other"), (["other"], "client"), ([], "client"), ("client ", "client")):
        with pytest.raises(SsoTokenInvalid):
            check(signed(aud=aud, azp=azp))


@pytest.mark.parametrize(
    ("seconds", "is_good"), [(0, True), (300 + 59, True), (300 + 61, False), (-60, True), (-61, False)]
)
def test_clocks_may_differ_by_a_minute(seconds: int, is_good: bool) -> None:
    if is_good:
        assert check(signed(), now=NOW + seconds)
    else:
        with pytest.raises(SsoTokenInvalid, match="clocks"):
            check(signed(), now=NOW + seconds)


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "iat", "nonce"])
def test_what_is_needed_must_be_there(name: str) -> None:
    claims = {key: value for key, value in GOOD if key != name}
    with pytest.raises(SsoTokenInvalid, match=f"lacks {name}"):
        check(jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY))


@given(st.sampled_from([name for name, _ in GOOD] + ["azp", "nbf", "at_hash", "auth_time", "amr", "name", "acr"]), JSON)
def test_whatever_stands_in_a_claim_it_is_a_person_or_a_refusal(name: str, value: Any) -> None:
    try:
        person = person_of(check(signed(**{name: value})))
    except SsoTokenInvalid:
        return
    assert 0 < len(person.subject) <= 255
    assert person.name.isprintable()
    assert isinstance(person.email, str)
    if name in {"iss", "aud", "nonce"}:
        assert value in (dict(GOOD)[name], [dict(GOOD)[name]])


@given(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{0,40}"))
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(SsoTokenInvalid):
        check(text)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_token_with_any_byte_changed_is_refused(place: int, by: int) -> None:
    raw = bytearray(signed().encode())
    raw[place % (len(raw) - 2)] ^= by  # the last letters hold bits that do not count
    with pytest.raises(SsoTokenInvalid):
        check(raw.decode("latin-1"))


@given(JSON | st.fixed_dictionaries({"kty": st.sampled_from(["RSA", "EC", "OKP", "oct"])}, optional=dict.fromkeys(("n", "e", "crv", "x", "y", "use", "alg", "kid"), JSON)))  # fmt: skip
def test_a_key_that_is_none_is_left_out(raw: Any) -> None:
    assert usable_key(raw) is None or raw["kty"] in {"RSA", "EC", "OKP"}


def test_yes_is_yes_in_few_spellings() -> None:
    yes: tuple[object, ...] = (True, "true", "1", 1)
    no: tuple[object, ...] = (False, "false", "yes", "True", 0, None, 1.5, [], {})
    assert all(map(is_true, yes))
    assert not any(map(is_true, no))


@pytest.mark.parametrize("kind", [[], {}, None, "oct", 1])
def test_a_key_of_no_kind_that_signs_is_passed_over(kind: object) -> None:
    assert usable_key({**KEY.as_dict(private=False), "kty": kind}) is None


@pytest.mark.parametrize("token", ["töken", "a\nb", "\ud800", 1, None, ["x"]])
def test_an_access_token_that_fits_into_no_header_is_none(token: object) -> None:
    assert (visible(token), visible("eyJ.a-b_c~")) == ("", "eyJ.a-b_c~")
