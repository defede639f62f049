"""Certificate Manager: what a requested certificate is before and after it is issued."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Unique = Callable[..., str]


def test_a_certificate_is_issued_a_moment_later(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator()
    urllib.request.urlopen(f"{emulator.url}/_cloudlet/clock/freeze", data=b"{}", timeout=30).close()
    acm = emulator.client("acm")
    names = ["a.example.com", "*.b.example.com"]
    arn = acm.request_certificate(DomainName=names[0], SubjectAlternativeNames=names[1:], ValidationMethod="DNS")[
        "CertificateArn"
    ]
    waiting = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert (waiting["Status"], waiting["KeyAlgorithm"]) == ("PENDING_VALIDATION", "RSA-2048")
    assert waiting["SubjectAlternativeNames"] == names
    assert [option["DomainName"] for option in waiting["DomainValidationOptions"]] == names
    assert waiting["DomainValidationOptions"][1]["ResourceRecord"]["Name"].endswith(".b.example.com.")
    assert not {"IssuedAt", "NotAfter", "NotBefore", "Serial"} & set(waiting)
    with pytest.raises(ClientError, match="RequestInProgressException"):
        acm.get_certificate(CertificateArn=arn)
    body = json.dumps({"seconds": 60}).encode()
    urllib.request.urlopen(f"{emulator.url}/_cloudlet/clock/advance", data=body, timeout=30).close()
    issued = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert (issued["Status"], issued["DomainValidationOptions"][0]["ValidationStatus"]) == ("ISSUED", "SUCCESS")
    assert {"IssuedAt", "NotAfter", "NotBefore"} <= set(issued)
    (listed,) = acm.list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"]
    assert listed["SubjectAlternativeNameSummaries"] == names


def test_tags_by_either_name(client: Client, unique: Unique) -> None:
    acm = client("acm")
    arn = acm.request_certificate(DomainName=unique("x") + ".example.com")["CertificateArn"]
    acm.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}])
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    acm.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert acm.list_tags_for_resource(ResourceArn=arn)["Tags"] == []
    acm.delete_certificate(CertificateArn=arn)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        acm.describe_certificate(CertificateArn=arn)
