"""Multipart uploads."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig

from cloudlet.emulator.services.s3 import checksums

MIB = 1024 * 1024


def upload(s3: Any, bucket: str, key: str, bodies: list[bytes], **options: Any) -> tuple[str, list[dict[str, Any]]]:
    algorithm = options.get("ChecksumAlgorithm")
    claim = {} if algorithm is None else {"ChecksumAlgorithm": algorithm}
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key=key, **options)["UploadId"]
    parts = []
    for number, body in enumerate(bodies, 1):
        answer = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=body, **claim)
        part = {"PartNumber": number, "ETag": answer["ETag"]}
        if algorithm is not None:
            part[f"Checksum{algorithm}"] = answer[f"Checksum{algorithm}"]
        parts.append(part)
    return upload_id, parts


def complete(s3: Any, bucket: str, key: str, upload_id: str, parts: list[dict[str, Any]], **options: Any) -> Any:
    return s3.complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}, **options
    )


def test_parts_become_an_object(s3: Any, bucket: str) -> None:
    bodies = [b"a" * (5 * MIB), b"b" * (5 * MIB), b"c" * 10]
    upload_id, parts = upload(s3, bucket, "k", bodies, ContentType="text/plain", Metadata={"m": "1"})
    answer = complete(s3, bucket, "k", upload_id, parts)
    digest = hashlib.md5(b"".join(hashlib.md5(body).digest() for body in bodies)).hexdigest()
    assert answer["ETag"] == f'"{digest}-3"'
    assert answer["ChecksumType"] == "FULL_OBJECT"
    assert answer["ChecksumCRC64NVME"] == checksums.digest("CRC64NVME", b"".join(bodies))
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"".join(bodies)
    assert got["ContentType"] == "text/plain"
    assert got["Metadata"] == {"m": "1"}
    across = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={5 * MIB - 2}-{5 * MIB + 1}")
    assert across["Body"].read() == b"aabb"
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_one_part_of_it(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    upload_id, parts = upload(s3, bucket, "k", [b"a" * (5 * MIB), b"bc"])
    complete(s3, bucket, "k", upload_id, parts)
    second = s3.get_object(Bucket=bucket, Key="k", PartNumber=2)
    assert second["Body"].read() == b"bc"
    assert second["PartsCount"] == 2
    assert second["ContentRange"] == f"bytes {5 * MIB}-{5 * MIB + 1}/{5 * MIB + 2}"
    assert s3.head_object(Bucket=bucket, Key="k", PartNumber=1)["ContentLength"] == 5 * MIB
    assert refused("InvalidPartNumber", s3.get_object, Bucket=bucket, Key="k", PartNumber=3)["Status"] == 416


def test_small_parts_are_kept_in_the_store(s3: Any, bucket: str) -> None:
    upload_id, parts = upload(s3, bucket, "k", [b"tiny"])
    complete(s3, bucket, "k", upload_id, parts)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"tiny"
    s3.delete_object(Bucket=bucket, Key="k")


def test_a_part_may_be_replaced_and_left_out(s3: Any, bucket: str) -> None:
    upload_id, parts = upload(s3, bucket, "k", [b"a" * (5 * MIB), b"b", b"c"])
    again = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload_id, PartNumber=2, Body=b"B")
    parts[1]["ETag"] = again["ETag"]
    complete(s3, bucket, "k", upload_id, parts[:2])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"a" * (5 * MIB) + b"B"


def test_what_complete_refuses(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    upload_id, parts = upload(s3, bucket, "k", [b"a", b"b"])

    def call(code: str, stated: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
        error: dict[str, Any] = refused(
            code,
            s3.complete_multipart_upload,
            Bucket=bucket,
            Key="k",
            UploadId=options.pop("UploadId", upload_id),
            MultipartUpload={"Parts": stated},
            **options,
        )
        return error

    assert call("EntityTooSmall", parts)["PartNumber"] == "1"
    call("InvalidPartOrder", parts[::-1])
    assert call("InvalidPart", [{**parts[0], "ETag": '"00"'}])["UploadId"] == upload_id
    call("InvalidPart", [{"PartNumber": 9, "ETag": parts[0]["ETag"]}])
    call("MalformedXML", [])
    call("NoSuchUpload", parts, UploadId="nothing")
    call("InvalidRequest", parts[:1], MpuObjectSize=99)
    complete(s3, bucket, "k", upload_id, parts[:1], MpuObjectSize=1)


def test_numbers_of_parts_have_limits(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    upload_id, _ = upload(s3, bucket, "k", [])
    for number in (0, 10_001):
        refused(
            "InvalidArgument", s3.upload_part, Bucket=bucket, Key="k", UploadId=upload_id, PartNumber=number, Body=b""
        )


def test_an_aborted_upload_is_gone(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    upload_id, _ = upload(s3, bucket, "k", [b"a" * 100_000])
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload_id)
    refused("NoSuchUpload", s3.list_parts, Bucket=bucket, Key="k", UploadId=upload_id)
    refused("NoSuchUpload", s3.abort_multipart_upload, Bucket=bucket, Key="k", UploadId=upload_id)
    refused("404", s3.head_object, Bucket=bucket, Key="k")


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("CRC32", "COMPOSITE"), ("CRC32", "FULL_OBJECT"), ("CRC64NVME", "FULL_OBJECT"), ("SHA256", "COMPOSITE")],
)
def test_checksums_of_uploads(s3: Any, bucket: str, algorithm: str, kind: str) -> None:
    bodies = [b"a" * (5 * MIB), b"b"]
    upload_id, parts = upload(s3, bucket, "k", bodies, ChecksumAlgorithm=algorithm, ChecksumType=kind)
    answer = complete(s3, bucket, "k", upload_id, parts)
    if kind == "COMPOSITE":
        expected = checksums.composite(algorithm, [checksums.digest(algorithm, body) for body in bodies])
    else:
        expected = checksums.digest(algorithm, b"".join(bodies))
    assert answer[f"Checksum{algorithm}"] == expected
    assert answer["ChecksumType"] == kind
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head[f"Checksum{algorithm}"] == expected
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts", "ObjectSize"])
    assert attributes["ObjectParts"]["TotalPartsCount"] == 2
    assert attributes["ObjectSize"] == 5 * MIB + 1
    assert ("Parts" in attributes["ObjectParts"]) == (kind == "COMPOSITE")


def test_checksums_that_do_not_fit(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    create = s3.create_multipart_upload
    error = refused(
        "InvalidRequest", create, Bucket=bucket, Key="k", ChecksumAlgorithm="SHA256", ChecksumType="FULL_OBJECT"
    )
    assert error["Message"] == "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm."
    refused("InvalidRequest", create, Bucket=bucket, Key="k", ChecksumType="COMPOSITE")
    upload_id, parts = upload(s3, bucket, "k", [b"a"], ChecksumAlgorithm="SHA256")
    part = {"Bucket": bucket, "Key": "k", "UploadId": upload_id, "PartNumber": 1, "Body": b"a"}
    refused("InvalidRequest", s3.upload_part, **part, ChecksumAlgorithm="CRC32")
    bare = [{"PartNumber": 1, "ETag": parts[0]["ETag"]}]
    named = {"Bucket": bucket, "Key": "k", "UploadId": upload_id}
    refused("InvalidRequest", s3.complete_multipart_upload, **named, MultipartUpload={"Parts": bare})


def test_parts_copied_from_objects(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    s3.put_object(Bucket=bucket, Key="from", Body=b"x" * (6 * MIB))
    upload_id, _ = upload(s3, bucket, "k", [])
    copy = {"Bucket": bucket, "Key": "k", "UploadId": upload_id, "CopySource": f"{bucket}/from"}
    whole = s3.upload_part_copy(**copy, PartNumber=1)
    piece = s3.upload_part_copy(**copy, PartNumber=2, CopySourceRange="bytes=0-9")
    refused("InvalidArgument", s3.upload_part_copy, **copy, PartNumber=3, CopySourceRange="bytes=0-99999999")
    parts = [
        {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]} for number, answer in ((1, whole), (2, piece))
    ]
    complete(s3, bucket, "k", upload_id, parts)
    s3.delete_object(Bucket=bucket, Key="from")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x" * (6 * MIB + 10)


@pytest.mark.parametrize("length", [100, 70_000, 3 * MIB])
def test_a_piece_of_an_object_as_a_part(s3: Any, bucket: str, length: int) -> None:
    data = bytes(index % 253 for index in range(4 * MIB))
    s3.put_object(Bucket=bucket, Key="from", Body=data)
    upload_id, _ = upload(s3, bucket, "k", [], ChecksumAlgorithm="CRC32")
    copy = {"Bucket": bucket, "Key": "k", "UploadId": upload_id, "CopySource": f"{bucket}/from", "PartNumber": 1}
    result = s3.upload_part_copy(**copy, CopySourceRange=f"bytes=5-{length + 4}")["CopyPartResult"]
    assert result["ETag"] == f'"{hashlib.md5(data[5 : length + 5]).hexdigest()}"'
    assert result["ChecksumCRC32"] == checksums.digest("CRC32", data[5 : length + 5])
    parts = [{"PartNumber": 1, "ETag": result["ETag"], "ChecksumCRC32": result["ChecksumCRC32"]}]
    complete(s3, bucket, "k", upload_id, parts)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == data[5 : length + 5]


def test_lists_of_parts_and_uploads(s3: Any, bucket: str) -> None:
    upload_id, _ = upload(s3, bucket, "a/k", [b"1", b"22", b"333"])
    page = s3.list_parts(Bucket=bucket, Key="a/k", UploadId=upload_id, MaxParts=2)
    assert [part["Size"] for part in page["Parts"]] == [1, 2]
    assert page["IsTruncated"] is True
    rest = s3.list_parts(Bucket=bucket, Key="a/k", UploadId=upload_id, PartNumberMarker=page["NextPartNumberMarker"])
    assert [part["PartNumber"] for part in rest["Parts"]] == [3]
    second, _ = upload(s3, bucket, "a/k", [])
    third, _ = upload(s3, bucket, "b", [])
    answer = s3.list_multipart_uploads(Bucket=bucket)
    assert [entry["UploadId"] for entry in answer["Uploads"]] == [upload_id, second, third]
    page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=1)
    assert page["IsTruncated"] is True
    rest = s3.list_multipart_uploads(
        Bucket=bucket, KeyMarker=page["NextKeyMarker"], UploadIdMarker=page["NextUploadIdMarker"]
    )
    assert [entry["UploadId"] for entry in rest["Uploads"]] == [second, third]
    grouped = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert grouped["CommonPrefixes"] == [{"Prefix": "a/"}]


def test_a_conditional_completion_minds_what_happened_meanwhile(
    s3: Any, bucket: str, refused: Callable[..., Any]
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    upload_id, parts = upload(s3, bucket, "k", [b"a"])
    named = {"Bucket": bucket, "Key": "k", "UploadId": upload_id, "MultipartUpload": {"Parts": parts}}
    refused("PreconditionFailed", s3.complete_multipart_upload, **named, IfNoneMatch="*")
    s3.delete_object(Bucket=bucket, Key="k")
    error = refused("ConditionalRequestConflict", s3.complete_multipart_upload, **named, IfNoneMatch="*")
    assert error["Status"] == 409
    s3.complete_multipart_upload(**named)


def test_large_files_through_the_transfer_manager(s3: Any, bucket: str) -> None:
    piece = hashlib.sha256(b"cloudlet").digest() * 32_768  # 1 MiB
    data = piece * 64
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB, max_concurrency=4)
    s3.upload_fileobj(io.BytesIO(data), bucket, "large", Config=config)
    back = io.BytesIO()
    s3.download_fileobj(bucket, "large", back, Config=config)
    assert hashlib.sha256(back.getvalue()).digest() == hashlib.sha256(data).digest()
    assert s3.head_object(Bucket=bucket, Key="large")["ETag"].endswith('-8"')
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "large"})
    assert copied["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'


def test_completing_again_gives_the_same_answer(s3: Any, bucket: str) -> None:
    upload_id, parts = upload(s3, bucket, "k", [b"a"])
    first = complete(s3, bucket, "k", upload_id, parts)
    assert complete(s3, bucket, "k", upload_id, parts)["ETag"] == first["ETag"]
