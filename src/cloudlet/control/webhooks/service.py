"""Webhooks: made, changed, switched, tested; events sent again. `delivery` sends them."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cloudlet.control.audit.service import record
from cloudlet.control.errors import NotFound
from cloudlet.control.mail.service import queue_mail
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer
from cloudlet.control.webhooks.addresses import origin
from cloudlet.control.webhooks.errors import TooManyWebhooks, WebhookDisabled
from cloudlet.control.webhooks.events import TEST_EVENT, make_payload, queue
from cloudlet.control.webhooks.forms import WebhookForm
from cloudlet.control.webhooks.signature import new_secret
from cloudlet.control.webhooks.tables import Webhook, WebhookDelivery
from cloudlet.control.workspaces.service import admin_addresses, lock_workspace
from cloudlet.control.workspaces.tables import Workspace

MOST_WEBHOOKS = 20
SWITCHED_OFF = "the webhook was switched off"


class NewSecret(msgspec.Struct, frozen=True):
    """A webhook's id and, this once, its secret."""

    webhook_id: str
    secret: str


def find_webhook(session: Session, workspace_id: str, webhook_id: str) -> Webhook:
    """Raises NotFound, for another workspace's webhook too."""
    found = session.scalar(select(Webhook).where(Webhook.id == webhook_id, Webhook.workspace_id == workspace_id))
    if found is None:
        raise NotFound("This workspace has no such webhook.")
    return found


def change(session: Session, viewer: Viewer, webhook_id: str) -> Webhook:
    """The webhook, changed by nobody else until the transaction ends. Raises NotFound."""
    lock_workspace(session, viewer.workspace_id)
    return find_webhook(session, viewer.workspace_id, webhook_id)


def find_delivery(session: Session, workspace_id: str, webhook_id: str, delivery_id: str) -> WebhookDelivery:
    """Raises NotFound."""
    hook = find_webhook(session, workspace_id, webhook_id)
    found = session.scalar(
        select(WebhookDelivery).where(WebhookDelivery.id == delivery_id, WebhookDelivery.webhook_id == hook.id)
    )
    if found is None:
        raise NotFound("This webhook has no such delivery.")
    return found


def create_webhook(session: Session, platform: Platform, viewer: Viewer, form: WebhookForm) -> NewSecret:
    """Raises TooManyWebhooks."""
    lock_workspace(session, viewer.workspace_id)
    count = session.scalar(select(func.count(Webhook.id)).where(Webhook.workspace_id == viewer.workspace_id)) or 0
    if count >= MOST_WEBHOOKS:
        raise TooManyWebhooks
    secret = new_secret(platform)
    row_id = platform.new_id("whk")
    session.add(
        Webhook(
            id=row_id,
            workspace_id=viewer.workspace_id,
            url=form.url,
            description=form.description,
            events=list(form.events),
            secret_enc=platform.vault.seal(secret.encode(), row_id),
            secret_last4=secret[-4:],
            created_at=platform.now(),
            created_by=viewer.actor,
        )
    )
    session.flush()
    note(session, platform, viewer, action="webhook.created", webhook_id=row_id, url=form.url, events=list(form.events))
    return NewSecret(row_id, secret)


def change_webhook(session: Session, platform: Platform, viewer: Viewer, webhook_id: str, form: WebhookForm) -> None:
    """Raises NotFound."""
    hook = change(session, viewer, webhook_id)
    before = (hook.url, hook.description, tuple(hook.events))
    if before == (form.url, form.description, form.events):
        return
    hook.url, hook.description, hook.events = form.url, form.description, list(form.events)
    note(
        session, platform, viewer, action="webhook.changed", webhook_id=hook.id, url=form.url, events=list(form.events)
    )


def roll_secret(session: Session, platform: Platform, viewer: Viewer, webhook_id: str, *, hours: int) -> NewSecret:
    """A new secret; for `hours` the old one signs beside it. Raises NotFound."""
    hook = change(session, viewer, webhook_id)
    old = secret_of(platform, hook)
    secret = new_secret(platform)
    hook.secret_enc, hook.secret_last4 = platform.vault.seal(secret.encode(), hook.id), secret[-4:]
    hook.old_secret_enc = platform.vault.seal(old.encode(), hook.id) if hours else None
    hook.old_secret_until = platform.now() + timedelta(hours=hours) if hours else None
    note(session, platform, viewer, action="webhook.secret_rolled", webhook_id=hook.id, overlap_hours=hours)
    return NewSecret(hook.id, secret)


def secret_of(platform: Platform, hook: Webhook) -> str:
    return platform.vault.unseal(hook.secret_enc, hook.id).decode()


def secrets_of(platform: Platform, hook: Webhook) -> list[str]:
    """Those that sign now, the newest first."""
    found = [secret_of(platform, hook)]
    if hook.old_secret_enc is not None and hook.old_secret_until and platform.now() < hook.old_secret_until:
        found.append(platform.vault.unseal(hook.old_secret_enc, hook.id).decode())
    return found


def send_test(session: Session, platform: Platform, viewer: Viewer, webhook_id: str) -> str:
    """Queue a test event. Returns the delivery's id. Raises NotFound, WebhookDisabled."""
    hook = change(session, viewer, webhook_id)
    if hook.disabled_at is not None:
        raise WebhookDisabled
    payload = make_payload(
        session,
        platform,
        viewer.workspace_id,
        TEST_EVENT,
        subject=hook.id,
        actor=viewer.actor,
        at=platform.now(),
        data={"text": "This is a test. Nothing happened."},
    )
    note(session, platform, viewer, action="webhook.tested", webhook_id=hook.id)
    return queue(session, platform, [hook.id], payload)[0]


def redeliver(session: Session, platform: Platform, viewer: Viewer, webhook_id: str, delivery_id: str) -> str:
    """Send the same event once more. Returns the new delivery's id. Raises NotFound, WebhookDisabled."""
    hook = change(session, viewer, webhook_id)
    old = find_delivery(session, viewer.workspace_id, webhook_id, delivery_id)
    if hook.disabled_at is not None:
        raise WebhookDisabled
    note(session, platform, viewer, action="webhook.redelivered", webhook_id=hook.id, event=old.event, delivery=old.id)
    return queue(session, platform, [hook.id], old.payload)[0]


def enable_webhook(session: Session, platform: Platform, viewer: Viewer, webhook_id: str) -> None:
    """Raises NotFound."""
    hook = change(session, viewer, webhook_id)
    if hook.disabled_at is None:
        return
    hook.disabled_at, hook.disabled_reason, hook.dead_in_row = None, "", 0
    note(session, platform, viewer, action="webhook.enabled", webhook_id=hook.id)


def disable_webhook(session: Session, platform: Platform, viewer: Viewer, webhook_id: str) -> None:
    """What was not delivered yet is given up; it can be sent again by hand. Raises NotFound."""
    hook = change(session, viewer, webhook_id)
    if switch_off(session, platform, hook, ""):
        note(session, platform, viewer, action="webhook.disabled", webhook_id=hook.id)


def disable_by_itself(session: Session, platform: Platform, hook: Webhook, reason: str) -> None:
    """It does not work; its admins get a mail, once."""
    if not switch_off(session, platform, hook, reason):
        return
    record(
        session,
        platform,
        hook.workspace_id,
        actor="system",
        action="webhook.disabled",
        target=hook.id,
        data={"reason": reason, "url": origin(hook.url)},
    )
    name = session.scalar(select(Workspace.name).where(Workspace.id == hook.workspace_id)) or ""
    link = f"{platform.settings.base_url}/workspace/webhooks/{hook.id}"
    text = (
        f"The webhook of the workspace {name} that sends events to {origin(hook.url)}\n"
        f"was switched off: {reason}.\n\n"
        f"Events are not sent to it any more. Put its receiver right, switch the webhook\n"
        f"on again and send what was missed once more:\n\n    {link}\n"
    )
    for address in admin_addresses(session, hook.workspace_id):
        queue_mail(
            session,
            platform,
            kind="webhook_disabled",
            to=address,
            subject="A webhook was switched off",
            text=text,
        )


def switch_off(session: Session, platform: Platform, hook: Webhook, reason: str) -> bool:
    """Whether it was on. One of several that do it at the same time gets True."""
    switched = session.scalar(
        update(Webhook)
        .where(Webhook.id == hook.id, Webhook.disabled_at.is_(None))
        .values(disabled_at=platform.now(), disabled_reason=reason[:200])
        .returning(Webhook.id)
        .execution_options(synchronize_session=False)
    )
    if switched is None:
        return False
    session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == hook.id, WebhookDelivery.status == "pending")
        .values(status="dead", due_at=None, last_error=SWITCHED_OFF)
        .execution_options(synchronize_session=False)
    )
    session.expire(hook)
    return True


def delete_webhook(session: Session, platform: Platform, viewer: Viewer, webhook_id: str) -> None:
    """With its deliveries. Raises NotFound."""
    hook = change(session, viewer, webhook_id)
    note(session, platform, viewer, action="webhook.deleted", webhook_id=hook.id, name=hook.url)
    session.delete(hook)


def note(session: Session, platform: Platform, viewer: Viewer, *, action: str, webhook_id: str, **data: object) -> None:
    """An entry in the audit log; the URL may hold its receiver's key, so only its origin is written down."""
    shown = {name: origin(str(value)) if name in {"url", "name"} else value for name, value in data.items()}
    record(session, platform, viewer.workspace_id, actor=viewer.actor, action=action, target=webhook_id, data=shown)
