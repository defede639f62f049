"""Ids of rows as people know those rows: one query for each kind of id, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.activations.tables import Machine
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.licenses.tables import License, Plan, Subscription
from cloudlet.control.offline.tables import OfflineFile
from cloudlet.control.sso.tables import SsoProvider
from cloudlet.control.webhooks.addresses import origin
from cloudlet.control.webhooks.tables import Webhook
from cloudlet.control.workspaces.tables import Membership, Workspace

Lookup = Callable[[Session, str, list[str]], list[tuple[str, str]]]
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "auth": "auth token",
        "device": "device token",
        "ci": "CI key",
        "legacy_api": "legacy key",
        "admin_api": "API token",
    }
)
ACTORS: Mapping[str, str] = MappingProxyType({"system": "Cloudlet", "": "Somebody"})


def name_all(session: Session, workspace_id: str, ids: Iterable[str]) -> dict[str, str]:
    """Names by id, for those that still exist. Ids are of the form `usr_…`; others are passed over.

    What belongs to another workspace stays nameless: somebody may have written its id where we look for ids.
    """
    by_prefix: dict[str, list[str]] = {}
    for row_id in sorted({row_id for row_id in ids if row_id}):
        by_prefix.setdefault(row_id.partition("_")[0], []).append(row_id)
    found: dict[str, str] = {}
    for prefix, members in by_prefix.items():
        lookup = LOOKUPS.get(prefix)
        if lookup is not None:
            found.update(lookup(session, workspace_id, members))
    return found


def bare(actor: str) -> str:
    """`user:usr_…` without its kind."""
    return actor.partition(":")[2] or actor


def actor_name(actor: str, names: Mapping[str, str]) -> str:
    """Who it was, in words."""
    known = ACTORS.get(actor)
    return known if known is not None else names.get(bare(actor), bare(actor))


def users(session: Session, workspace_id: str, ids: list[str]) -> list[tuple[str, str]]:
    rows = session.execute(
        select(User.id, User.name, User.email)
        .join(Membership, Membership.user_id == User.id)
        .where(User.id.in_(ids), Membership.workspace_id == workspace_id)
    )
    return [(row.id, row.name or row.email) for row in rows]


def members(session: Session, workspace_id: str, ids: list[str]) -> list[tuple[str, str]]:
    rows = session.execute(
        select(Membership.id, User.name, User.email, Membership.invited_name, Membership.invited_email)
        .outerjoin(User, User.id == Membership.user_id)
        .where(Membership.id.in_(ids), Membership.workspace_id == workspace_id)
    )
    return [
        (row.id, row.name or row.email or row.invited_name or row.invited_email or "a former member") for row in rows
    ]


def credentials(session: Session, workspace_id: str, ids: list[str]) -> list[tuple[str, str]]:
    rows = session.execute(
        select(Credential.id, Credential.kind, Credential.name, Credential.prefix8).where(
            Credential.id.in_(ids), Credential.workspace_id == workspace_id
        )
    )
    return [(row.id, credential_name(*row[1:])) for row in rows]


def credential_name(kind: str, name: str, prefix: str) -> str:
    return " ".join(part for part in ("the", KINDS.get(kind, kind), f"“{name}”" if name else f"{prefix}-****") if part)


def licenses(session: Session, workspace_id: str, ids: list[str]) -> list[tuple[str, str]]:
    rows = session.execute(
        select(License.id, License.seat_no, Plan.display)
        .join(Subscription, Subscription.id == License.subscription_id)
        .join(Plan, Plan.id == Subscription.plan_id)
        .where(License.id.in_(ids), License.workspace_id == workspace_id)
    )
    return [(row.id, f"{row.display} license {row.seat_no}") for row in rows]


def subscriptions(session: Session, workspace_id: str, ids: list[str]) -> list[tuple[str, str]]:
    rows = session.execute(
        select(Subscription.id, Plan.display)
        .join(Plan, Plan.id == Subscription.plan_id)
        .where(Subscription.id.in_(ids), Subscription.workspace_id == workspace_id)
    )
    return [(row.id, row.display) for row in rows]


def webhooks(session: Session, workspace_id: str, ids: list[str]) -> list[tuple[str, str]]:
    rows = session.execute(
        select(Webhook.id, Webhook.url).where(Webhook.id.in_(ids), Webhook.workspace_id == workspace_id)
    )
    return [(row.id, origin(row.url)) for row in rows]


def named(column_id: Any, column_name: Any, column_workspace: Any) -> Lookup:
    """The lookup for a table that has its name in a column."""

    def look_up(session: Session, workspace_id: str, ids: list[str]) -> list[tuple[str, str]]:
        query = select(column_id, column_name).where(column_id.in_(ids), column_workspace == workspace_id)
        return [(row[0], row[1]) for row in session.execute(query)]

    return look_up


LOOKUPS: Mapping[str, Lookup] = MappingProxyType(
    {
        "usr": users,
        "mem": members,
        "crd": credentials,
        "cik": credentials,
        "at": credentials,
        "lic": licenses,
        "sub": subscriptions,
        "mac": named(Machine.id, Machine.machine_id, Machine.workspace_id),
        "ws": named(Workspace.id, Workspace.name, Workspace.id),
        "off": named(OfflineFile.id, OfflineFile.name, OfflineFile.workspace_id),
        "whk": webhooks,
        "idp": named(SsoProvider.id, SsoProvider.name, SsoProvider.workspace_id),
    }
)
