"""What Account Management keeps, and where.

CONTACTS      alternate contacts, one for each kind
OPT_INS       regions whose state somebody changed; all others are as AWS made them
"""

from __future__ import annotations

from cloudlet.emulator.store.table import Record, Table


class Contact(Record, frozen=True):
    """An alternate contact. `kind` is BILLING, OPERATIONS or SECURITY."""

    account_id: str
    kind: str
    name: str
    title: str
    email: str
    phone: str


class OptIn(Record, frozen=True):
    """The state of a region for an account: ENABLING, ENABLED, DISABLING or DISABLED."""

    account_id: str
    region_name: str
    status: str


CONTACTS = Table("account.contacts", Contact, version=1, key=("account_id", "kind"))
OPT_INS = Table("account.opt_ins", OptIn, version=1, key=("account_id", "region_name"))
