"""The audit log's page: entries in words, filters, pages, the verified chain, the log as a file."""

from __future__ import annotations

import ast
import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from sqlalchemy import func, select, update

from cloudlet.control.accounts.service import create_user
from cloudlet.control.audit.names import name_all
from cloudlet.control.audit.sentences import NOUNS, SENTENCES
from cloudlet.control.audit.service import record
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.workspaces.service import add_member
from cloudlet.license.canonical import canonical_json
from tests.conftest import ROOT
from tests.control.people import post, sign_in
from tests.control.serving import RunningPlatform

PATH = "/workspace/audit"
CONTROL = ROOT / "src" / "cloudlet" / "control"


@pytest.fixture
def admin(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, workspace="Acme")


@pytest.fixture
def client(platform: RunningPlatform, admin: BootstrapResult) -> Iterator[httpx.Client]:
    with platform.client() as opened:
        sign_in(opened, admin)
        yield opened


def write(platform: RunningPlatform, admin: BootstrapResult, *actions: str, **fields: object) -> None:
    with platform.database.transaction() as session:
        for action in actions:
            record(session, platform.platform, admin.workspace_id, action=action, **{"actor": "system", **fields})  # type: ignore[arg-type]


def shown(page: str) -> list[str]:
    """The sentences of a page, tags removed."""
    return [re.sub(r"<[^>]+>", "", line) for line in re.findall(r'class="log-what">(.*?)</span>', page)]


def actions_in_the_source() -> set[str]:
    """Every string that the control plane gives to a parameter `action`, by name, by place, or from a list of them."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in CONTROL.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    places = {
        node.name: [argument.arg for argument in node.args.args].index("action")
        for node in nodes
        if isinstance(node, ast.FunctionDef) and "action" in [argument.arg for argument in node.args.args]
    }
    given: list[ast.expr] = []
    for node in nodes:
        if isinstance(node, ast.Call):
            given += [keyword.value for keyword in node.keywords if keyword.arg == "action"]
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given += node.args[places[name] : places[name] + 1] if name in places else []
        elif isinstance(node, ast.For) and isinstance(node.target, ast.Tuple) and isinstance(node.iter, ast.Tuple):
            for place, target in enumerate(node.target.elts):
                if isinstance(target, ast.Name) and target.id == "action":
                    given += [line.elts[place] for line in node.iter.elts if isinstance(line, ast.Tuple)]
    branches = [
        branch
        for value in given
        for branch in ((value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,))
    ]
    found = {branch.value for branch in branches if isinstance(branch, ast.Constant) and isinstance(branch.value, str)}
    return {action for action in found if re.fullmatch(r"[a-z_]+(\.[a-z0-9_]+)+", action)}


def test_every_action_has_a_sentence_and_a_group() -> None:
    actions = actions_in_the_source()
    assert {"license.assigned", "member.removed", "webhook.created", "subscription.expired"} <= actions
    assert sorted(actions - SENTENCES.keys()) == []
    assert sorted({action.partition(".")[0] for action in SENTENCES} - NOUNS.keys()) == []


def test_entries_are_told_in_words_newest_first(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client, new_email: Callable[[], str]
) -> None:
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, new_email(), name="Grace Hopper")
        member = add_member(session, platform.platform, admin.workspace_id, user, role="member").id
    post(client, f"/workspace/members/{member}/assign", at=f"/workspace/members/{member}")
    post(client, f"/workspace/members/{member}", role="billing")
    first, second = shown(client.get(PATH).text)[:2]
    assert first == f"{admin.email} changed role or permissions of Grace Hopper"
    assert re.fullmatch(rf"{re.escape(admin.email)} assigned Trial license \d to Grace Hopper", second)
    oldest = shown(client.get(PATH).text)[-3:]
    assert oldest[-1] == "Cloudlet started the subscription Trial"


def test_each_entry_has_the_address_and_the_client_it_came_from(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    client.headers["User-Agent"] = "Mosaic/2.7"
    post(client, "/workspace/auth-tokens/reset", at="/workspace/auth-tokens", confirm="reset")
    with platform.database.snapshot() as session:
        entries = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.workspace_id == admin.workspace_id, AuditEntry.actor != "system")
            .where(AuditEntry.action != "account.signed_in")  # before the client had its name
            .order_by(AuditEntry.seq)
        ).all()
    assert {(entry.ip, entry.user_agent) for entry in entries} == {("127.0.0.1", "Mosaic/2.7")}
    assert "Mosaic/2.7" in client.get(PATH).text
    write(platform, admin, "test.nobody")  # by this process, which serves no request
    with platform.database.snapshot() as session:
        last = session.scalars(select(AuditEntry).where(AuditEntry.action == "test.nobody")).first()
    assert last is not None
    assert (last.ip, last.user_agent) == ("", "")


def test_an_action_without_a_sentence_and_a_row_that_is_gone_are_shown_all_the_same(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    write(platform, admin, "thing.done", target="lic_gone")
    write(platform, admin, "license.assigned", target="lic_gone", data={"membership": "mem_gone"})
    assert shown(client.get(PATH).text)[:2] == [
        "Cloudlet assigned lic_gone to mem_gone",
        "Cloudlet did “thing.done” to lic_gone",
    ]


def test_what_people_wrote_is_escaped(platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client) -> None:
    write(platform, admin, "test.markup", target="<b>x</b>", user_agent="<script>", data={"<i>": "<u>"})
    page = client.get(PATH).text
    assert "<b>x" not in page
    assert "<script>" not in page.replace("<script src", "")
    assert "&lt;u&gt;" in page


def test_filters_by_action_noun_actor_and_days(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    write(platform, admin, "test.one", "test.two", "testing.three")
    today = platform.platform.now().strftime("%Y-%m-%d")
    assert len(shown(client.get(PATH, params={"action": "test.one"}).text)) == 1
    assert len(shown(client.get(PATH, params={"action": "test.*"}).text)) == 2
    assert len(shown(client.get(PATH, params={"action": "test_*"}).text)) == 0
    assert "Nothing was done that fits" in client.get(PATH, params={"actor": "user:nobody"}).text
    assert len(shown(client.get(PATH, params={"actor": "system", "action": "test.*", "since": today}).text)) == 2
    assert shown(client.get(PATH, params={"since": "2200-01-01"}).text) == []
    assert shown(client.get(PATH, params={"until": "2000-01-01"}).text) == []


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"since": "yesterday"}, "“From” is not a day"),
        ({"until": "2026-02-30"}, "“To” is not a day"),
        ({"since": "2026-02-02", "until": "2026-02-01"}, "“From” is after “To”"),
    ],
)
def test_days_that_make_no_sense_are_said_so(client: httpx.Client, params: dict[str, str], sentence: str) -> None:
    answer = client.get(PATH, params=params)
    assert answer.status_code == 422
    assert sentence in answer.text


def test_pages_go_on_where_the_one_before_ended(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    write(platform, admin, *(f"count.{number}" for number in range(120)))
    seen: list[str] = []
    path: str | None = PATH + "?action=count.*"
    while path:
        page = client.get(path).text
        seen += shown(page)
        write(platform, admin, "count.later")  # what is written meanwhile moves nothing
        older = re.search(r'href="(\?[^"]+)">Older', page)
        path = PATH + older[1].replace("&amp;", "&") if older else None
    assert [line.split("“")[1].rstrip("”") for line in seen] == [f"count.{number}" for number in reversed(range(120))]


def test_the_chain_is_verified_and_a_change_is_found(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    write(platform, admin, *(f"count.{number}" for number in range(600)))
    with platform.database.snapshot() as session:
        total = session.scalar(select(func.count()).where(AuditEntry.workspace_id == admin.workspace_id))
    assert f"All {total} entries are as they were written" in client.get(PATH + "?verify=1").text
    with platform.database.transaction() as session:
        changed = session.scalars(
            update(AuditEntry)
            .where(AuditEntry.workspace_id == admin.workspace_id, AuditEntry.action == "count.550")
            .values(ip="10.0.0.1")
            .returning(AuditEntry.seq)
        ).one()
    assert f"The chain is broken at entry {changed}" in client.get(PATH + "?verify=1").text


def export(client: httpx.Client, form: str, **fields: str) -> httpx.Response:
    return post(client, PATH + "/export", at=PATH, format=form, **fields)


def test_the_json_file_has_all_entries_and_verifies_without_us(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    write(platform, admin, *(f"count.{number}" for number in range(1100)), data={"text": "ä\n", "n": 1})
    answer = export(client, "json")
    assert answer.headers["content-type"] == "application/json"
    assert re.search(r'attachment; filename="audit-.*\.json"', answer.headers["content-disposition"])
    entries = answer.json()["entries"]
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert len(entries) > 1100
    assert (entries[-1]["action"], entries[-1]["data"]) == ("audit.exported", {"format": "json"})
    previous = "0" * 64
    for entry in entries:
        content = {name: entry[name] for name in ("seq", "actor", "action", "target", "ip", "at", "data")}
        content |= {"workspace": admin.workspace_id, "agent": entry["user_agent"], "prev": previous}
        assert hashlib.sha256(canonical_json(content)).hexdigest() == entry["hash"]
        previous = entry["hash"]


def test_the_csv_file_runs_no_formula(platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client) -> None:
    for target in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", 'a"b,c\nd', "harmless"):
        write(platform, admin, "csv.row", target=target)
    answer = export(client, "csv", action="csv.row")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    targets = [row["target"] for row in rows]
    assert targets == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'\r=1", 'a"b,c\nd', "harmless"]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_an_export_keeps_to_the_filter_and_to_the_two_forms(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client
) -> None:
    write(platform, admin, "one.thing", "other.thing")
    assert [entry["action"] for entry in export(client, "json", action="one.*").json()["entries"]] == ["one.thing"]
    assert export(client, "xml").status_code == 422
    assert export(client, "csv", since="never").status_code == 422
    assert client.post(PATH + "/export", data={"format": "json"}).status_code == 403


def test_only_who_may_read_the_log_sees_it_and_nobody_sees_anothers(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client, new_email: Callable[[], str]
) -> None:
    other = platform.bootstrap(new_email(), workspace="Other")
    write(platform, other, "secret.thing", target=admin.workspace_id)
    assert "secret.thing" not in client.get(PATH).text
    assert "secret.thing" not in export(client, "json").text
    write(platform, admin, "test.thing", data={"name": other.workspace_id, "license": other.license_id})
    assert other.workspace not in client.get(PATH + "?action=test.thing").text
    with platform.database.snapshot() as session:
        assert name_all(session, admin.workspace_id, [other.workspace_id, other.license_id, "usr_x", "odd"]) == {}
