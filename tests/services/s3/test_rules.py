"""Names, limits and small arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.services.s3 import rules
from cloudlet.emulator.services.s3.errors import BadRequest, InvalidArgument, InvalidStorageClass, InvalidTag
from cloudlet.emulator.services.s3.metadata import latin, mail_safe


@pytest.mark.parametrize("name", ["abc", "a-b.c", "1bucket", "a" * 63])
def test_names_of_buckets(name: str) -> None:
    assert rules.is_bucket_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "a" * 64,
        "Abc",
        "a_b",
        "-abc",
        "abc-",
        "a..b",
        "a.-b",
        "192.168.0.1",
        "xn--abc",
        "abc-s3alias",
        "abc--x-s3",
    ],
)
def test_names_that_no_bucket_may_have(name: str) -> None:
    assert not rules.is_bucket_name(name)


@given(st.text(max_size=6), st.text(max_size=6))
def test_the_successor_is_behind_everything_with_the_prefix(prefix: str, rest: str) -> None:
    after = rules.successor(prefix)
    if after is None:
        assert not prefix.strip("\U0010ffff")
        return
    assert (prefix + rest).encode("utf-8", "surrogatepass") < after.encode("utf-8", "surrogatepass")
    assert after.encode("utf-8", "surrogatepass") > prefix.encode("utf-8", "surrogatepass")


def test_keys_in_url_encoding() -> None:
    assert rules.url_encode("plain/key-1_2.txt*") == "plain/key-1_2.txt*"
    assert rules.url_encode("a b+c~ü") == "a+b%2Bc%7E%C3%BC"


def test_tags_by_header() -> None:
    assert rules.parse_tag_header("a=1&b=&c") == {"a": "1", "b": "", "c": ""}
    assert rules.parse_tag_header("a%20b=c+d") == {"a b": "c d"}
    with pytest.raises(InvalidArgument):
        rules.parse_tag_header("a=1&a=2")
    with pytest.raises(InvalidArgument):
        rules.parse_tag_header("a=1,b=2")
    with pytest.raises(BadRequest):
        rules.parse_tag_header("&".join(f"k{n}=v" for n in range(11)))
    with pytest.raises(InvalidTag):
        rules.parse_tag_header("aws:x=1")


def test_storage_classes() -> None:
    assert rules.check_storage_class("STANDARD") == ""
    assert rules.check_storage_class("GLACIER") == "GLACIER"
    for name in ("standard", "OUTPOSTS", "NOTHING"):
        with pytest.raises(InvalidStorageClass):
            rules.check_storage_class(name)


def test_metadata_outside_ascii_comes_back_as_mail_does_it() -> None:
    assert mail_safe("plain text") == "plain text"
    assert mail_safe("ÄMÄZÕÑ S3") == "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?="
    assert mail_safe("\x00\x01") == "=?UTF-8?B?AAE=?="
    assert mail_safe("é".encode().decode("latin-1") + "abc") == "=?UTF-8?Q?=C3=A9abc?="
    assert latin("a—é") == "a é"
