from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudlet.license import document as documents
from cloudlet.license.envelope import EnvelopeRefused, UnknownKey
from cloudlet.license.verify import Circumstances, LicenseRefused, covers, verify_license
from tests.license.samples import EXPIRES, HERE, ISSUED, OTHER_KEY, TOKEN, TRUST, WINDOW, license_document


def refusal(raw: bytes, **circumstances: object) -> str:
    with pytest.raises(LicenseRefused) as caught:
        verify_license(raw, TRUST, msgspec.structs.replace(HERE, **circumstances))
    return caught.value.failure.code


def test_a_good_license_is_good_and_fresh_until_its_window_ends() -> None:
    found = verify_license(license_document(), TRUST, HERE)
    assert found.document.id == found.claims.lic == "lic_01"
    assert found.is_fresh(ISSUED + WINDOW - 1)
    assert not found.is_fresh(ISSUED + WINDOW)


@pytest.mark.parametrize("flip", [0x01, 0x20, 0xFF])
def test_every_changed_byte_of_the_document_is_refused(flip: int) -> None:
    raw = license_document()
    for position in range(len(raw)):
        tampered = bytearray(raw)
        tampered[position] ^= flip
        with pytest.raises((LicenseRefused, EnvelopeRefused)):
            verify_license(bytes(tampered), TRUST, HERE)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_no_byte_can_become_any_other(data: st.DataObject) -> None:
    raw = bytearray(license_document())
    position = data.draw(st.integers(0, len(raw) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[position]))
    raw[position] = value
    with pytest.raises((LicenseRefused, EnvelopeRefused)):
        verify_license(bytes(raw), TRUST, HERE)


def test_another_layout_of_the_same_json_is_the_same_license() -> None:
    """LocalStack's clients write the document to their cache in their own layout."""
    again = json.dumps(json.loads(license_document()), indent=2).encode()
    assert verify_license(again, TRUST, HERE).document.id == "lic_01"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (license_document(cnf="other"), "license.other_token"),
        (license_document(aud=("else",)), "license.product"),
        (license_document(ver="9"), "license.version"),
        (license_document(mach=("dkr_other",)), "license.machine"),
        (license_document(nbf=ISSUED + 4000), "license.not_yet_valid"),
        (license_document(token="ls-other"), "license.format"),
        (b"{}", "license.format"),
    ],
)
def test_the_reason_is_precise(raw: bytes, code: str) -> None:
    assert refusal(raw) == code


def test_time_token_machine_and_version_are_judged_where_the_license_is_used() -> None:
    assert refusal(license_document(), now=EXPIRES) == "license.expired"
    assert refusal(license_document(), now=ISSUED - 3600) == "license.not_yet_valid"
    assert refusal(license_document(), token=TOKEN[:-1] + "d") == "license.other_token"
    assert refusal(license_document(ver="0.2")) == "license.version"
    verify_license(license_document(mach=(HERE.machine_id,)), TRUST, HERE)


def test_a_key_that_nobody_trusts_is_told_apart_so_that_keys_can_be_fetched() -> None:
    with pytest.raises(UnknownKey):
        verify_license(license_document(OTHER_KEY), TRUST, HERE)


def test_a_document_without_an_envelope_is_no_license() -> None:
    data = json.loads(license_document())
    del data["offline_data"]["lsl1"]
    assert refusal(json.dumps(data).encode()) == "license.signature"


def test_an_envelope_cannot_move_into_another_document() -> None:
    """The token's holder can sign any document of format 1; the envelope says which one it belongs to."""
    data = json.loads(license_document())
    data["products"][0]["metadata"] = {"limit": 1_000_000}
    document = documents.sign(documents.parse(json.dumps(data).encode()), TOKEN)
    assert refusal(documents.render(document)) == "license.format"


def test_document_and_envelope_have_to_agree() -> None:
    document = documents.parse(license_document())
    other = documents.parse(license_document(exp=EXPIRES + 1000))
    mixed = msgspec.structs.replace(document, offline_data=other.offline_data)
    assert refusal(documents.render(mixed)) == "license.format"


@pytest.mark.parametrize(
    ("versions", "version", "good"),
    [
        ("*", "0.1.0", True),
        ("3", "3.8.1", True),
        ("3.1", "3.1.9", True),
        ("3.1.*", "3.1.9", True),
        ("3.1", "3.10.0", False),
        ("3", "30.1", False),
        ("4", "3.9", False),
    ],
)
def test_a_license_covers_versions_by_their_parts(versions: str, version: str, good: bool) -> None:
    assert covers(versions, version) is good


def test_the_place_is_named_in_the_reason() -> None:
    with pytest.raises(LicenseRefused) as caught:
        verify_license(license_document(cnf="other"), TRUST, HERE)
    assert "/cache/license.json" in caught.value.failure.text()
    assert isinstance(HERE, Circumstances)
