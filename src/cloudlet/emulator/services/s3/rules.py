"""Names, limits and small arithmetic of S3: pure functions.

Source: "Bucket naming rules", "Object key naming", "Tagging", S3 User Guide.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus

from cloudlet.emulator.services.s3.errors import BadRequest, InvalidArgument, InvalidStorageClass, InvalidTag

MAX_KEY_BYTES = 1024
MAX_METADATA_BYTES = 2048
MAX_OBJECT_TAGS = 10
MAX_BUCKET_TAGS = 50
MAX_PUT_BYTES = 5 * 1024**3
MIN_PART_BYTES = 5 * 1024**2
MAX_PART_NUMBER = 10_000
DEFAULT_REGION = "us-east-1"
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
LEGACY_BUCKET_NAME = re.compile(r"[A-Za-z0-9._-]{3,255}")
IP_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
REGIONS = frozenset(
    [
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-south-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-6",
        "ap-southeast-7",
        "ca-central-1",
        "ca-west-1",
        "cn-north-1",
        "cn-northwest-1",
        "eu-central-1",
        "eu-central-2",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "il-central-1",
        "me-central-1",
        "me-south-1",
        "mx-central-1",
        "sa-east-1",
        "us-east-2",
        "us-gov-east-1",
        "us-gov-west-1",
        "us-west-1",
        "us-west-2",
    ]
)
STORAGE_CLASSES = frozenset(
    [
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "DEEP_ARCHIVE",
        "OUTPOSTS",
        "GLACIER_IR",
        "SNOW",
        "EXPRESS_ONEZONE",
        "FSX_OPENZFS",
        "FSX_ONTAP",
    ]
)
REFUSED_STORAGE_CLASSES = frozenset({"OUTPOSTS", "SNOW", "EXPRESS_ONEZONE", "FSX_OPENZFS", "FSX_ONTAP"})
ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
TAG_TEXT = re.compile(r"[\w\s.:/=+\-@]*", re.UNICODE)
TAG_HEADER_ERROR = (
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name "
    "duplicates."
)
SAFE_IN_URL_ENCODING = "/*-._"
NEEDS_NO_ENCODING = re.compile(r"[A-Za-z0-9/*._-]*")


def is_bucket_name(name: str) -> bool:
    """Whether a new bucket may have this name."""
    return (
        BUCKET_NAME.fullmatch(name) is not None
        and ".." not in name
        and ".-" not in name
        and "-." not in name
        and IP_ADDRESS.fullmatch(name) is None
        and not name.startswith(RESERVED_PREFIXES)
        and not name.endswith(RESERVED_SUFFIXES)
    )


@lru_cache(maxsize=256)
def canonical_user_id(account_id: str) -> str:
    """The 64 hex digits that name an account in ACLs and listings."""
    return hashlib.sha256(f"canonical-user:{account_id}".encode()).hexdigest()


def owner_of(account_id: str) -> dict[str, str]:
    """An `Owner` element; AWS dropped its `DisplayName` in November 2025."""
    return {"ID": canonical_user_id(account_id)}


def display_name(account_id: str) -> str:
    return f"account+{account_id}"


def successor(text: str) -> str | None:
    """The least string that is greater than every string with this prefix, in the order of UTF-8; None without one."""
    while text:
        last = ord(text[-1]) + 1
        if last == 0xD800:
            last = 0xE000
        if last <= 0x10FFFF:
            return text[:-1] + chr(last)
        text = text[:-1]
    return None


def url_encode(text: str) -> str:
    """A key as `encoding-type=url` shows it."""
    if NEEDS_NO_ENCODING.fullmatch(text):
        return text
    return quote(text, safe=SAFE_IN_URL_ENCODING).replace("%20", "+").replace("~", "%7E")


def check_storage_class(name: str) -> str:
    """The stored form of a storage class: empty for STANDARD. Raises InvalidStorageClass."""
    if name not in STORAGE_CLASSES or name in REFUSED_STORAGE_CLASSES:
        raise InvalidStorageClass(StorageClassRequested=name)
    return "" if name == "STANDARD" else name


def parse_tag_header(header: str) -> dict[str, str]:
    """`x-amz-tagging`: tags as a query string. Raises InvalidArgument and InvalidTag."""
    try:
        pairs = parse_qsl(header, keep_blank_values=True, strict_parsing=bool(header), errors="strict")
    except ValueError:
        parts = [part.partition("=") for part in header.split("&") if part]
        pairs = [(unquote_plus(name), unquote_plus(value)) for name, _, value in parts]
    if len({name for name, _ in pairs}) < len(pairs):
        raise InvalidArgument(TAG_HEADER_ERROR, ArgumentName="x-amz-tagging", ArgumentValue=header)
    if any(TAG_TEXT.fullmatch(name) is None or TAG_TEXT.fullmatch(value) is None for name, value in pairs):
        raise InvalidArgument(TAG_HEADER_ERROR, ArgumentName="x-amz-tagging", ArgumentValue=header)
    return check_object_tags(pairs)


def tag_pairs(tag_set: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(tag.get("Key", ""), tag.get("Value", "")) for tag in tag_set]


def check_object_tags(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Tags of an object as a dict. Raises BadRequest and InvalidTag."""
    for key, _ in pairs:
        if key.startswith("aws:"):
            raise InvalidTag("Your TagKey cannot be prefixed with aws:", TagKey=key)
    if len(pairs) > MAX_OBJECT_TAGS:
        raise BadRequest("Object tags cannot be greater than 10")
    return check_tags(pairs)


def check_bucket_tags(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Tags of a bucket as a dict. Raises BadRequest and InvalidTag."""
    if len(pairs) > MAX_BUCKET_TAGS:
        raise BadRequest("Bucket tag count cannot be greater than 50")
    return check_tags(pairs)


def check_tags(pairs: list[tuple[str, str]]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for key, value in pairs:
        if key in tags:
            raise InvalidTag("Cannot provide multiple Tags with the same key", TagKey=key)
        if key.startswith("aws:"):
            raise InvalidTag("System tags cannot be added/updated by requester", TagKey=key)
        if not 1 <= len(key) <= 128 or TAG_TEXT.fullmatch(key) is None:
            raise InvalidTag("The TagKey you have provided is invalid", TagKey=key)
        if len(value) > 256 or TAG_TEXT.fullmatch(value) is None:
            raise InvalidTag("The TagValue you have provided is invalid", TagKey=key, TagValue=value)
        tags[key] = value
    return tags


def tag_set(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def metadata_bytes(metadata: Mapping[str, str]) -> int:
    return sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
