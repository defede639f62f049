"""Alternate contacts, through boto3."""

from __future__ import annotations

from typing import Any

import pytest

CONTACT = {
    "AlternateContactType": "BILLING",
    "EmailAddress": " bills@example.com ",
    "Name": "Bill",
    "PhoneNumber": "+1 555 0100",
    "Title": "Treasurer",
}


@pytest.fixture
def account(client: Any) -> Any:
    return client("account", account="210000000001")


def test_a_contact_is_kept_and_replaced(account: Any) -> None:
    account.put_alternate_contact(**CONTACT)
    account.put_alternate_contact(**CONTACT | {"Name": "Belinda"})
    contact = account.get_alternate_contact(AlternateContactType="BILLING")["AlternateContact"]
    assert contact == CONTACT | {"Name": "Belinda", "EmailAddress": "bills@example.com"}


def test_each_account_has_its_own(account: Any, client: Any) -> None:
    account.put_alternate_contact(**CONTACT)
    other = client("account", account="210000000002")
    with pytest.raises(other.exceptions.ResourceNotFoundException):
        other.get_alternate_contact(AlternateContactType="BILLING")
    found = other.get_alternate_contact(AlternateContactType="BILLING", AccountId="210000000001")
    assert found["AlternateContact"]["Name"] == "Bill"


def test_a_deleted_contact_is_gone(client: Any) -> None:
    account = client("account", account="210000000003")
    account.put_alternate_contact(**CONTACT)
    account.delete_alternate_contact(AlternateContactType="BILLING")
    for call in (account.get_alternate_contact, account.delete_alternate_contact):
        with pytest.raises(account.exceptions.ResourceNotFoundException, match="No contact of the inputted"):
            call(AlternateContactType="BILLING")


def test_a_kind_that_does_not_exist_is_refused(account: Any) -> None:
    with pytest.raises(account.exceptions.ValidationException):
        account.get_alternate_contact(AlternateContactType="GARDENING")
