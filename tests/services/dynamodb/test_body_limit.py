"""The largest request that DynamoDB takes."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import pytest

SIGNED = "AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"


def test_a_request_over_16_mib_is_refused_by_its_size(emulator: Any) -> None:
    body = b'{"RequestItems": {}, "ReturnConsumedCapacity": "' + b"x" * (16 * 1024 * 1024) + b'"}'
    headers = {"Authorization": SIGNED, "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem"}
    request = urllib.request.Request(emulator.url, body, headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    with refused.value as answer:
        assert answer.code == 413
