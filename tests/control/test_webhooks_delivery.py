"""Deliveries: to a real receiver, by a clock that the test moves."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import trustme
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cloudlet.control.audit.service import record
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult, bootstrap
from cloudlet.control.db import Database
from cloudlet.control.mail.tables import OutboxMail
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer
from cloudlet.control.webhooks import service
from cloudlet.control.webhooks.delivery import KEEP_DAYS, PER_WEBHOOK, RETRY_SECONDS, deliver_due, prune
from cloudlet.control.webhooks.forms import WebhookForm
from cloudlet.control.webhooks.tables import Webhook, WebhookDelivery
from cloudlet.control.workspaces.tables import Membership
from cloudlet.license.effects import SystemEffects
from cloudlet.settings import PlatformSettings, read_platform_settings
from tests.control.receiving import Receiver, documented_check


class MovableTime(SystemEffects):
    __slots__ = ("moment",)

    def __init__(self) -> None:
        self.moment = 1_800_000_000.0

    def now(self) -> float:
        return self.moment


class Place:
    """A workspace with its database, an admin, and the platform on a movable clock."""

    def __init__(self, settings: PlatformSettings) -> None:
        self.time = MovableTime()
        self.settings = settings
        self.found: BootstrapResult = bootstrap(settings, effects=self.time)
        self.database = Database(settings)
        self.platform = Platform(settings, self.time)
        with self.database.snapshot() as session:
            member = session.scalars(select(Membership)).one()
            assert member.user_id
            self.admin = viewer(member.user_id, self.found.workspace_id, member.id)

    def webhook(self, url: str, *events: str) -> service.NewSecret:
        with self.database.transaction() as session:
            return service.create_webhook(
                session, self.platform, self.admin, WebhookForm(url, "", tuple(events or ("*",)))
            )

    def happen(self, action: str = "member.joined", **data: object) -> None:
        with self.database.transaction() as session:
            record(session, self.platform, self.found.workspace_id, actor="system", action=action, data=data)

    def deliver(self) -> None:
        deliver_due(self.database, self.platform)

    def deliveries(self) -> list[WebhookDelivery]:
        with self.database.snapshot() as session:
            return list(session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)))

    def count(self, session: Session) -> int:
        return session.scalar(select(func.count(WebhookDelivery.id))) or 0


def viewer(user_id: str, workspace_id: str, membership_id: str) -> Viewer:
    return Viewer(
        session_id="s",
        user_id=user_id,
        email="e",
        name="",
        is_verified=True,
        has_password=False,
        has_sudo=True,
        workspace_id=workspace_id,
        workspace_name="W",
        membership_id=membership_id,
        role="admin",
        permissions=None,
    )


@pytest.fixture
def settings(fresh_database_url: str, tmp_path: Path) -> PlatformSettings:
    return read_platform_settings(
        {
            "PLATFORM_STATE_DIR": str(tmp_path),
            "PLATFORM_DATABASE_URL": fresh_database_url,
            "PLATFORM_WEBHOOKS_ALLOW_PRIVATE": "1",
        }
    )


@pytest.fixture
def place(settings: PlatformSettings) -> Iterator[Place]:
    made = Place(settings)
    yield made
    made.database.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def test_an_event_arrives_signed_and_is_what_the_page_says(place: Place, receiver: Receiver) -> None:
    secret = place.webhook(receiver.url, "member.joined").secret
    place.happen("member.joined", role="member")
    place.deliver()
    (got,) = receiver.received
    assert got.path == "/hooks?key=k3y"
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["Host"] in receiver.url
    assert got.headers["Cloudlet-Event"] == "member.joined"
    event = got.event
    assert event.pop("id").startswith("evt_")
    assert event == {
        "type": "member.joined",
        "created": "2027-01-15T08:00:00Z",
        "workspace": {"id": place.found.workspace_id, "name": place.found.workspace},
        "actor": "system",
        "subject": "",
        "data": {"role": "member"},
    }
    (delivery,) = place.deliveries()
    assert (delivery.status, delivery.response_status, delivery.attempts) == ("delivered", 200, 1)
    assert got.headers["Cloudlet-Delivery"] == delivery.id
    is_ours = documented_check()
    header, now = got.headers["Cloudlet-Signature"], place.time.moment
    assert is_ours(header, got.body, secret, now)
    assert is_ours(header, got.body, secret, now + 300)
    for other in (
        (header, got.body + b" ", secret, now),
        (header, got.body, secret[:-1], now),
        (header, got.body, secret, now + 301),
        (header.replace("v1=", "v1=0"), got.body, secret, now),
        (header.replace("t=", "t=1"), got.body, secret, now),
        ("", got.body, secret, now),
        (header.split(",")[0], got.body, secret, now),
    ):
        assert not is_ours(*other)


def test_only_who_wants_an_event_gets_it_and_what_is_rolled_back_is_told_to_nobody(
    place: Place, receiver: Receiver
) -> None:
    place.webhook(receiver.url, "license.assigned", "credential.revoked")
    place.happen("member.joined")
    place.happen("credential.reset")
    place.happen("credential.revealed")
    with place.database.transaction() as session:
        record(session, place.platform, place.found.workspace_id, actor="system", action="license.assigned")
        session.rollback()
    place.deliver()
    assert receiver.types == ["credential.revoked"]


def test_while_a_secret_is_rolled_both_sign(place: Place, receiver: Receiver) -> None:
    old = place.webhook(receiver.url)
    place.happen()
    with place.database.transaction() as session:
        new = service.roll_secret(session, place.platform, place.admin, old.webhook_id, hours=1)
    is_ours = documented_check()

    def signed_by() -> list[bool]:
        receiver.received.clear()
        place.happen()
        place.deliver()
        got = receiver.received[-1]
        header = got.headers["Cloudlet-Signature"]
        return [is_ours(header, got.body, secret, place.time.moment) for secret in (new.secret, old.secret)]

    assert signed_by() == [True, True]
    place.time.moment += 3600
    assert signed_by() == [True, False]
    with place.database.transaction() as session:
        last = service.roll_secret(session, place.platform, place.admin, old.webhook_id, hours=0)
    assert signed_by() == [False, False]
    assert last.secret != new.secret


def test_what_fails_is_tried_for_a_day_then_given_up(place: Place, receiver: Receiver) -> None:
    assert sum(RETRY_SECONDS) == 24 * 3600
    receiver.status = 503
    place.webhook(receiver.url)
    place.happen()
    for number, pause in enumerate(RETRY_SECONDS, 1):
        place.deliver()
        assert len(receiver.received) == number
        place.time.moment += pause - 1
        place.deliver()
        assert len(receiver.received) == number
        place.time.moment += 1
    (delivery,) = place.deliveries()
    assert delivery.status == "pending"
    place.deliver()
    (delivery,) = place.deliveries()
    assert (delivery.status, delivery.due_at, delivery.attempts) == ("dead", None, 9)
    assert delivery.last_error == "it answered 503"
    assert [entry["status"] for entry in delivery.history] == [503] * 9
    assert len({got.body for got in receiver.received}) == 1
    place.time.moment += 10**6
    place.deliver()
    assert len(receiver.received) == 9


def test_a_receiver_that_comes_back_gets_what_it_missed(place: Place, receiver: Receiver) -> None:
    receiver.status = 500
    place.webhook(receiver.url)
    place.happen()
    place.deliver()
    receiver.status = 204
    place.time.moment += RETRY_SECONDS[0]
    place.deliver()
    (delivery,) = place.deliveries()
    assert (delivery.status, delivery.attempts, delivery.last_error) == ("delivered", 2, None)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://127.0.0.1:1/", "it refused the connection"),
        ("http://nobody.invalid/", "the name nobody.invalid cannot be resolved"),
        ("http://[::1]:1/", "it refused the connection"),
    ],
)
def test_what_is_wrong_with_the_way_is_said(place: Place, url: str, sentence: str) -> None:
    place.webhook(url)
    place.happen()
    place.deliver()
    (delivery,) = place.deliveries()
    assert delivery.last_error == sentence
    assert (delivery.status, delivery.response_status) == ("pending", None)


def test_tls_that_is_none_is_said(place: Place, receiver: Receiver) -> None:
    place.webhook(receiver.url.replace("http:", "https:"))
    place.happen()
    place.deliver()
    (delivery,) = place.deliveries()
    assert delivery.last_error
    assert "TLS" in delivery.last_error


@pytest.mark.parametrize(
    ("name", "error"), [("localhost", None), ("example.com", "its TLS certificate is not trusted")]
)
def test_the_certificate_is_that_of_the_name(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: str | None
) -> None:
    """Though the connection goes to the address that the name was resolved to."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    secure = Receiver(context)
    place.webhook(secure.url)
    place.happen()
    place.deliver()
    secure.close()
    (delivery,) = place.deliveries()
    assert (delivery.last_error, len(secure.received)) == (error, 1 if error is None else 0)


def test_redirects_are_not_followed(place: Place, receiver: Receiver) -> None:
    target = Receiver()
    receiver.status, receiver.headers = 307, {"Location": target.url}
    place.webhook(receiver.url)
    place.happen()
    place.deliver()
    (delivery,) = place.deliveries()
    assert delivery.last_error == "it answered 307, a redirect; those are not followed"
    assert target.received == []
    target.close()


def test_a_private_address_is_refused_at_delivery_even_behind_a_name(place: Place, receiver: Receiver) -> None:
    place.webhook(receiver.url)
    place.webhook(receiver.url.replace("127.0.0.1", "localhost"))
    place.happen()
    strict = Platform(msgspec.structs.replace(place.settings, webhooks_allow_private=False), place.time)
    deliver_due(place.database, strict)
    assert receiver.received == []
    errors = {delivery.last_error for delivery in place.deliveries()}
    assert "127.0.0.1 is 127.0.0.1, an address of a private network" in errors
    assert all(error and "private network" in error for error in errors)


def test_processes_at_the_same_time_deliver_each_event_once(
    place: Place, receiver: Receiver, settings: PlatformSettings
) -> None:
    place.webhook(receiver.url)
    for number in range(20):
        place.happen("member.joined", n=number)
    others = [Database(settings) for _ in range(4)]
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda database: deliver_due(database, Platform(settings, place.time)), others))
    finally:
        for database in others:
            database.close()
    assert sorted(got.event["data"]["n"] for got in receiver.received) == list(range(20))
    assert {delivery.attempts for delivery in place.deliveries()} == {1}


def test_an_attempt_whose_process_died_is_made_again(place: Place, receiver: Receiver) -> None:
    place.webhook(receiver.url)
    place.happen()
    with place.database.transaction() as session:
        session.execute(
            update(WebhookDelivery).values(attempts=1, due_at=datetime.fromtimestamp(place.time.moment + 60, UTC))
        )
    place.deliver()
    assert receiver.received == []
    place.time.moment += 60
    place.deliver()
    assert len(receiver.received) == 1
    assert [delivery.attempts for delivery in place.deliveries()] == [2]


def test_a_slow_receiver_holds_nobody_up(place: Place, receiver: Receiver) -> None:
    slow, released = Receiver(), threading.Event()
    slow.before_answer = lambda: released.wait(60)
    place.webhook(slow.url)
    place.webhook(receiver.url)
    for _ in range(20):
        place.happen()
    running = threading.Thread(target=place.deliver)
    running.start()
    try:
        receiver.wait_for(20)  # while none of the slow ones has been answered
        assert len(slow.received) <= PER_WEBHOOK
    finally:
        released.set()
        running.join(60)
        slow.close()
    assert not running.is_alive()
    assert len(receiver.received) == 20


def exhaust(place: Place, events: int) -> None:
    """So many events, each until it is given up."""
    for _ in range(events):
        place.happen()
    for pause in (*RETRY_SECONDS, 0):
        place.deliver()
        place.time.moment += pause


def test_after_five_lost_events_in_a_row_it_is_switched_off_and_the_admins_get_a_mail(
    place: Place, receiver: Receiver
) -> None:
    receiver.status = 500
    hook = place.webhook(receiver.url).webhook_id
    exhaust(place, 4)
    receiver.status = 200
    place.happen()
    place.deliver()
    receiver.status = 500
    exhaust(place, 4)
    with place.database.snapshot() as session:
        assert session.get_one(Webhook, hook).disabled_at is None  # the one that arrived began the count again
    exhaust(place, 1)
    with place.database.snapshot() as session:
        row = session.get_one(Webhook, hook)
        assert row.disabled_at is not None
        assert row.disabled_reason == "5 events in a row could not be delivered for a day each"
        mail = session.scalars(select(OutboxMail).where(OutboxMail.kind == "webhook_disabled")).one()
        assert mail.to_address == place.found.email
        text = place.platform.vault.unseal(mail.body_enc or b"", mail.id).decode()
        assert hook in text
        assert "k3y" not in text
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "webhook.disabled")).one()
        assert (entry.actor, entry.target) == ("system", hook)
        assert "k3y" not in str(entry.data)
    before = len(place.deliveries())
    place.happen()
    assert len(place.deliveries()) == before
    with place.database.transaction() as session:
        service.enable_webhook(session, place.platform, place.admin, hook)
    receiver.status = 200
    place.happen()
    place.deliver()
    assert place.deliveries()[-1].status == "delivered"


def test_gone_switches_off_at_once_and_gives_up_what_waits(place: Place, receiver: Receiver) -> None:
    receiver.status = 410
    hook = place.webhook(receiver.url).webhook_id
    for _ in range(8):
        place.happen()
    place.deliver()
    assert {delivery.status for delivery in place.deliveries()} == {"dead"}
    with place.database.snapshot() as session:
        assert session.get_one(Webhook, hook).disabled_reason == "its receiver answered 410 Gone"
        assert session.scalar(select(func.count(OutboxMail.id))) == 1


def test_old_deliveries_are_forgotten_and_waiting_ones_are_not(place: Place, receiver: Receiver) -> None:
    place.webhook(receiver.url)
    place.happen()
    place.deliver()
    receiver.status = 500
    place.happen()
    place.deliver()
    place.time.moment += KEEP_DAYS * 86_400 + 1
    prune(place.database, place.platform)
    assert [delivery.status for delivery in place.deliveries()] == ["pending"]
