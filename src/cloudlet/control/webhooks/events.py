"""What other systems can be told: the public events, and how they follow from the audit log.

    audit entry ──EVENT_OF──▶ event ──▶ one delivery for each webhook that wants it, in the same transaction

So an event is told exactly when what it tells was committed. Activations have no audit entry; they are announced where
they are recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from cloudlet.control.db import wake_after_commit
from cloudlet.control.platform import Platform
from cloudlet.control.webhooks.tables import Webhook, WebhookDelivery
from cloudlet.control.workspaces.tables import Workspace

ALL_EVENTS = "*"
TEST_EVENT = "webhook.test"
TASK = "webhooks"  # the worker's, which sends what is queued


class PublicEvent(msgspec.Struct, frozen=True):
    """`subject` says what the event's `subject` is the id of."""

    name: str
    meaning: str
    subject: str


GROUPS: tuple[tuple[str, tuple[PublicEvent, ...]], ...] = (
    (
        "Licenses",
        (
            PublicEvent("license.assigned", "A license was assigned to a member", "license"),
            PublicEvent("license.unassigned", "A member’s license was freed", "license"),
            PublicEvent("license.expiring", "Licenses end in 14, 7 or 1 days", "subscription"),
            PublicEvent("license.expired", "Licenses have ended", "subscription"),
            PublicEvent("license.activated", "An emulator was activated", "activation"),
            PublicEvent("license.activation_failed", "An emulator was refused", "activation"),
            PublicEvent("license.file_issued", "An offline license file was issued", "license file"),
            PublicEvent("license.file_revoked", "An offline license file was revoked", "license file"),
        ),
    ),
    (
        "Tokens and keys",
        (
            PublicEvent("credential.created", "A token or key was created", "credential"),
            PublicEvent("credential.rotated", "A key got a successor", "credential"),
            PublicEvent("credential.revoked", "A token or key was reset, deleted or revoked", "credential"),
            PublicEvent("credential.reused_after_revoke", "A revoked token was used", "credential"),
            PublicEvent("credential.expiring", "A token or key ends soon", "credential"),
        ),
    ),
    (
        "CI credits",
        (
            PublicEvent("ci.quota.80", "80 % of the period’s CI credits are used", "period"),
            PublicEvent("ci.quota.100", "All CI credits of the period are used", "period"),
        ),
    ),
    (
        "Members",
        (
            PublicEvent("member.invited", "Somebody was invited", "member"),
            PublicEvent("member.joined", "Somebody joined the workspace", "member"),
            PublicEvent("member.changed", "A member’s role or permissions changed", "member"),
            PublicEvent("member.removed", "A member was removed", "member"),
            PublicEvent("member.left", "A member left", "member"),
        ),
    ),
    (
        "Single sign-on",
        (
            PublicEvent("sso.created", "An identity provider was set up", "identity provider"),
            PublicEvent("sso.changed", "Its settings changed", "identity provider"),
            PublicEvent("sso.enabled", "It was switched on", "identity provider"),
            PublicEvent("sso.disabled", "It was switched off", "identity provider"),
            PublicEvent("sso.deleted", "It was deleted", "identity provider"),
        ),
    ),
    (
        "Subscription",
        (
            PublicEvent("subscription.started", "A trial or subscription began", "subscription"),
            PublicEvent("subscription.changed", "Plan, seats or period changed", "subscription"),
            PublicEvent("subscription.canceled", "A subscription was canceled", "subscription"),
            PublicEvent("subscription.expired", "A subscription ended", "subscription"),
        ),
    ),
)
EVENTS: Mapping[str, PublicEvent] = MappingProxyType({event.name: event for _, events in GROUPS for event in events})

# Audit actions whose event has another name. An action that is an event itself needs no line.
EVENT_OF: Mapping[str, str] = MappingProxyType(
    {
        "credential.reset": "credential.revoked",
        "credential.deleted": "credential.revoked",
        "credential.reused": "credential.reused_after_revoke",
        "offline_file.issued": "license.file_issued",
        "offline_file.revoked": "license.file_revoked",
    }
)


def event_of(action: str) -> str:
    """The public event for an audit action, "" when there is none."""
    name = EVENT_OF.get(action, action)
    return name if name in EVENTS else ""


def announce(
    session: Session,
    platform: Platform,
    workspace_id: str,
    event: str,
    *,
    subject: str,
    actor: str,
    at: datetime,
    data: Mapping[str, Any],
) -> int:
    """Write a delivery for each enabled webhook of the workspace that wants the event, in the caller's transaction.

    Returns how many. `data` must hold no secret.
    """
    wanted = session.execute(
        select(Webhook.id, Webhook.events).where(Webhook.workspace_id == workspace_id, Webhook.disabled_at.is_(None))
    ).all()
    chosen = [row.id for row in wanted if wants(row.events, event)]
    if chosen:
        payload = make_payload(
            session, platform, workspace_id, event, subject=subject, actor=actor, at=at, data=dict(data)
        )
        queue(session, platform, chosen, payload)
    return len(chosen)


def wants(chosen: Iterable[str], event: str) -> bool:
    return any(name in {ALL_EVENTS, event} for name in chosen)


def make_payload(
    session: Session,
    platform: Platform,
    workspace_id: str,
    event: str,
    *,
    subject: str,
    actor: str,
    at: datetime,
    data: dict[str, Any],
) -> dict[str, Any]:
    """What is sent; `docs/webhooks.md` describes it."""
    name = session.scalar(select(Workspace.name).where(Workspace.id == workspace_id)) or ""
    return {
        "id": platform.new_id("evt"),
        "type": event,
        "created": rfc3339(at),
        "workspace": {"id": workspace_id, "name": name},
        "actor": actor,
        "subject": subject,
        "data": data,
    }


def queue(session: Session, platform: Platform, webhook_ids: Iterable[str], payload: dict[str, Any]) -> list[str]:
    """Deliveries that are due now. Returns their ids."""
    now = platform.now()
    found = [
        WebhookDelivery(
            id=platform.new_id("dlv"),
            webhook_id=webhook_id,
            event_id=payload["id"],
            event=payload["type"],
            payload=payload,
            status="pending",
            attempts=0,
            created_at=now,
            due_at=now,
            history=[],
        )
        for webhook_id in webhook_ids
    ]
    session.add_all(found)
    session.flush()
    wake_after_commit(session, TASK)
    return [delivery.id for delivery in found]


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
