"""Which checksums of a large body are computed while it arrives, so that nobody has to read it again.

MD5 is always computed (it is the ETag). S3 clients say in headers which other one they will send or want.
"""

from __future__ import annotations

from cloudlet.emulator.protocol.message import HttpRequest
from cloudlet.emulator.store.blobs import BlobWriter
from cloudlet.emulator.store.kv import Store

ALGORITHMS = frozenset({"crc32", "crc32c", "crc64nvme", "sha1", "sha256"})
DEFAULT_ALGORITHM = "crc64nvme"  # what S3 computes for an object whose client asks for nothing
CHECKSUM_HEADER = "x-amz-checksum-"
SHA256_HEX_LENGTH = 64


def wanted_algorithms(request: HttpRequest) -> tuple[str, ...]:
    """Names from ALGORITHMS, without repetition."""
    headers = request.headers
    wanted = {DEFAULT_ALGORITHM}
    for name in headers:
        if name.startswith(CHECKSUM_HEADER):
            wanted.add(name[len(CHECKSUM_HEADER) :])
    for trailer in headers.get("x-amz-trailer", "").split(","):
        wanted.add(trailer.strip().lower().removeprefix(CHECKSUM_HEADER))
    wanted.add(headers.get("x-amz-sdk-checksum-algorithm", "").lower())
    if len(headers.get("x-amz-content-sha256", "")) == SHA256_HEX_LENGTH:
        wanted.add("sha256")
    return tuple(sorted(wanted & ALGORITHMS))


class Spooling:
    """Opens the writer of a large body."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def open(self, request: HttpRequest) -> BlobWriter:
        return self._store.blobs.writer(wanted_algorithms(request))
