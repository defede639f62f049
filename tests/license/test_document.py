from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from cloudlet.license import document as documents
from cloudlet.license.document import DocumentRefused
from tests.license.samples import TOKEN, license_document

GOLDEN_SIGNATURE = "e781708d881617cfcba0cea4a1228b3882cceb15ba427c6c72bd0ba90dcd6684"


def changed(**members: object) -> bytes:
    return json.dumps({**json.loads(license_document()), **members}).encode()


def test_the_signature_is_the_one_of_the_golden_vector() -> None:
    assert json.loads(license_document())["signature"] == GOLDEN_SIGNATURE


def test_the_signature_is_an_hmac_over_the_plain_concatenation() -> None:
    data = json.loads(license_document())
    products = sorted((entry["name"], entry["version"]) for entry in data["products"])
    text = data["id"] + "".join(name + version for name, version in products)
    text += data["license_format"] + data["issue_date"] + data["expiry_date"] + data["license_type"]
    text += data["license_status"] + data["reactivate_after"]
    assert data["signature"] == hmac.new(TOKEN.encode(), text.encode(), hashlib.sha256).hexdigest()


def test_a_document_has_exactly_the_keys_of_the_format() -> None:
    data = json.loads(license_document())
    assert set(data) == {
        *("id", "license_format", "signature", "license_type", "issue_date", "expiry_date", "reactivate_after"),
        *("products", "license_status", "license_secret", "last_activated", "offline_data"),
    }
    assert data["license_secret"] is None
    assert data["offline_data"]["localstack_version"] == "0.1.0"
    assert data["products"][0] == {"name": "localstack-pro", "version": "*"}


def test_entitlements_appear_under_both_names() -> None:
    names = [
        product.name for product in documents.products_of("*", {"aws/*": None, "aws/rds": None, "platform/pods": 3})
    ]
    assert "localstack.aws.provider/*" in names
    assert "localstack.aws.provider/rds:pro" in names
    assert "localstack.platform.plugin/pods" in names
    assert names[:2] == ["localstack-pro", "cloudlet"]


def test_parsing_gives_back_what_was_rendered() -> None:
    raw = license_document()
    assert documents.render(documents.parse(raw)) == raw


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"not json",
        b"\xff\xfe",
        changed(extra=1),
        changed(license_format="2"),
        changed(license_status="MAYBE"),
        changed(license_secret="x"),
        changed(issue_date="2026-11-24"),
        changed(expiry_date="2026-13-45T99:00:00+00:00"),
        changed(products=[{"name": "x"}]),
        changed(products=[{"name": "x", "version": "*", "more": 1}]),
        changed(offline_data={"n": 1}),
        json.dumps({k: v for k, v in json.loads(license_document()).items() if k != "last_activated"}).encode(),
        license_document().replace(b'{"', b'{"id":"twice","', 1),
        license_document() + b" " * documents.MAX_BYTES,
        b"[" * 60_000,
    ],
)
def test_what_is_not_exactly_a_document_is_refused(raw: bytes) -> None:
    with pytest.raises(DocumentRefused):
        documents.parse(raw)


def test_another_token_does_not_fit() -> None:
    document = documents.parse(license_document())
    documents.check_signature(document, TOKEN)
    with pytest.raises(DocumentRefused):
        documents.check_signature(document, TOKEN[:-1] + "d")


def test_dates_have_seconds_and_an_offset() -> None:
    assert documents.to_date(1_795_500_000.9) == "2026-11-24T06:00:00+00:00"
    assert documents.to_seconds("2026-11-24T06:00:00+00:00") == 1_795_500_000
