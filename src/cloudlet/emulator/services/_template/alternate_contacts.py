"""Alternate contacts: one for billing, one for operations, one for security."""

from __future__ import annotations

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services._template.api import (
    DeleteAlternateContactRequest,
    DeleteAlternateContactResult,
    GetAlternateContactRequest,
    GetAlternateContactResponse,
    PutAlternateContactRequest,
    PutAlternateContactResult,
)
from cloudlet.emulator.services._template.errors import no_such_contact
from cloudlet.emulator.services._template.records import CONTACTS, Contact


@read_write
def put_alternate_contact(call: Call, request: PutAlternateContactRequest) -> PutAlternateContactResult:
    """Set, or replace as a whole. Blanks around the e-mail address are allowed and dropped."""
    contact = Contact(
        account_id=request.get("AccountId", call.account_id),
        kind=request["AlternateContactType"],
        name=request["Name"],
        title=request["Title"],
        email=request["EmailAddress"].strip(),
        phone=request["PhoneNumber"],
    )
    CONTACTS.put(call.tx, contact)
    return {}


@read_only
def get_alternate_contact(call: Call, request: GetAlternateContactRequest) -> GetAlternateContactResponse:
    """Raises ResourceNotFoundException."""
    account_id = request.get("AccountId", call.account_id)
    contact = CONTACTS.get(call.tx, account_id, request["AlternateContactType"])
    if contact is None:
        raise no_such_contact()
    return {
        "AlternateContact": {
            "AlternateContactType": contact.kind,
            "EmailAddress": contact.email,
            "Name": contact.name,
            "PhoneNumber": contact.phone,
            "Title": contact.title,
        }
    }


@read_write
def delete_alternate_contact(call: Call, request: DeleteAlternateContactRequest) -> DeleteAlternateContactResult:
    """Raises ResourceNotFoundException."""
    account_id = request.get("AccountId", call.account_id)
    if not CONTACTS.delete(call.tx, account_id, request["AlternateContactType"]):
        raise no_such_contact()
    return {}
