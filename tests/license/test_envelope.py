from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.license.canonical import NotCanonical, canonical_json, from_base64url, read_json, to_base64url
from cloudlet.license.envelope import (
    Claims,
    EnvelopeRefused,
    TrustStore,
    UnknownKey,
    confirmation,
    key_id,
    public_entry,
    sign,
    verify,
)
from tests.license.samples import OTHER_KEY, PRIVATE_KEY, PUBLIC_KEY, TOKEN, TRUST, claims

GOLDEN = "lsl1.kvvNbbfELwBSg7TSp.eyJhdWQiOlsiY2xvdWRsZXQiXSwiY25mIjoiblBhZTVBMmQ1Y1BaaEY5RHlxQWpBT3NtZkpWNm9OakRJM21xQnBSb20wUSIsImNyaXQiOltdLCJkb2MiOm51bGwsImVudCI6eyJhd3MvKiI6bnVsbCwicGxhdGZvcm0vcG9kcyI6eyJsaW1pdCI6MzAwfX0sImVwIjowLCJleHAiOjE3OTY3MDk2MDAsImdyYWNlIjowLCJpYXQiOjE3OTU1MDAwMDAsImlzcyI6Imh0dHA6Ly9wbGF0Zm9ybS5leGFtcGxlIiwianRpIjoiYWN0XzEiLCJraW5kIjoib25saW5lIiwibGljIjoibGljXzAxIiwibWFjaCI6bnVsbCwibmJmIjoxNzk1NTAwMDAwLCJwbGFuIjoidHJpYWwiLCJyYSI6MTc5NTU4NjQwMCwic2VxIjoxLCJzdGF0dXMiOiJBQ1RJVkUiLCJzdWIiOiJtZW1fMDEiLCJ2IjoxLCJ2ZXIiOiIqIiwid2luIjo4NjQwMCwid3MiOiJ3c18wMSJ9.Ih9iL4mTCHwVw0i2BuMul4jUPTY-lCXfpEwnwrYrEzbxgzS9jTT82pM6zub9rAlI6A1XFx_y3D6trwJals_fCg"


def signed(payload: bytes, key: Ed25519PrivateKey = PRIVATE_KEY, kid: str = "") -> str:
    """An envelope around any payload at all, rightly signed."""
    text = f"lsl1.{kid or key_id(key.public_key().public_bytes_raw())}.{to_base64url(payload)}"
    return f"{text}.{to_base64url(key.sign(text.encode()))}"


def payload(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(claims())
    return {**found, **changes}


def test_the_golden_vector_is_made_and_read() -> None:
    assert sign(claims(), PRIVATE_KEY) == GOLDEN
    assert verify(GOLDEN, TRUST) == claims()


def test_key_ids_and_confirmations_are_the_ones_of_the_golden_vector() -> None:
    assert key_id(PUBLIC_KEY) == "kvvNbbfELwBSg7TSp"
    assert confirmation(TOKEN) == "nPae5A2d5cPZhF9DyqAjAOsmfJV6oNjDI3mqBpRom0Q"


@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80, 0xFF])
def test_every_changed_byte_is_refused(flip: int) -> None:
    raw = GOLDEN.encode()
    for position in range(len(raw)):
        tampered = bytearray(raw)
        tampered[position] ^= flip
        with pytest.raises(EnvelopeRefused):
            verify(tampered.decode("latin-1"), TRUST)


def test_every_cut_and_every_addition_is_refused() -> None:
    for length in range(len(GOLDEN)):
        with pytest.raises(EnvelopeRefused):
            verify(GOLDEN[:length], TRUST)
    for more in ("A", "=", ".", " ", "\n", "\x00"):
        with pytest.raises(EnvelopeRefused):
            verify(GOLDEN + more, TRUST)
        with pytest.raises(EnvelopeRefused):
            verify(more + GOLDEN, TRUST)


def test_another_key_is_unknown() -> None:
    with pytest.raises(UnknownKey) as caught:
        verify(sign(claims(), OTHER_KEY), TRUST)
    assert caught.value.kid == key_id(OTHER_KEY.public_key().public_bytes_raw())


def test_a_key_cannot_pose_as_another_by_its_id() -> None:
    body = canonical_json(payload())
    with pytest.raises(EnvelopeRefused, match="signature"):
        verify(signed(body, OTHER_KEY, kid=key_id(PUBLIC_KEY)), TRUST)
    both = TRUST.with_keys([OTHER_KEY.public_key().public_bytes_raw()])
    with pytest.raises(EnvelopeRefused, match="signature"):
        verify(signed(body, OTHER_KEY, kid=key_id(PUBLIC_KEY)), both)
    false_entry = {**public_entry(OTHER_KEY.public_key().public_bytes_raw()), "kid": key_id(PUBLIC_KEY)}
    with pytest.raises(EnvelopeRefused):
        TrustStore.parse(json.dumps({"keys": [false_entry]}).encode())


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(payload()).encode(),  # blanks, and names in another order
        canonical_json(payload()) + b" ",
        canonical_json(payload()).replace(b'"trial"', b'"tri\\u0061l"'),
        canonical_json(payload()).replace(b'"seq":1', b'"seq":1.0'),
        canonical_json(payload()).replace(b'"seq":1', b'"seq":1,"seq":1'),
        canonical_json(payload()).replace(b'"plan":"trial"', b'"plan":"enterprise","plan":"trial"'),
        canonical_json(payload(v=2)),
        canonical_json(payload(status="EXPIRED")),
        canonical_json(payload(kind="other")),
        canonical_json(payload(exp="tomorrow")),
        canonical_json(payload(crit=["unheard"])),
        canonical_json({k: v for k, v in payload().items() if k != "exp"}),
        b"[]",
        b"null",
        b"\xff",
        b"",
    ],
)
def test_a_payload_in_another_spelling_or_of_another_kind_is_refused(body: bytes) -> None:
    with pytest.raises(EnvelopeRefused):
        verify(signed(body), TRUST)


def test_claims_that_are_not_critical_may_be_new() -> None:
    assert verify(signed(canonical_json(payload(news="yes"))), TRUST) == claims()
    assert verify(signed(canonical_json(payload(crit=["mach"]))), TRUST) == claims(crit=("mach",))


def test_base64_with_spare_bits_is_refused() -> None:
    head, _, signature = GOLDEN.rpartition(".")
    twin = signature[:-1] + chr(ord(signature[-1]) + 1)
    with pytest.raises(EnvelopeRefused):
        verify(f"{head}.{twin}", TRUST)
    with pytest.raises(NotCanonical):
        from_base64url("AB")
    assert from_base64url("AA") == b"\0"


def test_more_than_16_kib_are_refused_both_ways() -> None:
    many = {f"aws/service-{number:04}": None for number in range(2000)}
    with pytest.raises(ValueError, match="16 KiB"):
        sign(claims(ent=many), PRIVATE_KEY)
    with pytest.raises(EnvelopeRefused, match="16 KiB"):
        verify(signed(canonical_json(payload(ent=many))), TRUST)


def test_the_key_list_is_read_as_it_is_rendered() -> None:
    both = TRUST.with_keys([OTHER_KEY.public_key().public_bytes_raw()])
    assert TrustStore.parse(both.render()).keys == both.keys
    assert TrustStore.parse_pins(", ".join(to_base64url(key) for key in both.keys.values())).keys == both.keys


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"keys": 1}', b'{"keys": [1]}', b'{"keys": [{"x": "AA"}]}'])
def test_what_is_not_a_key_list_is_refused(raw: bytes) -> None:
    with pytest.raises(EnvelopeRefused):
        TrustStore.parse(raw)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_canonical_json_has_one_spelling_for_a_value(value: Any) -> None:
    raw = canonical_json(value)
    assert read_json(raw) == value
    assert canonical_json(read_json(raw)) == raw


def test_names_are_sorted_as_rfc_8785_wants() -> None:
    names = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    order = list(read_json(canonical_json(names)))
    assert order == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize("value", [1.5, 2**53, {1: 2}, b"x", "\ud800", {"\ud800": 1}])
def test_what_has_no_one_spelling_has_no_place(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical_json(value)


@pytest.mark.parametrize("raw", [b'{"a":1,"a":1}', b"NaN", b"[Infinity]", b"\xff", b"[" * 100_000])
def test_reading_is_strict(raw: bytes) -> None:
    with pytest.raises(NotCanonical):
        read_json(raw)


def test_limits_are_listed() -> None:
    assert claims().limits() == (("aws/*", None), ("platform/pods", 300))
    assert isinstance(claims(), Claims)
