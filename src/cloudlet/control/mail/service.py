"""Putting mail into the outbox."""

from __future__ import annotations

from sqlalchemy.orm import Session

from cloudlet.control.mail.tables import OutboxMail
from cloudlet.control.platform import Platform


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
    return mail
