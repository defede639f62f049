"""Several processes on one PostgreSQL behind one address: what is to be done once is, also when one of them is killed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import ColumnElement, func, select, update

from cloudlet.control.activations.tables import Activation
from cloudlet.control.audit.service import first_broken, record
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult, bootstrap
from cloudlet.control.db import Base, Database
from cloudlet.control.licenses.service import seats_of
from cloudlet.control.licenses.tables import License, Plan, SigningKey, Subscription
from cloudlet.control.mail.service import queue_mail
from cloudlet.control.mail.tables import OutboxMail
from cloudlet.control.platform import Platform
from cloudlet.control.webhooks.forms import WebhookForm
from cloudlet.control.webhooks.service import create_webhook
from cloudlet.control.webhooks.tables import WebhookDelivery
from cloudlet.control.work.tables import Lease
from cloudlet.license.effects import SYSTEM
from cloudlet.settings import read_platform_settings
from tests.conftest import free_port
from tests.control.balancing import Farm
from tests.control.people import csrf, post, sign_in
from tests.control.receiving import Receiver, eventually
from tests.control.staff import Colleague, admin_of
from tests.store.postgres_server import PostgresServer

WEBHOOKS = {"PLATFORM_WEBHOOKS_ALLOW_HTTP": "1", "PLATFORM_WEBHOOKS_ALLOW_PRIVATE": "1"}


class MailServer:
    """Takes mail, and counts for whom."""

    def __init__(self) -> None:
        self.port = free_port()
        self.recipients: list[str] = []
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.recipients += envelope.rcpt_tos
        return "250 OK"


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    opened = MailServer()
    yield opened
    opened.controller.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture
def new_farm(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Callable[..., Farm]]:
    opened: list[Farm] = []

    def make(**variables: str) -> Farm:
        opened.append(Farm(tmp_path, postgres_server.new_database(), **variables))
        return opened[-1]

    yield make
    for farm in opened:
        farm.close()


class Seed:
    """Hands on a farm's database before any of its processes runs."""

    def __init__(self, farm: Farm) -> None:
        self.settings = read_platform_settings({**farm.variables, "PLATFORM_DATABASE_URL": farm.database_url})
        self.platform = Platform(self.settings, SYSTEM)
        self.company: BootstrapResult = bootstrap(self.settings, email="owner@example.com", workspace="Acme")
        self.database = Database(self.settings)

    def webhook(self, url: str, *events: str) -> None:
        with self.database.transaction() as session:
            create_webhook(session, self.platform, admin_of(self, self.company), WebhookForm(url, "", events))

    def happen(self, action: str) -> None:
        with self.database.transaction() as session:
            record(session, self.platform, self.company.workspace_id, actor="system", action=action)

    def queue(self, to: str) -> None:
        with self.database.transaction() as session:
            queue_mail(session, self.platform, kind="verify", to=to, subject="Hello", text="Hello\n")

    def count(self, what: type[Base], *conditions: ColumnElement[bool]) -> int:
        with self.database.snapshot() as session:
            return session.scalar(select(func.count()).select_from(what).where(*conditions)) or 0


@pytest.fixture
def seeded(new_farm: Callable[..., Farm]) -> Iterator[Callable[..., tuple[Farm, Seed]]]:
    opened: list[Seed] = []

    def make(**variables: str) -> tuple[Farm, Seed]:
        farm = new_farm(**variables)
        opened.append(Seed(farm))
        return farm, opened[-1]

    yield make
    for seed in opened:
        seed.database.close()


def test_two_that_start_at_once_on_an_empty_database_make_it_together(new_farm: Callable[..., Farm]) -> None:
    farm = new_farm()
    one, other = farm.start(2)
    for member in (one, other):
        assert httpx.get(f"{member.url}/readyz").status_code == 200
        assert "Traceback" not in member.printed()
    with one.database.snapshot() as session:
        codes = list(session.scalars(select(Plan.code)))
        assert len(codes) == len(set(codes)) > 0
        assert session.scalar(select(func.count()).select_from(SigningKey)) == 1
    keys = {httpx.get(f"{member.url}/.well-known/license-keys.json").text for member in (one, other)}
    assert len(keys) == 1


def test_mail_webhooks_and_the_end_of_a_subscription_happen_once(
    seeded: Callable[..., tuple[Farm, Seed]], mail_server: MailServer, receiver: Receiver
) -> None:
    farm, seed = seeded(PLATFORM_SMTP_URL=f"smtp://127.0.0.1:{mail_server.port}", **WEBHOOKS)
    seed.webhook(receiver.url, "subscription.expired", "member.joined")
    people = [f"person{number}@example.com" for number in range(30)]
    for person in people:
        seed.queue(person)
        seed.happen("member.joined")
    with seed.database.transaction() as session:
        yesterday = seed.platform.later(days=-1)
        session.execute(update(Subscription).values(current_period_end=yesterday))
        session.execute(update(License).values(expires_at=yesterday))
    farm.start(3)
    eventually(lambda: seed.count(AuditEntry, AuditEntry.action == "subscription.expired") == 1)
    eventually(lambda: seed.count(OutboxMail, OutboxMail.sent_at.is_(None)) == 0)
    eventually(lambda: seed.count(WebhookDelivery, WebhookDelivery.status != "delivered") == 0)
    assert Counter(mail_server.recipients) == Counter([*people, "owner@example.com"])
    events = Counter(found.event["id"] for found in receiver.received)
    assert (len(events), set(events.values())) == (31, {1})
    assert sorted(set(receiver.types)) == ["member.joined", "subscription.expired"]
    assert seed.count(AuditEntry, AuditEntry.action == "license.expired") == 1
    with seed.database.snapshot() as session:
        assert first_broken(session, seed.company.workspace_id) is None
    for member in farm.members:
        assert "Traceback" not in member.printed()


def let_time_pass(seed: Seed) -> None:
    """What the dead process held ends, as it would some minutes later."""
    now = seed.platform.now()
    with seed.database.transaction() as session:
        session.execute(update(Lease).values(until=now - timedelta(seconds=1), ran_at=now - timedelta(days=1)))
        session.execute(update(WebhookDelivery).where(WebhookDelivery.due_at.is_not(None)).values(due_at=now))
        session.execute(update(OutboxMail).where(OutboxMail.due_at.is_not(None)).values(due_at=now))


def holder(seed: Seed, task: str) -> str:
    with seed.database.snapshot() as session:
        return session.scalar(select(Lease.holder).where(Lease.task == task, Lease.until > seed.platform.now())) or ""


def test_another_takes_over_from_one_that_is_killed_at_its_work(
    seeded: Callable[..., tuple[Farm, Seed]], receiver: Receiver
) -> None:
    farm, seed = seeded(**WEBHOOKS)
    seed.webhook(receiver.url, "member.joined")
    seed.happen("member.joined")
    may_answer = threading.Event()
    receiver.before_answer = lambda: may_answer.wait(60)
    (first,) = farm.start()
    receiver.wait_for(1)
    dead = holder(seed, "webhooks")
    assert dead
    first.process.kill()  # at once: the attempt that it is at ends by itself after ten seconds
    first.process.wait()
    may_answer.set()
    (second,) = farm.start()
    assert holder(seed, "webhooks") == dead, "nobody may take what is not over yet"
    seed.happen("member.joined")
    let_time_pass(seed)
    eventually(lambda: seed.count(WebhookDelivery, WebhookDelivery.status == "delivered") == 2)
    sent = Counter(found.event["id"] for found in receiver.received)
    assert sorted(sent.values()) == [1, 2], "what was under way goes again, under the same id"
    with farm.client() as client:
        assert client.get("/healthz").status_code == 200, "the address goes on answering"
    assert "Traceback" not in second.printed()


def test_a_mail_that_a_killed_process_had_claimed_is_sent_by_another(
    seeded: Callable[..., tuple[Farm, Seed]], mail_server: MailServer
) -> None:
    """Claimed in a process that dies before it writes down what the server said."""
    farm, seed = seeded(PLATFORM_SMTP_URL=f"smtp://127.0.0.1:{mail_server.port}")
    with seed.database.transaction() as session:
        session.add(Lease(task="mail", holder="wrk_dead", until=seed.platform.later(minutes=5), ran_at=None))
    seed.queue("grace@example.com")
    with seed.database.transaction() as session:
        session.execute(update(OutboxMail).values(due_at=seed.platform.later(minutes=5), attempts=1))
    farm.start(2)
    with farm.client() as client:  # wakes the task in the process that answers
        sign_in_at(client, farm, seed)
        assert invite(client, "new@example.com").status_code == 303
    assert mail_server.recipients == []
    let_time_pass(seed)
    with farm.client() as client:
        sign_in_at(client, farm, seed)
        assert invite(client, "another@example.com").status_code == 303
    eventually(lambda: seed.count(OutboxMail, OutboxMail.sent_at.is_(None)) == 0)
    assert sorted(mail_server.recipients) == ["another@example.com", "grace@example.com", "new@example.com"]


def sign_in_at(client: httpx.Client, farm: Farm, seed: Seed) -> None:
    sign_in(client, bootstrap(seed.settings, email=seed.company.email))


def invite(client: httpx.Client, email: str) -> httpx.Response:
    return post(client, "/workspace/members", email=email, name="", role="member")


def test_sessions_and_forms_go_from_one_process_to_the_other(seeded: Callable[..., tuple[Farm, Seed]]) -> None:
    farm, seed = seeded()
    one, other = farm.start(2)
    with farm.client() as client:
        sign_in_at(client, farm, seed)
        for _ in range(2):
            assert client.get("/workspace/members").status_code == 200
        assert post(client, "/workspace/auth-tokens/reveal", at="/workspace/auth-tokens").status_code == 200
        cookies = dict(client.cookies)
        form = csrf(client.get("/workspace").text)
        assert client.post("/sign-out", data={"_csrf_token": form}).status_code == 303
    for member in (one, other):
        assert member.printed().count("route=/workspace/members") >= 1, "both took part"
        answer = httpx.get(f"{member.url}/workspace/members", cookies=cookies)
        assert answer.status_code in {302, 303}, "signed out is signed out everywhere"


def test_parallel_assignments_and_activations_give_no_seat_twice(seeded: Callable[..., tuple[Farm, Seed]]) -> None:
    farm, seed = seeded(PLATFORM_LICENSE_RATE_PER_TOKEN="0", PLATFORM_LICENSE_RATE_PER_ADDRESS="0")
    one, _ = farm.start(2)
    colleagues = [Colleague(one, seed.company) for _ in range(10)]
    with farm.client() as admin:
        sign_in_at(admin, farm, seed)
        form = csrf(admin.get("/workspace/members").text)

        def assign(member_id: str) -> int:
            path = f"/workspace/members/{member_id}/assign"
            return admin.post(path, data={"_csrf_token": form}).status_code

        def activate(token: str) -> int:
            return request_license(farm, token).status_code

        with ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(assign, colleague.id) for colleague in colleagues]
            asked = [pool.submit(activate, colleague.token) for colleague in colleagues * 3]
            statuses = Counter(job.result() for job in jobs)
            verdicts = {job.result() for job in asked}
    assert statuses[303] == 4, statuses
    assert verdicts <= {200, 403}
    with seed.database.snapshot() as session:
        seats = seats_of(session, seed.company.workspace_id)
        holders = list(
            session.scalars(select(License.assigned_membership_id).where(License.assigned_membership_id.is_not(None)))
        )
        assert (seats.used, seats.total, len(set(holders)), len(holders)) == (5, 5, 5, 5)
        assert first_broken(session, seed.company.workspace_id) is None
    activated = [colleague.holds_license() for colleague in colleagues]
    assert [activate(colleague.token) == 200 for colleague in colleagues] == activated
    assert seed.count(Activation) == 40


def request_license(farm: Farm, token: str) -> httpx.Response:
    body = {
        "credentials": {"type": "licensing-auth-token", "token": token},
        "product": {"name": "localstack-pro", "version": "2026.8.2"},
        "machine": {"id": "gen_0123456789ab", "cli": True, "ci": False, "system": "Linux"},
    }
    with farm.client() as client:
        return client.post("/v1/license/request", json=body)
