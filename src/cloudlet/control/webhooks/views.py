"""How webhooks and their deliveries look on pages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from cloudlet.control.platform import Platform
from cloudlet.control.webhooks.delivery import RETRY_SECONDS
from cloudlet.control.webhooks.events import ALL_EVENTS
from cloudlet.control.webhooks.tables import Webhook, WebhookDelivery

PAGE_SIZE = 25
BADGES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"pending": ("warn", "Waiting"), "delivered": ("good", "Delivered"), "dead": ("bad", "Given up")}
)


class WebhookView(msgspec.Struct, frozen=True, kw_only=True):
    """`waiting` and `dead` count deliveries; `wants_all`: every event, those of later versions too."""

    id: str
    url: str
    description: str
    events: frozenset[str]
    wants_all: bool
    is_enabled: bool
    disabled_at: datetime | None
    disabled_reason: str
    secret_last4: str
    old_secret_until: datetime | None
    created_at: datetime
    waiting: int
    dead: int
    last_delivered_at: datetime | None


class AttemptView(msgspec.Struct, frozen=True):
    """One that ended."""

    at: datetime
    status: int | None
    error: str
    milliseconds: int


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """`payload` is JSON for reading; `next_at` when it is tried again."""

    id: str
    event_id: str
    event: str
    created_at: datetime
    colour: str
    label: str
    is_over: bool
    attempts: int
    most_attempts: int
    response_status: int | None
    last_error: str
    next_at: datetime | None
    payload: str
    history: tuple[AttemptView, ...]


class DeliveryList(msgspec.Struct, frozen=True):
    """`older` is the cursor of the next page, "" on the last one."""

    deliveries: tuple[DeliveryView, ...]
    older: str


def list_webhooks(session: Session, platform: Platform, workspace_id: str) -> tuple[WebhookView, ...]:
    hooks = session.scalars(
        select(Webhook).where(Webhook.workspace_id == workspace_id).order_by(Webhook.created_at, Webhook.id)
    ).all()
    tallies = tallies_of(session, [hook.id for hook in hooks])
    return tuple(view_of(platform, hook, tallies.get(hook.id, Tally())) for hook in hooks)


def webhook_view(session: Session, platform: Platform, hook: Webhook) -> WebhookView:
    return view_of(platform, hook, tallies_of(session, [hook.id]).get(hook.id, Tally()))


class Tally(msgspec.Struct, frozen=True):
    """What became of a webhook's deliveries."""

    waiting: int = 0
    dead: int = 0
    last_delivered_at: datetime | None = None


def tallies_of(session: Session, webhook_ids: Sequence[str]) -> dict[str, Tally]:
    """By webhook, of those that have any; in one query."""
    status = WebhookDelivery.status
    rows = session.execute(
        select(
            WebhookDelivery.webhook_id,
            func.sum(case((status == "pending", 1), else_=0)),
            func.sum(case((status == "dead", 1), else_=0)),
            func.max(WebhookDelivery.delivered_at),
        )
        .where(WebhookDelivery.webhook_id.in_(webhook_ids))
        .group_by(WebhookDelivery.webhook_id)
    ).all()
    return {str(row_id): Tally(int(waiting), int(dead), last) for row_id, waiting, dead, last in rows}


def view_of(platform: Platform, hook: Webhook, tally: Tally) -> WebhookView:
    overlaps = hook.old_secret_until is not None and platform.now() < hook.old_secret_until
    return WebhookView(
        id=hook.id,
        url=hook.url,
        description=hook.description,
        events=frozenset(hook.events),
        wants_all=ALL_EVENTS in hook.events,
        is_enabled=hook.disabled_at is None,
        disabled_at=hook.disabled_at,
        disabled_reason=hook.disabled_reason,
        secret_last4=hook.secret_last4,
        old_secret_until=hook.old_secret_until if overlaps else None,
        created_at=hook.created_at,
        waiting=tally.waiting,
        dead=tally.dead,
        last_delivered_at=tally.last_delivered_at,
    )


def list_deliveries(session: Session, webhook_id: str, *, before: str = "", size: int = PAGE_SIZE) -> DeliveryList:
    """Newest first: ids sort by time."""
    query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
    if before:
        query = query.where(WebhookDelivery.id < before)
    rows = session.scalars(query.order_by(WebhookDelivery.id.desc()).limit(size + 1)).all()
    shown = rows[:size]
    return DeliveryList(tuple(map(delivery_view, shown)), shown[-1].id if len(rows) > size else "")


def delivery_view(delivery: WebhookDelivery) -> DeliveryView:
    colour, label = BADGES[delivery.status]
    return DeliveryView(
        id=delivery.id,
        event_id=delivery.event_id,
        event=delivery.event,
        created_at=delivery.created_at,
        colour=colour,
        label=label,
        is_over=delivery.due_at is None,
        attempts=delivery.attempts,
        most_attempts=len(RETRY_SECONDS) + 1,
        response_status=delivery.response_status,
        last_error=delivery.last_error or "",
        next_at=delivery.due_at if delivery.attempts else None,
        payload=json.dumps(delivery.payload, indent=2, ensure_ascii=False, sort_keys=True),
        history=tuple(map(attempt_view, delivery.history)),
    )


def attempt_view(entry: dict[str, Any]) -> AttemptView:
    return AttemptView(
        datetime.fromisoformat(entry["at"]), entry["status"], str(entry["error"]), int(entry["milliseconds"])
    )
