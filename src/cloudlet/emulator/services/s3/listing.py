"""ListObjects and ListObjectsV2."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only
from cloudlet.emulator.protocol.fragments import XmlFragment
from cloudlet.emulator.protocol.xml_writer import escape
from cloudlet.emulator.services.s3.api import (
    ListObjectsOutput,
    ListObjectsRequest,
    ListObjectsV2Output,
    ListObjectsV2Request,
)
from cloudlet.emulator.services.s3.buckets import decode_token, encode_token
from cloudlet.emulator.services.s3.errors import InvalidArgument
from cloudlet.emulator.services.s3.lookup import require_bucket
from cloudlet.emulator.services.s3.paging import Page, check_encoding, page_limit, start_after, take
from cloudlet.emulator.services.s3.records import ENTRIES, BucketRecord, EntryRecord
from cloudlet.emulator.services.s3.rules import owner_of
from cloudlet.emulator.services.s3.times import iso_second
from cloudlet.emulator.store.kv import Transaction


@read_only
def list_objects(call: Call, request: ListObjectsRequest) -> ListObjectsOutput:
    bucket = require_bucket(call, request)
    encode = check_encoding(request.get("EncodingType"))
    limit, shown_limit = page_limit(request.get("MaxKeys"))
    prefix, delimiter = request.get("Prefix", ""), request.get("Delimiter", "")
    marker = request.get("Marker", "")
    page = page_of(call.tx, bucket, prefix, delimiter, marker, limit)
    result: dict[str, Any] = {
        "Name": bucket.name,
        "Prefix": encode(prefix),
        "Marker": encode(marker),
        "MaxKeys": shown_limit,
        "IsTruncated": page.truncated,
    }
    add_page(call, result, page, encode, None if call.principal.kind == "anonymous" else bucket.account_id)
    if delimiter:
        result["Delimiter"] = encode(delimiter)
        if page.truncated:
            result["NextMarker"] = encode(page.last)
    if "EncodingType" in request:
        result["EncodingType"] = request["EncodingType"]
    return cast(ListObjectsOutput, result)


@read_only
def list_objects_v2(call: Call, request: ListObjectsV2Request) -> ListObjectsV2Output:
    bucket = require_bucket(call, request)
    encode = check_encoding(request.get("EncodingType"))
    limit, shown_limit = page_limit(request.get("MaxKeys"))
    prefix, delimiter = request.get("Prefix", ""), request.get("Delimiter", "")
    token = request.get("ContinuationToken")
    if token == "":
        raise InvalidArgument("The continuation token provided is incorrect", ArgumentName="continuation-token")
    marker = request.get("StartAfter", "") if token is None else decode_token(token)
    page = page_of(call.tx, bucket, prefix, delimiter, marker, limit)
    result: dict[str, Any] = {
        "Name": bucket.name,
        "Prefix": encode(prefix),
        "MaxKeys": shown_limit,
        "KeyCount": len(page.entries) + len(page.prefixes),
        "IsTruncated": page.truncated,
    }
    add_page(call, result, page, encode, bucket.account_id if request.get("FetchOwner") else None)
    if delimiter:
        result["Delimiter"] = encode(delimiter)
    if token is not None:
        result["ContinuationToken"] = token
    if "StartAfter" in request and token is None:  # AWS shows one of the two
        result["StartAfter"] = encode(request["StartAfter"])
    if page.truncated:
        result["NextContinuationToken"] = encode_token(page.last)
    if "EncodingType" in request:
        result["EncodingType"] = request["EncodingType"]
    return cast(ListObjectsV2Output, result)


def page_of(
    tx: Transaction, bucket: BucketRecord, prefix: str, delimiter: str, marker: str, limit: int
) -> Page[EntryRecord]:
    scan = partial(ENTRIES.scan, tx, bucket.name, starts_with=prefix or None)
    return take(scan, prefix, delimiter, start_after(marker, prefix, delimiter), limit)


def add_page(
    call: Call, result: dict[str, Any], page: Page[EntryRecord], encode: Callable[[str], str], owner: str | None
) -> None:
    """The `Contents` and `CommonPrefixes` of a page; those that are empty are left out. `owner`: an account, to show.

    An HTTP answer gets its contents written already: a page of 1,000 is the one large answer that clients often ask for.
    """
    if page.entries:
        if call.http is None:
            result["Contents"] = [shown_entry(entry, encode, owner) for entry in page.entries]
        else:
            result["Contents"] = written_entries(page.entries, encode, owner)
    if page.prefixes:
        result["CommonPrefixes"] = [{"Prefix": encode(prefix)} for prefix in page.prefixes]


def shown_entry(entry: EntryRecord, encode: Callable[[str], str], owner: str | None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Key": encode(entry.key),
        "LastModified": entry.modified,
        "ETag": f'"{entry.etag}"',
        "ChecksumAlgorithm": [entry.checksum_algorithm],
        "ChecksumType": entry.checksum_type,
        "Size": entry.size,
        "StorageClass": entry.storage_class or "STANDARD",
    }
    if owner is not None:
        shown["Owner"] = owner_of(owner)
    return shown


def written_entries(entries: list[EntryRecord], encode: Callable[[str], str], owner: str | None) -> XmlFragment:
    """The same as `Contents` elements, in the model's order of members."""
    written = "" if owner is None else f"<Owner><ID>{owner_of(owner)['ID']}</ID></Owner>"
    return XmlFragment(
        "".join(
            [
                f"<Contents><Key>{escape(encode(entry.key))}</Key><LastModified>{iso_second(entry.modified)}</LastModified>"
                f"<ETag>&quot;{entry.etag}&quot;</ETag><ChecksumAlgorithm>{entry.checksum_algorithm}</ChecksumAlgorithm>"
                f"<ChecksumType>{entry.checksum_type}</ChecksumType><Size>{entry.size}</Size>"
                f"<StorageClass>{entry.storage_class or 'STANDARD'}</StorageClass>{written}</Contents>"
                for entry in entries
            ]
        )
    )
