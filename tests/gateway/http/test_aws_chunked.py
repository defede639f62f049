"""The aws-chunked coding, byte by byte. (Signatures: test_sigv4.py; behind HTTP: test_http_bodies.py.)"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.gateway.http.aws_chunked import (
    AwsChunkedDecoder,
    is_aws_chunked,
    open_decoder,
    remaining_encoding,
)
from cloudlet.emulator.kernel.errors import AwsError


def coded(pieces: list[bytes], trailers: dict[str, str], signed: bool) -> bytes:
    extension = b";chunk-signature=" + b"0" * 64 if signed else b""
    chunks = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces if piece)
    lines = "".join(f"{name}:{value}\r\n" for name, value in trailers.items()).encode()
    return chunks + b"0" + extension + b"\r\n" + lines + b"\r\n"


def decode(wire: bytes, length: int) -> bytes | str:
    """The payload, or the code of the error."""
    decoder = AwsChunkedDecoder(length)
    try:
        payload = decoder.feed(wire)
        decoder.finish()
    except AwsError as error:
        return error.code
    return payload


@given(
    st.lists(st.binary(max_size=100), max_size=5),
    st.sampled_from([{}, {"x-amz-checksum-crc32": "AAAAAA=="}, {"a": "1", "b": "x:y"}]),
    st.booleans(),
    st.integers(1, 40),
)
def test_pieces_of_any_size_give_the_payload(
    pieces: list[bytes], trailers: dict[str, str], signed: bool, step: int
) -> None:
    payload, wire = b"".join(pieces), coded(pieces, trailers, signed)
    decoder = AwsChunkedDecoder(len(payload))
    assert b"".join(decoder.feed(wire[start : start + step]) for start in range(0, len(wire), step)) == payload
    decoder.finish()
    assert decoder.trailers == trailers


@given(st.binary(max_size=200), st.integers(0, 50))
def test_arbitrary_bytes_are_an_aws_error_or_a_payload(data: bytes, length: int) -> None:
    outcome = decode(data, length)
    assert outcome in ("IncompleteBody", "InvalidRequest") or len(outcome) == length


@pytest.mark.parametrize(
    "wire",
    [
        b"5\r\nhello\r\n0\r\n",  # without the last empty line
        b"5\r\nhello\r\n0\r\na:b",
        b"5\r\nhello\r\n0\r\na:b\r\n\r\nepilogue",
        b"05 ;chunk-signature=x\r\nhello\r\n000\r\n\r\n",
        b"5\nhello\n0\n\n",
    ],
)
def test_lenient_forms_are_taken(wire: bytes) -> None:
    decoder = AwsChunkedDecoder(5)
    assert decoder.feed(wire) == b"hello"
    decoder.finish()


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (b"", "IncompleteBody"),
        (b"5\r\nhell", "IncompleteBody"),
        (b"5\r\nhello\r\n", "IncompleteBody"),
        (b"4\r\nhell\r\n0\r\n\r\n", "IncompleteBody"),
        (b"6\r\nhello!\r\n0\r\n\r\n", "IncompleteBody"),
        (b"5\r\nhello!\r\n0\r\n\r\n", "InvalidRequest"),
        (b"-5\r\nhello\r\n0\r\n\r\n", "InvalidRequest"),
        (b"0x5\r\nhello\r\n0\r\n\r\n", "InvalidRequest"),
        (b"\r\nhello", "InvalidRequest"),
        (b"1" * 20000, "InvalidRequest"),
        (b"11111111111111111\r\n", "InvalidRequest"),
        (b"5\r\nhello\r\n0\r\nno colon\r\n\r\n", "InvalidRequest"),
    ],
)
def test_wrong_forms_are_refused(wire: bytes, code: str) -> None:
    assert decode(wire, 5) == code


def test_signature_of_trailers_may_follow_an_empty_line() -> None:
    decoder = AwsChunkedDecoder(0, signed_trailer=True)
    decoder.feed(b"0\r\nx-amz-checksum-crc32:AAAAAA==\n\r\nx-amz-trailer-signature:0123\r\n\r\n")
    decoder.finish()
    assert decoder.trailers == {"x-amz-checksum-crc32": "AAAAAA=="}


def test_headers_say_whether_a_body_is_coded() -> None:
    assert is_aws_chunked({"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"})
    assert is_aws_chunked({"content-encoding": "aws-chunked", "x-amz-decoded-content-length": "5"})
    assert not is_aws_chunked({"content-encoding": "gzip", "x-amz-content-sha256": "UNSIGNED-PAYLOAD"})


@pytest.mark.parametrize("length", [None, "", "x", "-1", "²"])
def test_decoded_length_must_be_told(length: str | None) -> None:
    headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
    if length is not None:
        headers["x-amz-decoded-content-length"] = length
    with pytest.raises(AwsError) as caught:
        open_decoder(headers)
    assert (caught.value.code, caught.value.status) == ("MissingContentLength", 411)


@pytest.mark.parametrize(
    ("value", "rest"),
    [("aws-chunked", ""), ("aws-chunked,gzip", "gzip"), ("gzip, AWS-Chunked", "gzip"), ("br, gzip", "br,gzip")],
)
def test_coding_is_removed_from_content_encoding(value: str, rest: str) -> None:
    assert remaining_encoding(value) == rest
