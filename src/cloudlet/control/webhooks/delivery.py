"""Sending what is due, and what follows from the answer.

    pending ──2xx──▶ delivered
       └──anything else──▶ pending again, later and later, for a day ──▶ dead ──after DEAD_IN_ROW──▶ webhook switched off

An attempt is claimed by a conditional update that counts it and moves its next turn behind its time limit: two processes
never send one attempt twice, and an attempt whose process died is made again. A receiver that has got an event says
which (`id`), so that it can pass over one that it got already.

Attempts run beside each other, PARALLEL of them at most and PER_WEBHOOK to one receiver, so that a slow one keeps nobody
else waiting.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from datetime import timedelta

import msgspec
from anyio.to_thread import run_sync
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from cloudlet.control.db import Database
from cloudlet.control.platform import Platform
from cloudlet.control.webhooks.sending import LIMIT_SECONDS, Answer, Parcel, make_tls, send
from cloudlet.control.webhooks.service import disable_by_itself, secrets_of
from cloudlet.control.webhooks.signature import signature_header
from cloudlet.control.webhooks.tables import Webhook, WebhookDelivery
from cloudlet.control.workspaces.tables import Workspace
from cloudlet.license.canonical import canonical_json

# Seconds between one attempt and the next; together a day.
RETRY_SECONDS = (15, 60, 240, 960, 3_840, 15_360, 30_000, 35_925)
CLAIM_SECONDS = 60  # longer than an attempt can take
DEAD_IN_ROW = 5
PARALLEL = 16
PER_WEBHOOK = 2
RUN_SECONDS = 25  # after which a run takes nothing new: the lease of its task ends some time, and a stop waits for it
SLOW_MILLISECONDS = 1000
KEEP_DAYS = 30
GONE = 410


class Claim(msgspec.Struct, frozen=True):
    """An attempt that is ours; `number` counts from 1."""

    delivery_id: str
    webhook_id: str
    number: int
    parcel: Parcel


def has_work(database: Database, platform: Platform) -> bool:
    """Asked without a write lock, so that an idle worker disturbs nobody."""
    with database.snapshot() as session:
        return is_anything_due(session, platform)


def deliver_due(database: Database, platform: Platform) -> None:
    """The task: send all that is due, and what becomes due meanwhile."""
    asyncio.run(Round(database, platform).run())


class Round:
    """One run: claims while there is room, sends beside each other, writes down what came of it."""

    def __init__(self, database: Database, platform: Platform) -> None:
        self.database = database
        self.platform = platform
        self.busy: Counter[str] = Counter()
        self.slow: set[str] = set()
        self.tls: ssl.SSLContext | None = None
        self.ends = platform.effects.monotonic() + RUN_SECONDS

    @property
    def left_seconds(self) -> float:
        return self.ends - self.platform.effects.monotonic()

    async def run(self) -> None:
        running: set[asyncio.Task[None]] = set()
        while True:
            room = PARALLEL - len(running)
            may_claim = room > 0 and self.left_seconds > 0
            claims = await run_sync(self.claim, room) if may_claim else []
            for claim in claims:
                self.busy[claim.webhook_id] += 1
                running.add(asyncio.create_task(self.attempt(claim)))
            if not running:
                return
            # With a timeout: what others queue meanwhile must not wait for the slowest of these.
            done, running = await asyncio.wait(running, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    def claim(self, room: int) -> list[Claim]:
        if not has_work(self.database, self.platform):
            return []
        with self.database.transaction() as session:
            full = [webhook for webhook, count in self.busy.items() if count >= PER_WEBHOOK]
            # Slow ones begin early enough to be over at the end, so that the next run need not wait for them.
            late = list(self.slow) if self.left_seconds < LIMIT_SECONDS else []
            return claim_due(session, self.platform, room=room, busy=self.busy, full=[*full, *late])

    async def attempt(self, claim: Claim) -> None:
        self.tls = self.tls or make_tls()
        try:
            answer = await send(claim.parcel, self.platform, self.tls)
        finally:
            self.busy[claim.webhook_id] -= 1
        if answer.milliseconds > SLOW_MILLISECONDS:
            self.slow.add(claim.webhook_id)
        await run_sync(self.finish, claim, answer)

    def finish(self, claim: Claim, answer: Answer) -> None:
        with self.database.transaction() as session:
            finish(session, self.platform, claim, answer)


def is_anything_due(session: Session, platform: Platform) -> bool:
    return session.scalar(select(WebhookDelivery.id).where(is_due(platform)).limit(1)) is not None


def is_due(platform: Platform) -> ColumnElement[bool]:
    return (WebhookDelivery.status == "pending") & (WebhookDelivery.due_at <= platform.now())


def claim_due(session: Session, platform: Platform, *, room: int, busy: Counter[str], full: list[str]) -> list[Claim]:
    """Up to `room` attempts, oldest first, PER_WEBHOOK of a webhook at most."""
    query = (
        select(WebhookDelivery, Webhook)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(is_due(platform), Webhook.disabled_at.is_(None))
        .order_by(WebhookDelivery.due_at, WebhookDelivery.id)
        .limit(room * 8)
    )
    if full:
        query = query.where(Webhook.id.not_in(full))
    taken = Counter(busy)
    found: list[Claim] = []
    for delivery, hook in session.execute(query).all():
        if len(found) == room:
            break
        if taken[hook.id] >= PER_WEBHOOK:
            continue
        number = take(session, platform, delivery)
        if number:
            taken[hook.id] += 1
            found.append(Claim(delivery.id, hook.id, number, parcel_of(platform, hook, delivery)))
    return found


def take(session: Session, platform: Platform, delivery: WebhookDelivery) -> int:
    """The number of the attempt that is ours now, 0 when somebody else took it."""
    return (
        session.scalar(
            update(WebhookDelivery)
            .where(
                WebhookDelivery.id == delivery.id,
                WebhookDelivery.status == "pending",
                WebhookDelivery.attempts == delivery.attempts,
                WebhookDelivery.due_at == delivery.due_at,
            )
            .values(attempts=WebhookDelivery.attempts + 1, due_at=platform.now() + timedelta(seconds=CLAIM_SECONDS))
            .returning(WebhookDelivery.attempts)
            .execution_options(synchronize_session=False)
        )
        or 0
    )


def parcel_of(platform: Platform, hook: Webhook, delivery: WebhookDelivery) -> Parcel:
    body = canonical_json(delivery.payload)
    signed = signature_header(secrets_of(platform, hook), body, platform.effects.now())
    return Parcel(url=hook.url, body=body, signature=signed, event=delivery.event, delivery_id=delivery.id)


def finish(session: Session, platform: Platform, claim: Claim, answer: Answer) -> None:
    """Write down an attempt; unless it was given up, deleted or claimed again meanwhile."""
    is_last = answer.status == GONE or claim.number > len(RETRY_SECONDS)
    hook = lock_webhook(session, claim.webhook_id, with_workspace=is_last and not answer.is_good)
    delivery = session.scalar(
        select(WebhookDelivery)
        .where(WebhookDelivery.id == claim.delivery_id, WebhookDelivery.attempts == claim.number)
        .with_for_update()
    )
    if delivery is None or hook is None or delivery.status == "delivered":
        return
    now = platform.now()
    delivery.history = [
        *delivery.history,
        {
            "at": now.isoformat(),
            "status": answer.status,
            "error": answer.error,
            "milliseconds": answer.milliseconds,
        },
    ]
    delivery.response_status, delivery.last_error = answer.status, answer.error or None
    if answer.is_good:
        delivery.status, delivery.delivered_at, delivery.due_at = "delivered", now, None
        session.flush()
        session.execute(update(Webhook).where(Webhook.id == hook.id, Webhook.dead_in_row > 0).values(dead_in_row=0))
    elif delivery.status == "pending" and not is_last:
        delivery.due_at = now + timedelta(seconds=RETRY_SECONDS[claim.number - 1])
    elif delivery.status == "pending":
        delivery.status, delivery.due_at = "dead", None
        session.flush()
        count_dead(session, platform, hook, answer)


def lock_webhook(session: Session, webhook_id: str, *, with_workspace: bool) -> Webhook | None:
    """The webhook, before its deliveries and after its workspace: the order in which everybody locks them."""
    if with_workspace:
        workspace = select(Webhook.workspace_id).where(Webhook.id == webhook_id).scalar_subquery()
        session.execute(select(Workspace.id).where(Workspace.id == workspace).with_for_update(key_share=True))
    return session.scalar(select(Webhook).where(Webhook.id == webhook_id).with_for_update(key_share=True))


def count_dead(session: Session, platform: Platform, hook: Webhook, answer: Answer) -> None:
    """Switch the webhook off when it looks as if nobody were there any more."""
    count = session.scalar(
        update(Webhook)
        .where(Webhook.id == hook.id)
        .values(dead_in_row=Webhook.dead_in_row + 1)
        .returning(Webhook.dead_in_row)
        .execution_options(synchronize_session=False)
    )
    if answer.status == GONE:
        disable_by_itself(session, platform, hook, "its receiver answered 410 Gone")
    elif count is not None and count >= DEAD_IN_ROW:
        disable_by_itself(session, platform, hook, f"{count} events in a row could not be delivered for a day each")


def prune(database: Database, platform: Platform) -> None:
    """The task: forget deliveries that are over and old."""
    limit = platform.now() - timedelta(days=KEEP_DAYS)
    while True:
        with database.transaction() as session:
            old = session.scalars(
                select(WebhookDelivery.id)
                .where(WebhookDelivery.due_at.is_(None), WebhookDelivery.created_at < limit)
                .limit(500)
            ).all()
            session.execute(delete(WebhookDelivery).where(WebhookDelivery.id.in_(old)))
        if len(old) < 500:
            return
