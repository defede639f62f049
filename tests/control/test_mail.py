"""Mail goes from the outbox to a real mail server: once, later when it cannot go now, and with its text destroyed."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from jinja2.meta import find_undeclared_variables
from sqlalchemy import select

from cloudlet.control.db import Database
from cloudlet.control.mail.delivery import CLAIM_SECONDS, RETRY_SECONDS, claim, send_due, waiting
from cloudlet.control.mail.letters import FOLDER, LETTERS, letter
from cloudlet.control.mail.server import mail_server
from cloudlet.control.mail.service import queue_mail, send_letter
from cloudlet.control.mail.tables import OutboxMail
from cloudlet.control.platform import Platform
from cloudlet.control.prepare import prepare
from cloudlet.license.effects import SystemEffects
from cloudlet.settings import SettingError, read_platform_settings
from tests.conftest import free_port

LINK = "https://cloudlet.example/verify/" + "s" * 43


class MovableTime(SystemEffects):
    def __init__(self) -> None:
        self.moment = 1_800_000_000.0

    def now(self) -> float:
        return self.moment


class Postbox:
    """What arrived. `answer` is the server's reply to a recipient, where it does not take them."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.recipients: list[str] = []
        self.answer = ""
        self.was_encrypted = False
        self.arrived = threading.Event()

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answer:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.was_encrypted = session.ssl is not None
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        self.recipients += envelope.rcpt_tos
        self.arrived.set()
        return "250 OK"


class Post:
    """A control plane's outbox and the mail servers that the tests start."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.database_url = database_url
        self.effects = MovableTime()
        self.controllers: list[Controller] = []
        self.box = Postbox()
        self.port = free_port()
        self.use(f"smtp://127.0.0.1:{self.port}")
        self.database = Database(self.settings)
        prepare(self.database, self.platform)

    def use(self, smtp_url: str) -> None:
        self.settings = read_platform_settings(
            {
                "PLATFORM_STATE_DIR": str(self.folder),
                "PLATFORM_DATABASE_URL": self.database_url,
                "PLATFORM_LISTEN": "127.0.0.1:4580",
                "PLATFORM_SMTP_URL": smtp_url,
                "PLATFORM_MAIL_FROM": "The Müller Cloud <cloud@cloudlet.example>",
            }
        )
        self.platform = Platform(self.settings, self.effects)

    def serve(self, **options: Any) -> Postbox:
        controller = Controller(self.box, hostname="127.0.0.1", port=self.port, **options)
        controller.start()
        self.controllers.append(controller)
        return self.box

    def queue(self, to: str = "grace@example.com", text: str = f"Hello,\n\n    {LINK}\n") -> str:
        with self.database.transaction() as session:
            return queue_mail(session, self.platform, kind="verify", to=to, subject="Bestätigen Sie", text=text).id

    def row(self, mail_id: str) -> OutboxMail:
        with self.database.snapshot() as session:
            return session.get_one(OutboxMail, mail_id)

    def send(self) -> None:
        send_due(self.database, self.platform)

    def close(self) -> None:
        for controller in self.controllers:
            controller.stop()
        self.database.close()


@pytest.fixture
def post(fresh_database_url: str, tmp_path: Path) -> Iterator[Post]:
    opened = Post(tmp_path, fresh_database_url)
    yield opened
    opened.close()


def test_a_mail_arrives_as_it_was_written_and_its_text_is_destroyed(post: Post) -> None:
    box = post.serve()
    mail_id = post.queue()
    assert LINK.encode() not in bytes(post.row(mail_id).body_enc or b"")
    post.send()
    (mail,) = box.mails
    assert (mail["To"], mail["Subject"]) == ("grace@example.com", "Bestätigen Sie")
    assert mail["From"] == "The Müller Cloud <cloud@cloudlet.example>"
    assert mail["Message-ID"] == f"<{mail_id}@cloudlet.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert LINK in mail.get_content().splitlines()[2]  # type: ignore[attr-defined]
    row = post.row(mail_id)
    assert (row.body_enc, row.due_at, row.last_error) == (None, None, None)
    assert row.sent_at == post.platform.now()
    post.send()
    assert len(box.mails) == 1


def test_texts_with_other_letters_and_long_lines_arrive_whole(post: Post) -> None:
    box = post.serve()
    text = "Grüße, 雲\n" + "x" * 2000 + "\n.\nafter a lone dot\n"
    post.queue(text=text)
    post.send()
    assert box.mails[0].get_content().replace("\r\n", "\n") == text  # type: ignore[attr-defined]


def test_a_mail_that_cannot_go_now_goes_later(post: Post) -> None:
    mail_id = post.queue()
    post.send()
    row = post.row(mail_id)
    assert row.last_error is not None
    assert "127.0.0.1" in row.last_error
    assert row.body_enc is not None
    box = post.serve()
    post.send()
    assert box.mails == []
    post.effects.moment += RETRY_SECONDS[0]
    post.send()
    assert len(box.mails) == 1
    assert post.row(mail_id).attempts == 2


def test_a_mail_is_given_up_after_its_last_try(post: Post) -> None:
    mail_id = post.queue()
    for wait in (*RETRY_SECONDS, 0):
        assert post.row(mail_id).failed_at is None
        post.send()
        post.effects.moment += wait
    row = post.row(mail_id)
    assert row.failed_at is not None
    assert (row.body_enc, row.due_at) == (None, None)
    assert row.attempts == len(RETRY_SECONDS) + 1


@pytest.mark.parametrize(("answer", "is_over"), [("550 No such person", True), ("450 Try later", False)])
def test_a_refused_recipient_does_not_hold_up_the_others(post: Post, answer: str, is_over: bool) -> None:
    box = post.serve()
    box.answer = answer
    refused = post.queue("nobody@example.com")
    post.send()
    row = post.row(refused)
    assert row.last_error == answer
    assert (row.failed_at is not None) is is_over
    box.answer = ""
    post.queue()
    post.send()
    assert box.recipients == ["grace@example.com"]


def test_a_server_that_is_away_costs_only_one_mail_a_try(post: Post) -> None:
    mails = [post.queue() for _ in range(3)]
    post.send()
    assert sorted(post.row(mail_id).attempts for mail_id in mails) == [0, 0, 1]
    box = post.serve()
    post.effects.moment += RETRY_SECONDS[0]
    post.send()
    assert len(box.mails) == 3


def test_two_processes_send_each_mail_once(post: Post) -> None:
    box = post.serve()
    for number in range(12):
        post.queue(f"person{number}@example.com")
    others = [Database(post.settings) for _ in range(3)]
    threads = [threading.Thread(target=send_due, args=(other, post.platform)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for other in others:
        other.close()
    assert sorted(box.recipients) == sorted(f"person{number}@example.com" for number in range(12))


def test_a_mail_of_a_process_that_died_is_sent_by_another(post: Post) -> None:
    box = post.serve()
    post.queue()
    assert claim(post.database, post.platform) is not None
    post.send()
    assert box.mails == []
    post.effects.moment += CLAIM_SECONDS
    post.send()
    assert len(box.mails) == 1


def log_in(server: SMTP, session: Any, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    is_known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"cloud", b"p@ss:w/rd")
    return AuthResult(success=is_known, handled=False)


@pytest.fixture
def tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ssl.SSLContext:
    """A server's TLS, by an authority that this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_mail_goes_encrypted_and_with_a_password(post: Post, tls: ssl.SSLContext) -> None:
    box = post.serve(tls_context=tls, require_starttls=True, authenticator=log_in, auth_required=True)
    post.use(f"smtp://cloud:p%40ss%3Aw%2Frd@127.0.0.1:{post.port}?starttls=1")
    post.queue()
    post.send()
    assert len(box.mails) == 1
    assert box.was_encrypted


def test_mail_goes_over_tls_from_the_first_byte(post: Post, tls: ssl.SSLContext) -> None:
    box = post.serve(ssl_context=tls)
    post.use(f"smtps://127.0.0.1:{post.port}")
    post.queue()
    post.send()
    assert len(box.mails) == 1


def test_a_wrong_password_is_told_without_the_password(
    post: Post, tls: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    box = post.serve(tls_context=tls, require_starttls=True, authenticator=log_in, auth_required=True)
    post.use(f"smtp://cloud:wrong-secret@127.0.0.1:{post.port}?starttls=1")
    mail_id = post.queue()
    post.send()
    assert box.mails == []
    assert "535" in (post.row(mail_id).last_error or "")
    assert "wrong-secret" not in (post.row(mail_id).last_error or "") + caplog.text
    assert LINK not in caplog.text


def test_a_server_without_tls_or_with_a_strangers_certificate_gets_no_mail(post: Post) -> None:
    box = post.serve()
    post.use(f"smtp://127.0.0.1:{post.port}?starttls=1")
    mail_id = post.queue()
    post.send()
    assert "STARTTLS" in (post.row(mail_id).last_error or "")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    post.port = free_port()
    post.serve(ssl_context=context)
    post.use(f"smtps://127.0.0.1:{post.port}")
    mail_id = post.queue()
    post.effects.moment += RETRY_SECONDS[-1]
    post.send()
    assert "certificate" in (post.row(mail_id).last_error or "")
    assert box.mails == []


def test_without_a_server_mail_is_shown_and_forgotten_after_a_day(
    post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    post.use("")
    mail_id = post.queue()
    post.send()
    printed = capsys.readouterr().out
    assert f"To: grace@example.com\nSubject: Bestätigen Sie\n\nHello,\n\n    {LINK}\n" in printed
    assert post.row(mail_id).sent_at is not None
    assert post.row(mail_id).body_enc is not None
    post.effects.moment += 24 * 3600
    post.send()
    assert post.row(mail_id).body_enc is None
    post.effects.moment += 30 * 24 * 3600
    post.send()
    with post.database.snapshot() as session:
        assert session.scalars(select(OutboxMail.id)).all() == []


def test_mail_waits_for_a_server_where_other_people_could_read_it(
    post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    public = {"PLATFORM_LISTEN": "0.0.0.0:1", "PLATFORM_STATE_DIR": str(post.folder)}
    platform = Platform(read_platform_settings(public), post.effects)
    post.queue()
    send_due(post.database, platform)
    assert capsys.readouterr().out == ""
    with post.database.snapshot() as session:
        assert waiting(session) == 1


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mail.example.com", "must begin with smtp://"),
        ("http://mail.example.com", "must begin with smtp://"),
        ("smtp://", "names no host"),
        ("smtp://host:99999", "no port"),
        ("smtp://host?tls=1", "one option"),
        ("smtp://host?starttls=yes", "one option"),
        ("smtps://host?starttls=1", "TLS from the first byte"),
    ],
)
def test_a_servers_address_that_means_nothing_is_refused(url: str, reason: str) -> None:
    with pytest.raises(SettingError, match=reason) as raised:
        mail_server(read_platform_settings({"PLATFORM_SMTP_URL": url.replace("//", "//user:hidden@")}))
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "port"),
    [("smtp://host", 25), ("smtp://host?starttls=1", 587), ("smtps://host", 465), ("smtp://[::1]:2525", 2525)],
)
def test_a_server_has_the_usual_port_unless_it_names_one(url: str, port: int) -> None:
    server = mail_server(read_platform_settings({"PLATFORM_SMTP_URL": url, "PLATFORM_BASE_URL": "https://c.example"}))
    assert server is not None
    assert (server.port, server.sender) == (port, "Cloudlet <cloudlet@c.example>")


@pytest.mark.parametrize("sender", ["nobody", "@example.com", "x@y\nBcc: z@example.com"])
def test_a_sender_that_is_no_address_is_refused(sender: str) -> None:
    with pytest.raises(SettingError, match="no address"):
        mail_server(read_platform_settings({"PLATFORM_MAIL_FROM": sender}))


def every_fact(kind: str) -> dict[str, object]:
    """A value for each name that a letter uses."""
    source = (FOLDER / f"{kind}.txt").read_text(encoding="utf-8")
    now = Platform(read_platform_settings({"PLATFORM_SECRET_KEY": "k" * 32}), MovableTime()).now()
    facts: dict[str, object] = dict.fromkeys(find_undeclared_variables(LETTERS.parse(source)), "something")
    facts |= dict.fromkeys(re.findall(r"(\w+) \| moment", source), now)
    facts |= dict.fromkeys(facts.keys() & {"days", "left", "hours", "minutes"}, 3)
    return {**facts, "link": LINK, "name": "Grace", "to": "grace@example.com", "base_url": "https://cloudlet.example"}


@pytest.mark.parametrize("kind", sorted(path.stem for path in FOLDER.glob("*.txt") if path.stem != "frame"))
def test_each_letter_fits_a_screen_and_says_whom_it_is_for(kind: str) -> None:
    subject, text = letter(kind, **every_fact(kind))
    assert subject
    assert "{" not in subject + text
    assert text.startswith("Hello Grace,\n\n")
    assert "sent to grace@example.com" in text
    assert "\n-- \nCloudlet" in text
    assert all(len(line) <= 72 or "://" in line for line in text.splitlines())


def test_a_letter_is_mailed_in_the_callers_transaction(post: Post, new_email: Callable[[], str]) -> None:
    with post.database.transaction() as session:
        send_letter(session, post.platform, "reset", "grace@example.com", link=LINK, minutes=30, name="Grace")
        session.rollback()
    with post.database.snapshot() as session:
        assert waiting(session) == 0
