"""Pages and lists ask the database as often for many rows as for few, and no list grows without an end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from cloudlet.control.accounts import operators
from cloudlet.control.accounts.service import create_user
from cloudlet.control.activations.machine_views import list_machines, machine_detail
from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.audit.service import record
from cloudlet.control.audit.views import choices_of
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.ci import service as ci_keys
from cloudlet.control.ci.errors import TooManyKeys
from cloudlet.control.ci.forms import KeyForm
from cloudlet.control.ci.views import key_views
from cloudlet.control.credentials.legacy_keys import legacy_key_views
from cloudlet.control.credentials.service import create_token
from cloudlet.control.viewer import Viewer
from cloudlet.control.webhooks.forms import WebhookForm
from cloudlet.control.webhooks.service import create_webhook, send_test
from cloudlet.control.webhooks.views import list_webhooks
from cloudlet.control.workspaces.service import add_member
from tests.control.api import token_client
from tests.control.people import sequence
from tests.control.serving import RunningPlatform
from tests.control.staff import admin_of


@pytest.fixture
def company(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, workspace=f"Company of {email}")


@pytest.fixture
def admin(platform: RunningPlatform, company: BootstrapResult) -> Viewer:
    return admin_of(platform, company)


@contextmanager
def counted(platform: RunningPlatform) -> Iterator[list[str]]:
    """The statements that this process sends meanwhile."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(platform.database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(platform.database.engine, "before_cursor_execute", note)


def add_machine(platform: RunningPlatform, admin: Viewer, credential_id: str) -> str:
    tools = platform.platform
    with platform.database.transaction() as session:
        machine = Machine(
            id=tools.new_id("mac"),
            workspace_id=admin.workspace_id,
            machine_id=f"gen_{next(sequence):012x}",
            kind="gen",
            system="Linux",
            first_seen=tools.now(),
            last_seen=tools.now(),
        )
        session.add(machine)
        session.flush()
        session.add(
            Activation(
                id=tools.new_id("act"),
                workspace_id=admin.workspace_id,
                credential_id=credential_id,
                machine_row=machine.id,
                product="cloudlet",
                version="1",
                is_ci=False,
                is_cli=False,
                result_code="ok",
                request_id="req",
                ip="",
                at=tools.now(),
            )
        )
        return machine.id


def new_key(platform: RunningPlatform, admin: Viewer, name: str = "pipeline") -> str:
    with platform.database.transaction() as session:
        return ci_keys.create_key(session, platform.platform, admin, KeyForm(name=name)).credential_id


def test_machines_are_listed_with_one_question_for_all_their_users(platform: RunningPlatform, admin: Viewer) -> None:
    one, other = new_key(platform, admin, "one"), new_key(platform, admin, "other")
    rows = [add_machine(platform, admin, one if number % 2 else other) for number in range(8)]
    with counted(platform) as statements, platform.database.snapshot() as session:
        found = list_machines(session, admin)
        asked = len(statements)
        assert {row.id: row.user for row in found.rows} == {
            row: "one" if number % 2 else "other" for number, row in enumerate(rows)
        }
        assert machine_detail(session, admin, rows[1]).row.user == "one"
    assert asked <= 3


def test_webhooks_are_listed_with_one_question_for_all_their_deliveries(
    platform: RunningPlatform, admin: Viewer
) -> None:
    with platform.database.transaction() as session:
        form = WebhookForm("https://192.0.2.1/hook", "", ("*",))
        made = [create_webhook(session, platform.platform, admin, form).webhook_id for _ in range(5)]
        send_test(session, platform.platform, admin, made[2])
        with counted(platform) as statements:
            found = list_webhooks(session, platform.platform, admin.workspace_id)
    sent = {hook.id: hook.waiting + hook.dead for hook in found}  # those of one millisecond are in no order
    assert sorted(sent) == sorted(made)
    assert sent[made[2]] >= 1
    assert len(statements) == 2


def test_accounts_are_listed_with_one_question_for_all_their_workspaces(
    platform: RunningPlatform, admin: Viewer
) -> None:
    word = f"crowd{next(sequence)}"
    with platform.database.transaction() as session:
        for number in range(6):
            user = create_user(session, platform.platform, f"{word}-{number}@example.com")
            if number:
                add_member(session, platform.platform, admin.workspace_id, user, role="member")
    with counted(platform) as statements, platform.database.snapshot() as session:
        rows = operators.list_users(session, word)
    assert [len(row.workspaces) for row in rows] == [0, 1, 1, 1, 1, 1]
    assert rows[1].workspaces == (f"{admin.workspace_name} (member)",)
    assert len(statements) <= 3


def test_legacy_keys_are_listed_with_one_question_for_all_licenses(platform: RunningPlatform, admin: Viewer) -> None:
    with platform.database.transaction() as session:
        without = create_user(session, platform.platform, f"person{next(sequence)}-x@example.com")
        member = add_member(session, platform.platform, admin.workspace_id, without, role="member")
        holder = session.get_one(type(member), admin.membership_id)
        for owner in (member, holder, member, holder):
            create_token(
                session, platform.platform, admin.workspace_id, kind="legacy_api", membership=owner, actor="system"
            )
        with counted(platform) as statements:
            rows = legacy_key_views(session, admin.workspace_id)
    assert sorted(row.has_license for row in rows) == [False, False, True, True]
    assert len(statements) == 2


def test_a_workspace_has_so_many_ci_keys_and_no_more(
    platform: RunningPlatform, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ci_keys, "MOST_KEYS", 3)
    made = [new_key(platform, admin, f"key {number}") for number in range(3)]
    with pytest.raises(TooManyKeys):
        new_key(platform, admin)

    def rotate(key_id: str, hours: int) -> None:
        with platform.database.transaction() as session:
            ci_keys.rotate_key(session, platform.platform, admin, key_id, overlap_hours=hours)

    for key_id in made:
        rotate(key_id, 24)
    with platform.database.snapshot() as session:
        views = key_views(session, platform.platform, admin.workspace_id)
    assert [view.state for view in views].count("overlap") == 3
    newest = next(view.id for view in views if view.state == "active")
    with pytest.raises(TooManyKeys, match="good for a while"):
        rotate(newest, 1)
    rotate(newest, 0)


def test_the_audit_log_offers_what_it_has_and_no_endless_list(
    platform: RunningPlatform, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with platform.database.transaction() as session:
        for name in ("b", "a", "c", "a"):
            record(session, platform.platform, admin.workspace_id, actor=f"user:{name}", action=f"zebra.{name}")
    with platform.database.snapshot() as session:
        choices = choices_of(session, admin.workspace_id)
        actions = dict(choices.actions)["Zebra"]
        assert actions == ("zebra.a", "zebra.b", "zebra.c")
        assert {"user:a", "user:b", "user:c", "system"} <= {actor for actor, _ in choices.actors}
        monkeypatch.setattr("cloudlet.control.audit.views.MOST_CHOICES", 2)
        assert len(choices_of(session, admin.workspace_id).actors) == 2
        assert choices_of(session, "ws_absent").actions == ()


def test_an_exported_log_comes_in_pieces_and_says_itself_that_it_was_taken(
    platform: RunningPlatform, admin: Viewer
) -> None:
    with platform.database.transaction() as session:
        for number in range(505):
            record(session, platform.platform, admin.workspace_id, actor="system", action=f"zebra.{number % 3}")
    with token_client(platform, admin) as client:
        path = f"/workspaces/{admin.workspace_id}/audit/export"
        with client.stream("GET", path, params={"format": "json"}) as answer:
            assert "content-length" not in answer.headers
            assert answer.headers["content-disposition"] == 'attachment; filename="audit.json"'
            entries = json.loads(answer.read())["entries"]
        assert entries[-1]["action"] == "audit.exported"
        assert entries[-1]["actor"].startswith("credential:at_")
        assert len(entries) > 505
        lines = client.get(path, params={"action": "zebra.1"}).text.splitlines()
        assert len(lines) == 1 + 168
        assert client.get(path, params={"since": "never"}).status_code == 422
