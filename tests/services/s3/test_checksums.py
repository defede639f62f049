"""Checksums: computed, checked, combined; by header, trailer and default."""

from __future__ import annotations

import base64
import hashlib
import io
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.protocol.message import InlineBody
from cloudlet.emulator.services.s3 import checksums
from cloudlet.emulator.services.s3.errors import BadDigest, InvalidDigest, InvalidRequest, XAmzContentSHA256Mismatch


def test_known_checksums_of_the_standard_check_text() -> None:
    text = b"123456789"
    assert base64.b64decode(checksums.digest("CRC32", text)).hex() == "cbf43926"
    assert base64.b64decode(checksums.digest("CRC32C", text)).hex() == "e3069283"
    assert base64.b64decode(checksums.digest("CRC64NVME", text)).hex() == "ae8b14860a799888"
    assert base64.b64decode(checksums.digest("SHA1", text)) == hashlib.sha1(text).digest()
    assert base64.b64decode(checksums.digest("SHA256", text)) == hashlib.sha256(text).digest()


@pytest.mark.parametrize("algorithm", sorted(checksums.MEMBERS))
def test_a_stream_in_pieces_has_the_checksum_of_the_whole(algorithm: str) -> None:
    data = bytes(range(256)) * 10
    assert checksums.digest_file(algorithm, io.BytesIO(data)) == checksums.digest(algorithm, data)
    assert checksums.well_formed(algorithm, checksums.digest(algorithm, data))


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5), st.sampled_from(["CRC32", "CRC32C", "CRC64NVME"]))
def test_parts_combine_to_the_checksum_of_the_whole(parts: list[bytes], algorithm: str) -> None:
    pairs = [(checksums.digest(algorithm, part), len(part)) for part in parts]
    assert checksums.combined(algorithm, pairs) == checksums.digest(algorithm, b"".join(parts))


def test_composite_is_the_checksum_of_checksums() -> None:
    parts = [checksums.digest("SHA256", b"a"), checksums.digest("SHA256", b"b")]
    whole = hashlib.sha256(hashlib.sha256(b"a").digest() + hashlib.sha256(b"b").digest()).digest()
    assert checksums.composite("SHA256", parts) == base64.b64encode(whole).decode() + "-2"


def test_claims_are_checked() -> None:
    body = InlineBody(b"data")
    right = checksums.digest("SHA1", b"data")
    assert checksums.accept({"ChecksumSHA1": right}, body) == ("SHA1", right)
    assert checksums.accept({}, body)[0] == "CRC64NVME"
    assert checksums.accept({}, InlineBody(b"data", {"x-amz-checksum-sha1": right})) == ("SHA1", right)
    with pytest.raises(BadDigest):
        checksums.accept({"ChecksumSHA1": checksums.digest("SHA1", b"other")}, body)
    with pytest.raises(InvalidRequest, match="Value for x-amz-checksum-sha1 header is invalid"):
        checksums.accept({"ChecksumSHA1": "bad"}, body)
    with pytest.raises(InvalidRequest, match="Multiple checksum Types"):
        checksums.accept({"ChecksumSHA1": right, "ChecksumCRC32": checksums.digest("CRC32", b"data")}, body)
    with pytest.raises(InvalidRequest, match="no corresponding"):
        checksums.accept({"ChecksumAlgorithm": "SHA1"}, body)


def test_content_md5_is_checked() -> None:
    md5 = hashlib.md5(b"data")
    checksums.check_md5(base64.b64encode(md5.digest()).decode(), md5.hexdigest())
    with pytest.raises(InvalidDigest):
        checksums.check_md5("bad", md5.hexdigest())
    with pytest.raises(BadDigest):
        checksums.check_md5(base64.b64encode(hashlib.md5(b"x").digest()).decode(), md5.hexdigest())


def test_the_payload_hash_is_checked() -> None:
    checksums.check_payload_hash("UNSIGNED-PAYLOAD", InlineBody(b"x"))
    checksums.check_payload_hash(hashlib.sha256(b"x").hexdigest(), InlineBody(b"x"))
    with pytest.raises(XAmzContentSHA256Mismatch):
        checksums.check_payload_hash(hashlib.sha256(b"y").hexdigest(), InlineBody(b"x"))


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_each_algorithm_is_stored_and_given_back(s3: Any, bucket: str, algorithm: str) -> None:
    member = f"Checksum{algorithm}"
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"data", ChecksumAlgorithm=algorithm)
    assert put[member] == checksums.digest(algorithm, b"data")
    assert member not in s3.head_object(Bucket=bucket, Key="k")
    shown = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert shown[member] == put[member]
    assert shown["ChecksumType"] == "FULL_OBJECT"
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Checksum"])
    assert attributes["Checksum"] == {member: put[member], "ChecksumType": "FULL_OBJECT"}


def test_an_object_without_a_claim_gets_crc64nvme(client: Callable[..., Any], bucket: str) -> None:
    quiet = client("s3", config=Config(request_checksum_calculation="when_required"))
    assert quiet.put_object(Bucket=bucket, Key="k", Body=b"data")["ChecksumCRC64NVME"] == checksums.digest(
        "CRC64NVME", b"data"
    )


def test_a_wrong_checksum_is_a_bad_digest(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    wrong = base64.b64encode(zlib.crc32(b"other").to_bytes(4, "big")).decode()
    error = refused("BadDigest", s3.put_object, Bucket=bucket, Key="k", Body=b"data", ChecksumCRC32=wrong)
    assert error["Message"] == "The CRC32 you specified did not match the calculated checksum."
    refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="k")


def test_a_large_body_is_checked_too(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    data = b"x" * 300_000
    right = checksums.digest("SHA256", data)
    assert s3.put_object(Bucket=bucket, Key="k", Body=data, ChecksumSHA256=right)["ChecksumSHA256"] == right
    wrong = checksums.digest("SHA256", b"y")
    refused("BadDigest", s3.put_object, Bucket=bucket, Key="k2", Body=data, ChecksumSHA256=wrong)
