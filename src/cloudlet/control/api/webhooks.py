"""Webhooks, their deliveries, and sending again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from cloudlet.control.api.operation import Body, Call, CursorQuery, Page, make_cursor, operation, read_cursor
from cloudlet.control.errors import InvalidForm
from cloudlet.control.webhooks import service
from cloudlet.control.webhooks.errors import TooManyWebhooks, WebhookDisabled
from cloudlet.control.webhooks.forms import checked_form, read_overlap
from cloudlet.control.webhooks.tables import WebhookDelivery
from cloudlet.control.webhooks.views import (
    AttemptView,
    WebhookView,
    attempt_view,
    list_deliveries,
    list_webhooks,
    webhook_view,
)

WEBHOOKS = "/workspaces/{workspace_id}/webhooks"
WEBHOOK = WEBHOOKS + "/{webhook_id}"


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """`events`: names, or `*` for all, those of later versions too; `waiting` and `dead` count deliveries."""

    id: str
    url: str
    description: str
    events: tuple[str, ...]
    enabled: bool
    disabled_reason: str
    secret_last4: str
    created_at: datetime
    waiting: int
    dead: int
    last_delivered_at: datetime | None


class WebhookWish(Body, frozen=True, kw_only=True):
    """Where to, and which events."""

    url: str
    events: tuple[str, ...]
    description: str = ""


class WebhookChange(Body, frozen=True, kw_only=True):
    """What is left out stays."""

    url: str | None = None
    events: tuple[str, ...] | None = None
    description: str | None = None
    enabled: bool | None = None


class SecretRoll(Body, frozen=True, kw_only=True):
    """Hours for which the old secret signs beside the new one: 0, 1, 24 or 168."""

    overlap_hours: int = 0


class WebhookSecret(msgspec.Struct, frozen=True):
    """The webhook's id and, this once, the secret of its signatures."""

    id: str
    secret: str


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one webhook. `next_at`: when it is tried again, null when it is over."""

    id: str
    event_id: str
    event: str
    status: str
    created_at: datetime
    attempts: int
    response_status: int | None
    last_error: str
    next_at: datetime | None
    delivered_at: datetime | None
    payload: dict[str, Any]
    history: tuple[AttemptView, ...]


class Queued(msgspec.Struct, frozen=True):
    """The delivery that was queued."""

    delivery_id: str


@operation("GET", WEBHOOKS, "webhook.manage")
def list_all_webhooks(call: Call) -> Page[Webhook]:
    """All webhooks, twenty at most."""
    found = list_webhooks(call.session, call.platform, call.viewer.workspace_id)
    return Page(tuple(map(shape, found)))


@operation("POST", WEBHOOKS, "webhook.manage", status=201, once=True, refuses=(InvalidForm, TooManyWebhooks))
def create_webhook(call: Call, body: WebhookWish) -> WebhookSecret:
    """Create a webhook. Its secret is told in this answer and never again."""
    form = checked_form(body.url, body.description, list(body.events), call.platform.settings)
    made = service.create_webhook(call.session, call.platform, call.viewer, form)
    return WebhookSecret(made.webhook_id, made.secret)


@operation("GET", WEBHOOK, "webhook.manage")
def get_webhook(call: Call, webhook_id: str) -> Webhook:
    """One webhook."""
    return one(call, webhook_id)


@operation("PATCH", WEBHOOK, "webhook.manage", refuses=(InvalidForm,))
def change_webhook(call: Call, webhook_id: str, body: WebhookChange) -> Webhook:
    """Change a webhook, or switch it off and on. What was not delivered when it goes off is given up."""
    hook = service.change(call.session, call.viewer, webhook_id)
    form = checked_form(
        hook.url if body.url is None else body.url,
        hook.description if body.description is None else body.description,
        list(hook.events if body.events is None else body.events),
        call.platform.settings,
    )
    service.change_webhook(call.session, call.platform, call.viewer, webhook_id, form)
    if body.enabled is not None:
        switch = service.enable_webhook if body.enabled else service.disable_webhook
        switch(call.session, call.platform, call.viewer, webhook_id)
    return one(call, webhook_id)


@operation("DELETE", WEBHOOK, "webhook.manage")
def delete_webhook(call: Call, webhook_id: str) -> None:
    """Delete a webhook and its deliveries."""
    service.delete_webhook(call.session, call.platform, call.viewer, webhook_id)


@operation("POST", WEBHOOK + "/secret", "webhook.manage", status=201, once=True, refuses=(InvalidForm,))
def roll_secret(call: Call, webhook_id: str, body: SecretRoll) -> WebhookSecret:
    """A new secret; the old one signs beside it for a while."""
    hours = read_overlap({"overlap": str(body.overlap_hours)})
    made = service.roll_secret(call.session, call.platform, call.viewer, webhook_id, hours=hours)
    return WebhookSecret(made.webhook_id, made.secret)


@operation("POST", WEBHOOK + "/test", "webhook.manage", status=202, once=True, refuses=(WebhookDisabled,))
def send_test(call: Call, webhook_id: str) -> Queued:
    """Send a test event."""
    return Queued(service.send_test(call.session, call.platform, call.viewer, webhook_id))


@operation("GET", WEBHOOK + "/deliveries", "webhook.manage")
def list_all_deliveries(call: Call, webhook_id: str, query: CursorQuery) -> Page[Delivery]:
    """Deliveries, newest first."""
    service.find_webhook(call.session, call.viewer.workspace_id, webhook_id)
    found = list_deliveries(call.session, webhook_id, before=read_cursor("deliveries", query.cursor) or "")
    rows = (call.session.get_one(WebhookDelivery, view.id) for view in found.deliveries)
    return Page(tuple(map(delivery_shape, rows)), make_cursor("deliveries", found.older) if found.older else None)


@operation("GET", WEBHOOK + "/deliveries/{delivery_id}", "webhook.manage")
def get_delivery(call: Call, webhook_id: str, delivery_id: str) -> Delivery:
    """One delivery, with each try."""
    return delivery_shape(service.find_delivery(call.session, call.viewer.workspace_id, webhook_id, delivery_id))


@operation(
    "POST",
    WEBHOOK + "/deliveries/{delivery_id}/redeliver",
    "webhook.manage",
    status=202,
    once=True,
    refuses=(WebhookDisabled,),
)
def redeliver(call: Call, webhook_id: str, delivery_id: str) -> Queued:
    """Send the same event once more."""
    return Queued(service.redeliver(call.session, call.platform, call.viewer, webhook_id, delivery_id))


def one(call: Call, webhook_id: str) -> Webhook:
    hook = service.find_webhook(call.session, call.viewer.workspace_id, webhook_id)
    call.session.refresh(hook)
    return shape(webhook_view(call.session, call.platform, hook))


def shape(found: WebhookView) -> Webhook:
    return Webhook(
        id=found.id,
        url=found.url,
        description=found.description,
        events=tuple(sorted(found.events)),
        enabled=found.is_enabled,
        disabled_reason=found.disabled_reason,
        secret_last4=found.secret_last4,
        created_at=found.created_at,
        waiting=found.waiting,
        dead=found.dead,
        last_delivered_at=found.last_delivered_at,
    )


def delivery_shape(found: WebhookDelivery) -> Delivery:
    return Delivery(
        id=found.id,
        event_id=found.event_id,
        event=found.event,
        status=found.status,
        created_at=found.created_at,
        attempts=found.attempts,
        response_status=found.response_status,
        last_error=found.last_error or "",
        next_at=found.due_at,
        delivered_at=found.delivered_at,
        payload=found.payload,
        history=tuple(map(attempt_view, found.history)),
    )


OPERATIONS = (
    list_all_webhooks,
    create_webhook,
    get_webhook,
    change_webhook,
    delete_webhook,
    roll_secret,
    send_test,
    list_all_deliveries,
    get_delivery,
    redeliver,
)
