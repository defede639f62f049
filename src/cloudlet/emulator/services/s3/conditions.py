"""Conditional requests: reads, writes, deletes and copies that depend on the state of an object.

Source: "Conditional reads and writes", S3 User Guide; RFC 9110 section 13. Times have a resolution of a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudlet.emulator.services.s3.errors import NoSuchKey, NotModified, PreconditionFailed, UnimplementedHeader


def bare_etag(etag: str) -> str:
    """An entity tag without quotes and weakness mark."""
    return etag.strip().removeprefix("W/").strip('"')


def matches(header: str, etag: str) -> bool:
    """Whether a list of entity tags, or `*`, names this one."""
    return header.strip() == "*" or any(bare_etag(part) == etag for part in header.split(","))


def check_read(request: Mapping[str, Any], etag: str, modified: int, now: float, headers: dict[str, str]) -> None:
    """Conditions of GetObject and HeadObject on an existing object.

    If-Match wins over If-Unmodified-Since and If-None-Match over If-Modified-Since, as in RFC 9110.
    Raises PreconditionFailed, or NotModified with `headers` on the answer.
    """
    wanted = request.get("IfMatch")
    if wanted is not None:
        if not matches(wanted, etag):
            raise PreconditionFailed(Condition="If-Match")
    else:
        limit = request.get("IfUnmodifiedSince")
        if limit is not None and modified > int(limit):
            raise PreconditionFailed(Condition="If-Unmodified-Since")
    unwanted = request.get("IfNoneMatch")
    if unwanted is not None:
        if matches(unwanted, etag):
            raise NotModified(headers=headers)
    else:
        since = request.get("IfModifiedSince")
        if since is not None and modified <= int(since) <= now:
            raise NotModified(headers=headers)


def check_copy_source(request: Mapping[str, Any], etag: str, modified: int, now: float) -> None:
    """Conditions on the source of a copy; each failure is a 412. Raises PreconditionFailed."""
    wanted = request.get("CopySourceIfMatch")
    if wanted is not None:
        if not matches(wanted, etag):
            raise PreconditionFailed(Condition="x-amz-copy-source-If-Match")
    else:
        limit = request.get("CopySourceIfUnmodifiedSince")
        if limit is not None and modified > int(limit):
            raise PreconditionFailed(Condition="x-amz-copy-source-If-Unmodified-Since")
    unwanted = request.get("CopySourceIfNoneMatch")
    if unwanted is not None:
        if matches(unwanted, etag):
            raise PreconditionFailed(Condition="x-amz-copy-source-If-None-Match")
    else:
        since = request.get("CopySourceIfModifiedSince")
        if since is not None and modified <= int(since) <= now:
            raise PreconditionFailed(Condition="x-amz-copy-source-If-Modified-Since")


def check_write(request: Mapping[str, Any], key: str, current_etag: str | None) -> None:
    """If-Match and If-None-Match of PutObject, CopyObject and CompleteMultipartUpload.

    `current_etag` is None where the key has no current object. Raises UnimplementedHeader for forms that S3 refuses,
    NoSuchKey and PreconditionFailed.
    """
    unwanted = request.get("IfNoneMatch")
    wanted = request.get("IfMatch")
    if unwanted is None and wanted is None:
        return
    if unwanted is not None and wanted is not None:
        raise UnimplementedHeader(
            Header="If-Match,If-None-Match",
            additionalMessage="Multiple conditional request headers present in the request",
        )
    if unwanted is not None:
        if unwanted.strip() != "*":
            raise UnimplementedHeader(
                Header="If-None-Match",
                additionalMessage="We don't accept the provided value of If-None-Match header for this API",
            )
        if current_etag is not None:
            raise PreconditionFailed(Condition="If-None-Match")
        return
    assert wanted is not None
    if wanted.strip() == "*":
        raise UnimplementedHeader(
            Header="If-Match",
            additionalMessage="We don't accept the provided value of If-Match header for this API",
        )
    if current_etag is None:
        raise NoSuchKey(Key=key)
    if bare_etag(wanted) != current_etag:
        raise PreconditionFailed(Condition="If-Match")
