"""Putting mail into the outbox, and looking at it where no server sends it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from cloudlet.control.db import wake_after_commit
from cloudlet.control.errors import NotFound
from cloudlet.control.mail.letters import letter
from cloudlet.control.mail.tables import OutboxMail
from cloudlet.control.platform import Platform

TASK = "mail"
SHOWN = 100


class ShownMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail of the developer page. `text` is "" in the list, and when it was forgotten."""

    id: str
    kind: str
    to: str
    subject: str
    created_at: datetime
    text: str = ""


def queue_mail(session: Session, platform: Platform, *, kind: str, to: str, subject: str, text: str) -> OutboxMail:
    """Write a mail in the caller's transaction: it goes out when that commits, never otherwise.

    `text` is plain text (72 columns) and may hold one-time links; `kind` is for statistics and the developer page.
    """
    row_id = platform.new_id("mail")
    mail = OutboxMail(
        id=row_id,
        kind=kind,
        to_address=to,
        subject=subject,
        body_enc=platform.vault.seal(text.encode(), row_id),
        created_at=platform.now(),
        due_at=platform.now(),
    )
    session.add(mail)
    session.flush()
    wake_after_commit(session, TASK)
    return mail


def send_letter(session: Session, platform: Platform, kind: str, to: str, **facts: object) -> OutboxMail:
    """Queue the letter `letters/<kind>.txt`, filled in with `facts`; see there for what it needs."""
    subject, text = letter(kind, base_url=platform.settings.base_url, to=to, **facts)
    return queue_mail(session, platform, kind=kind, to=to, subject=subject, text=text)


def shown_mails(session: Session) -> list[ShownMail]:
    """The newest mails, without their texts."""
    rows = session.scalars(select(OutboxMail).order_by(OutboxMail.id.desc()).limit(SHOWN))
    return [view(row) for row in rows]


def shown_mail(session: Session, platform: Platform, mail_id: str) -> ShownMail:
    """One mail with its text. Raises NotFound."""
    row = session.get(OutboxMail, mail_id)
    if row is None:
        raise NotFound("There is no such mail.")
    return view(row, platform.vault.unseal(row.body_enc, row.id).decode() if row.body_enc else "")


def view(row: OutboxMail, text: str = "") -> ShownMail:
    return ShownMail(
        id=row.id, kind=row.kind, to=row.to_address, subject=row.subject, created_at=row.created_at, text=text
    )
