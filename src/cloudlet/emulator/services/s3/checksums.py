"""Checksums of objects and parts: what the client claims, what S3 computes, and how parts combine.

    accept()            the claim of a request, checked against the body -> (algorithm, base64)
    digest()            one checksum of bytes in memory
    Hasher              one checksum of a stream
    composite()         checksum of checksums, `<base64>-<parts>`
    combined()          checksum of the whole object from its parts' (the CRCs)

An algorithm is named as in the API (`CRC64NVME`). Source: "Checking object integrity", S3 User Guide.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, BinaryIO, Protocol
from zlib import crc32

from awscrt.checksums import XXHash, combine_crc32, combine_crc32c, combine_crc64nvme, crc32c, crc64nvme

from cloudlet.emulator.protocol.message import Body
from cloudlet.emulator.services.s3.errors import (
    BadDigest,
    InvalidDigest,
    InvalidRequest,
    XAmzContentSHA256Mismatch,
)

DEFAULT = "CRC64NVME"  # what S3 adds where the client gives no checksum
MEMBERS = MappingProxyType(
    {
        "CRC32": "ChecksumCRC32",
        "CRC32C": "ChecksumCRC32C",
        "CRC64NVME": "ChecksumCRC64NVME",
        "SHA1": "ChecksumSHA1",
        "SHA256": "ChecksumSHA256",
        "SHA512": "ChecksumSHA512",
        "MD5": "ChecksumMD5",
        "XXHASH64": "ChecksumXXHASH64",
        "XXHASH3": "ChecksumXXHASH3",
        "XXHASH128": "ChecksumXXHASH128",
    }
)
CLAIMS = frozenset(MEMBERS.values())
LENGTHS = MappingProxyType(
    {
        "CRC32": 4,
        "CRC32C": 4,
        "CRC64NVME": 8,
        "SHA1": 20,
        "SHA256": 32,
        "SHA512": 64,
        "MD5": 16,
        "XXHASH64": 8,
        "XXHASH3": 8,
        "XXHASH128": 16,
    }
)
CLASSIC = ("CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME")  # in the order of AWS's messages
CRC_COMBINERS = MappingProxyType({"CRC32": combine_crc32, "CRC32C": combine_crc32c, "CRC64NVME": combine_crc64nvme})
CHUNK_BYTES = 1024 * 1024
MULTIPLE = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
MISSING = (
    "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
)


class Hash(Protocol):
    def update(self, data: bytes, /) -> Any: ...


class Hasher:
    """One checksum of a stream of chunks."""

    __slots__ = ("_crc", "_hash", "_length", "_value")

    def __init__(self, algorithm: str) -> None:
        self._crc: Callable[[bytes, int], int] | None = None
        self._hash: Any = None
        self._value = 0
        self._length = LENGTHS[algorithm]
        match algorithm:
            case "CRC32":
                self._crc = crc32
            case "CRC32C":
                self._crc = crc32c
            case "CRC64NVME":
                self._crc = crc64nvme
            case "XXHASH64":
                self._hash = XXHash.new_xxhash64()
            case "XXHASH3":
                self._hash = XXHash.new_xxhash3_64()
            case "XXHASH128":
                self._hash = XXHash.new_xxhash3_128()
            case _:
                self._hash = hashlib.new(algorithm.lower(), usedforsecurity=False)

    def update(self, data: bytes) -> None:
        if self._crc is not None:
            self._value = self._crc(data, self._value)
        else:
            self._hash.update(data)

    def digest(self) -> bytes:
        if self._crc is not None:
            return self._value.to_bytes(self._length, "big")
        found: bytes = self._hash.finalize() if isinstance(self._hash, XXHash) else self._hash.digest()
        return found


def digest(algorithm: str, data: bytes) -> str:
    """Base64 checksum of bytes in memory."""
    if algorithm == "CRC64NVME":
        raw = crc64nvme(data).to_bytes(8, "big")
    elif algorithm == "CRC32":
        raw = crc32(data).to_bytes(4, "big")
    else:
        hasher = Hasher(algorithm)
        hasher.update(data)
        raw = hasher.digest()
    return b64encode(raw).decode()


def digest_file(algorithm: str, file: BinaryIO) -> str:
    """Base64 checksum of a file's rest."""
    hasher = Hasher(algorithm)
    while chunk := file.read(CHUNK_BYTES):
        hasher.update(chunk)
    return b64encode(hasher.digest()).decode()


def body_digest(algorithm: str, body: Body) -> str:
    """Base64 checksum of a request's payload; one that was computed while it arrived is taken as it is."""
    received = body.checksums.get(algorithm.lower())
    if received is not None:
        return b64encode(bytes.fromhex(received)).decode()
    data = getattr(body, "data", None)
    if data is not None:
        return digest(algorithm, data)
    with body.open() as file:
        return digest_file(algorithm, file)


def body_md5(body: Body) -> str:
    """Lower-case hex MD5 of a request's payload."""
    received = body.checksums.get("md5")
    if received is not None:
        return received
    data = getattr(body, "data", None)
    if data is not None:
        return hashlib.md5(data, usedforsecurity=False).hexdigest()
    return b64decode(body_digest("MD5", body)).hex()


def header_name(algorithm: str) -> str:
    return "x-amz-checksum-" + algorithm.lower()


def claimed(request: Mapping[str, Any], trailers: Mapping[str, str]) -> tuple[str, str] | None:
    """(algorithm, base64) of the checksum that a request gives, by header or trailer.

    Raises InvalidRequest for several, for a value that no checksum of its kind can be, and for an algorithm
    (`x-amz-sdk-checksum-algorithm`) without its value.
    """
    named: str | None = request.get("ChecksumAlgorithm")
    if named is not None:
        named = named.upper()
        if named not in MEMBERS:
            raise InvalidRequest(
                "Value for x-amz-sdk-checksum-algorithm header is invalid."
                if named
                else "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
                "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
            )
    found: tuple[str, str] | None = None
    if not trailers and CLAIMS.isdisjoint(request):
        if named is not None:
            raise InvalidRequest(MISSING)
        return None
    for algorithm, member in MEMBERS.items():
        value = request.get(member)
        if value is None and trailers:
            value = trailers.get(header_name(algorithm))
        if value is not None:
            if found is not None:
                raise InvalidRequest(MULTIPLE)
            found = (algorithm, value.strip())
    if found is None:
        if named is not None:
            raise InvalidRequest(MISSING)
        return None
    algorithm, value = found
    if named is not None and named != algorithm:
        raise InvalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.")
    if not well_formed(algorithm, value):
        raise InvalidRequest(f"Value for {header_name(algorithm)} header is invalid.")
    return found


def well_formed(algorithm: str, value: str) -> bool:
    """Whether base64 text has the length of the algorithm's checksum."""
    try:
        return len(b64decode(value, validate=True)) == LENGTHS[algorithm]
    except (Base64Error, ValueError):
        return False


def accept(
    request: Mapping[str, Any], body: Body, expected: tuple[str, str] | None = None, default: str = DEFAULT
) -> tuple[str, str]:
    """The checksum to store with a payload: the client's, checked, or S3's own by the `default` algorithm.

    `expected` replaces the claim of the request (POST forms). Raises BadDigest and what `claimed` raises.
    """
    claim = expected if expected is not None else claimed(request, body.trailers)
    if claim is None:
        return default, body_digest(default, body)
    algorithm, value = claim
    if body_digest(algorithm, body) != value:
        raise BadDigest(f"The {algorithm} you specified did not match the calculated checksum.")
    return claim


def check_md5(content_md5: str, md5_hex: str, *, part: bool = False) -> None:
    """`Content-MD5` against the payload's MD5. Raises InvalidDigest and BadDigest, which UploadPart words differently."""
    if not well_formed("MD5", content_md5):
        members: dict[str, Any] = {"Content-MD5": content_md5}
        raise InvalidDigest(**members)
    if b64decode(content_md5).hex() != md5_hex:
        expected = content_md5 if part else b64decode(content_md5).hex()
        raise BadDigest(ExpectedDigest=expected, CalculatedDigest=b64encode(bytes.fromhex(md5_hex)).decode())


def check_payload_hash(header: str, body: Body) -> None:
    """`x-amz-content-sha256` against the payload; its words for unsigned and streamed payloads pass.

    Raises XAmzContentSHA256Mismatch.
    """
    if len(header) != 64:
        return
    actual = b64decode(body_digest("SHA256", body)).hex()
    if actual != header.lower():
        raise XAmzContentSHA256Mismatch(ClientComputedContentSHA256=header, S3ComputedContentSHA256=actual)


def composite(algorithm: str, parts: Iterable[str]) -> str:
    """Checksum of the parts' checksums with the number of parts: the COMPOSITE type."""
    hasher = Hasher(algorithm)
    count = 0
    for part in parts:
        hasher.update(b64decode(part))
        count += 1
    return f"{b64encode(hasher.digest()).decode()}-{count}"


def combined(algorithm: str, parts: Iterable[tuple[str, int]]) -> str:
    """Checksum of the whole object from (base64 CRC, size) of its parts, without reading them: the FULL_OBJECT type."""
    combine = CRC_COMBINERS[algorithm]
    value = 0
    for text, size in parts:
        value = combine(value, int.from_bytes(b64decode(text), "big"), size)
    return b64encode(value.to_bytes(LENGTHS[algorithm], "big")).decode()


def default_type(algorithm: str) -> str:
    """The checksum type of a multipart upload that names none."""
    return "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"
