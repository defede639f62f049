"""Sending what is in the outbox: the worker's task "mail".

A mail is claimed by a conditional update before it is sent, so that of two processes one sends it; the claim ends by
itself when that process dies. Between the server's yes and our note of it a mail may go out twice: both have the same
message id.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from smtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
)

import msgspec
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from cloudlet.control.db import Database
from cloudlet.control.mail.server import MailServer, mail_server
from cloudlet.control.mail.tables import OutboxMail
from cloudlet.control.platform import Platform

LOG = logging.getLogger("cloudlet.control.mail")
# Seconds from a failed try to the next one; after the last of them the mail is given up.
RETRY_SECONDS = (60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600)
CLAIM_SECONDS = 300
RUN_SECONDS = 25  # after which a run takes no further mail, the next one does: a stop waits for the run
KEPT_DAYS = 30
SHOWN_HOURS = 24  # how long the developer page has a mail
RULE = "-" * 72


class Claimed(msgspec.Struct, frozen=True):
    """A mail that is ours to send. `attempt` counts from 1."""

    id: str
    to: str
    subject: str
    text: str
    attempt: int


class NotSent(Exception):
    """`is_final`: the server will not take this mail, ever."""

    def __init__(self, reason: str, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


def send_due(database: Database, platform: Platform) -> None:
    """All mail that is due, oldest first, over one connection. Without a server it is shown, or waits for one."""
    server = mail_server(platform.settings)
    if server is not None:
        send_by(server, database, platform)
    elif platform.settings.dev_mail:
        while mail := claim(database, platform):
            show_on_console(mail)
            note_sent(database, platform, mail, keep_text=True)
    forget(database, platform)


def warn_where_mail_waits(platform: Platform) -> None:
    """At the start, where nobody would notice otherwise before they miss a mail."""
    if not platform.settings.smtp_url and not platform.settings.dev_mail:
        LOG.warning("No mail is sent: set PLATFORM_SMTP_URL. Until then it waits in the outbox, two months at most.")


def send_by(server: MailServer, database: Database, platform: Platform) -> None:
    """A server that cannot be reached costs the first mail a try, and the others nothing: they stay due."""
    smtp: SMTP | None = None
    ends = platform.effects.monotonic() + RUN_SECONDS
    try:
        while platform.effects.monotonic() < ends and (mail := claim(database, platform)):
            try:
                smtp = smtp or connect(server)
                send(smtp, server, platform, mail)
            except NotSent as error:
                note_failure(database, platform, mail, error)
                if smtp is None:
                    return
                continue
            except (SMTPException, OSError) as error:
                note_failure(database, platform, mail, NotSent(describe(error)))
                return
            note_sent(database, platform, mail, keep_text=False)
    finally:
        if smtp is not None:
            with contextlib.suppress(SMTPException, OSError):
                smtp.quit()
            smtp.close()


def connect(server: MailServer) -> SMTP:
    """Raises NotSent."""
    try:
        return server.connect()
    except (SMTPException, OSError) as error:
        raise NotSent(f"{server.host}:{server.port}: {describe(error)}") from error


def send(smtp: SMTP, server: MailServer, platform: Platform, mail: Claimed) -> None:
    """Raises NotSent where the server answered about this mail, SMTPException and OSError where the connection broke."""
    try:
        smtp.send_message(compose(server, platform, mail))
    except SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise NotSent(reply(code, text), is_final=code >= 500) from error
    except (SMTPDataError, SMTPSenderRefused) as error:
        raise NotSent(reply(error.smtp_code, error.smtp_error)) from error
    except (SMTPNotSupportedError, UnicodeError) as error:
        raise NotSent("The server takes no address with other letters than a to z", is_final=True) from error
    except ValueError as error:
        raise NotSent(f"This is no mail that can be written: {error}", is_final=True) from error


def compose(server: MailServer, platform: Platform, mail: Claimed) -> EmailMessage:
    """Plain text. Robots are told not to answer it (RFC 3834)."""
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"] = server.sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(platform.now())
    message["Message-ID"] = f"<{mail.id}@{server.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="quoted-printable" if not mail.text.isascii() else "7bit")
    return message


def show_on_console(mail: Claimed) -> None:
    sys.stdout.write(f"{RULE}\nTo: {mail.to}\nSubject: {mail.subject}\n\n{mail.text.rstrip()}\n{RULE}\n")
    sys.stdout.flush()


def claim(database: Database, platform: Platform) -> Claimed | None:
    """The oldest mail that is due, which no other process sends from now on; None when there is none."""
    with database.transaction() as session:
        while row_id := next_due(session, platform):
            taken = session.execute(
                update(OutboxMail)
                .where(OutboxMail.id == row_id, OutboxMail.due_at <= platform.now())
                .values(due_at=platform.now() + timedelta(seconds=CLAIM_SECONDS), attempts=OutboxMail.attempts + 1)
                .returning(OutboxMail)
                .execution_options(populate_existing=True)
            ).scalar_one_or_none()
            if taken is not None and taken.body_enc is not None:
                text = platform.vault.unseal(taken.body_enc, taken.id).decode()
                return Claimed(taken.id, taken.to_address, taken.subject, text, taken.attempts)
    return None


def next_due(session: Session, platform: Platform) -> str | None:
    return session.scalar(
        select(OutboxMail.id)
        .where(OutboxMail.due_at <= platform.now(), OutboxMail.body_enc.is_not(None))
        .order_by(OutboxMail.due_at, OutboxMail.id)
        .limit(1)
    )


def note_sent(database: Database, platform: Platform, mail: Claimed, *, keep_text: bool) -> None:
    gone = {} if keep_text else {"body_enc": None}
    with database.transaction() as session:
        session.execute(
            update(OutboxMail)
            .where(OutboxMail.id == mail.id)
            .values(due_at=None, sent_at=platform.now(), last_error=None, **gone)
        )


def note_failure(database: Database, platform: Platform, mail: Claimed, error: NotSent) -> None:
    """The next try, or none: then the text is destroyed."""
    is_over = error.is_final or mail.attempt > len(RETRY_SECONDS)
    LOG.warning("Mail %s was not sent (try %d%s): %s", mail.id, mail.attempt, ", given up" if is_over else "", error)
    changes = (
        {"due_at": None, "failed_at": platform.now(), "body_enc": None}
        if is_over
        else {"due_at": platform.now() + timedelta(seconds=RETRY_SECONDS[mail.attempt - 1])}
    )
    with database.transaction() as session:
        session.execute(
            update(OutboxMail).where(OutboxMail.id == mail.id).values(last_error=str(error)[:300], **changes)
        )


def forget(database: Database, platform: Platform) -> None:
    """What was shown loses its text after a day, what is done leaves no row after a month.

    Nor does a mail that waited two months for a server.
    """
    with database.transaction() as session:
        session.execute(
            update(OutboxMail)
            .where(OutboxMail.sent_at <= platform.later(days=-SHOWN_HOURS / 24), OutboxMail.body_enc.is_not(None))
            .values(body_enc=None)
        )
        session.execute(
            delete(OutboxMail).where(
                or_(
                    OutboxMail.due_at.is_(None) & (OutboxMail.sent_at <= platform.later(days=-KEPT_DAYS)),
                    OutboxMail.due_at.is_(None) & (OutboxMail.failed_at <= platform.later(days=-KEPT_DAYS)),
                    OutboxMail.created_at <= platform.later(days=-2 * KEPT_DAYS),
                ),
            )
        )


def waiting(session: Session) -> int:
    """How many mails wait to be sent."""
    return session.scalar(select(func.count()).where(OutboxMail.due_at.is_not(None))) or 0


def reply(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())}"


def describe(error: Exception) -> str:
    code, text = getattr(error, "smtp_code", None), getattr(error, "smtp_error", b"")
    if isinstance(code, int):
        return reply(code, text)
    return str(error) or type(error).__name__
