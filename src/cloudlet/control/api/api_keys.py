"""Legacy API keys: the ten characters of old emulators."""

from __future__ import annotations

from cloudlet.control.api.ci_keys import NewKey
from cloudlet.control.api.members import Member, find
from cloudlet.control.api.operation import Body, Call, Page, operation
from cloudlet.control.credentials import legacy_keys as service
from cloudlet.control.credentials.errors import KeyUnknown, LegacyKeysOff
from cloudlet.control.credentials.legacy_keys import LegacyKeyView
from cloudlet.control.errors import InvalidForm
from cloudlet.control.licenses.errors import NoSubscription, SeatsExhausted

KEYS = "/workspaces/{workspace_id}/api-keys"


class LegacyKeyWish(Body, frozen=True, kw_only=True):
    """For which member."""

    member_id: str
    name: str = ""


@operation("GET", KEYS, "api_key.manage")
def list_api_keys(call: Call) -> Page[LegacyKeyView]:
    """The living keys, masked."""
    return Page(service.legacy_key_views(call.session, call.viewer.workspace_id))


@operation(
    "POST",
    KEYS,
    "api_key.manage",
    status=201,
    once=True,
    refuses=(LegacyKeysOff, SeatsExhausted, NoSubscription, InvalidForm),
)
def create_api_key(call: Call, body: LegacyKeyWish) -> NewKey:
    """Create a key, where the operator allows it. It is told in this answer and never again."""
    name = body.name.strip()
    if len(name) > 120 or not name.isprintable():
        raise InvalidForm("A key's name has at most 120 characters.")
    made = service.create_legacy_key(call.session, call.platform, call.viewer, body.member_id, name=name)
    return NewKey(made.credential_id, made.token)


@operation("POST", KEYS + "/{key_id}/migrate", "api_key.manage", once=True, refuses=(KeyUnknown, SeatsExhausted))
def migrate_api_key(call: Call, key_id: str) -> Member:
    """Give its owner a license and an auth token, and end the key."""
    member_id = service.migrate_legacy_key(call.session, call.platform, call.viewer, key_id)
    return find(call.session, call.viewer, member_id)


@operation("DELETE", KEYS + "/{key_id}", "api_key.manage", refuses=(KeyUnknown,))
def delete_api_key(call: Call, key_id: str) -> None:
    """The key is refused from now on."""
    service.delete_legacy_key(call.session, call.platform, call.viewer, key_id)


OPERATIONS = (
    list_api_keys,
    create_api_key,
    migrate_api_key,
    delete_api_key,
)
