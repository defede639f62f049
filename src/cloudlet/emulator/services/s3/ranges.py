"""The `Range` header: one range of bytes, a suffix, or a part of a multipart upload.

S3 serves one range; a header with several ranges, another unit or bad syntax is ignored and the whole object answers
200. Source: "GetObject", S3 API Reference, and RFC 9110 section 14.2.
"""

from __future__ import annotations

from cloudlet.emulator.services.s3.errors import InvalidArgument, InvalidRange, InvalidRequest


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """(start, length) inside an object of `size` bytes; None when the header is to be ignored.

    Raises InvalidRange when no byte of the range exists.
    """
    unit, separator, text = header.partition("=")
    if not separator or unit.strip().lower() != "bytes" or "," in text:
        return None
    first, dash, last = text.strip().partition("-")
    first, last = first.strip(), last.strip()
    if not dash or not (first or last) or not (first + last).isascii() or not (first + last).isdigit():
        return None
    if not first:
        length = min(int(last), size)
        if length == 0:
            raise InvalidRange(RangeRequested=header, ActualObjectSize=str(size))
        return size - length, length
    start = int(first)
    end = int(last) if last else size - 1
    if last and end < start:
        return None
    if start >= size:
        raise InvalidRange(RangeRequested=header, ActualObjectSize=str(size))
    return start, min(end, size - 1) - start + 1


def parse_copy_range(header: str, size: int) -> tuple[int, int]:
    """(start, length) of `x-amz-copy-source-range`, which has one form only: `bytes=first-last`.

    Raises InvalidArgument for another form or an end beyond the source, InvalidRequest for a start beyond it.
    """
    first, dash, last = header.removeprefix("bytes=").partition("-")
    if (
        not header.startswith("bytes=")
        or not dash
        or not first.isdigit()
        or not last.isdigit()
        or int(last) < int(first)
    ):
        raise InvalidArgument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=header,
        )
    start, end = int(first), int(last)
    if start >= size:
        raise InvalidRequest("The specified copy range is invalid for the source object size")
    if end >= size:
        raise InvalidArgument(
            f"Range specified is not valid for source object of size: {size}",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=header,
        )
    return start, end - start + 1
