"""The account that an access key id means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.kernel.access_keys import account_of, decoded_account, make_access_key

accounts = st.integers(0, 10**12 - 1).map("{:012d}".format)


@given(accounts, st.binary(min_size=5, max_size=5), st.sampled_from(["LSIA", "LKIA"]))
def test_a_made_key_carries_its_account(account: str, random: bytes, prefix: str) -> None:
    key = make_access_key(prefix, account, random)
    assert len(key) == 20
    assert key.startswith(prefix)
    assert account_of(key) == account


@given(accounts, st.binary(min_size=5, max_size=5), st.sampled_from(["ASIA", "AKIA"]))
def test_keys_that_look_like_real_ones_are_believed_only_with_parity(account: str, random: bytes, prefix: str) -> None:
    key = make_access_key(prefix, account, random)
    assert account_of(key, parity=True) == account
    assert account_of(key, parity=False) == "000000000000"


@given(st.text(max_size=30))
def test_any_text_gives_twelve_digits(key: str) -> None:
    for parity in (False, True):
        account = account_of(key, parity)
        assert len(account) == 12
        assert account.isascii()
        assert account.isdigit()


@pytest.mark.parametrize(
    ("key", "account"),
    [
        ("test", "000000000000"),
        ("", "000000000000"),
        ("123456789012", "123456789012"),
        ("123456789012-and-more", "123456789012"),
        ("12345678901", "000000000000"),
        ("LSIAtoo-short", "000000000000"),
        ("LSIA!!!!!!!!!!!!!!!!", "000000000000"),
        ("AKIAIOSFODNN7EXAMPLE", "000000000000"),
        ("१२३४५६७८९०१२", "000000000000"),
    ],
)
def test_other_keys(key: str, account: str) -> None:
    assert account_of(key) == account


def test_the_published_example_of_aws_decodes() -> None:
    """From the write-ups on AWS's key ids; the account is the one that `sts get-access-key-info` gave."""
    assert decoded_account("ASIAQNZGKIQY56JQ7WML") == "029608264753"


def test_a_key_from_before_the_account_was_encoded_has_none() -> None:
    assert decoded_account("AKIAIOSFODNN7EXAMPLE") is None
    assert account_of("AKIAIOSFODNN7EXAMPLE", parity=True) == "000000000000"


def test_an_impossible_account_is_no_account() -> None:
    assert decoded_account("AKIA" + "7" * 16) is None
