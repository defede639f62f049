"""Another workspace's ids do not exist: every route with an id in its path, asked by somebody else's admin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from sqlalchemy import inspect, text

from cloudlet.control.accounts.service import create_user
from cloudlet.control.api.examples import BODIES
from cloudlet.control.api.operation import Operation
from cloudlet.control.app import create_app
from cloudlet.control.devices.tokens import create_device_token
from cloudlet.control.permissions import CALLER, PUBLIC
from cloudlet.control.workspaces.service import add_member
from cloudlet.control.workspaces.tables import Membership
from cloudlet.settings import read_platform_settings
from tests.control.api import session_client, token_client, viewer_of
from tests.control.people import csrf, sequence, sign_in
from tests.control.serving import RunningPlatform
from tests.control.showcase import add_provider

# Sign-in requests of command lines belong to nobody before somebody approves them: test_devices.
NOBODYS = {"/auth/request/{request_id}"}
EXTRA_BODIES: Mapping[str, object] = {
    "create_api_key": {"member_id": "mem_x"},
    "issue_offline_file": {"requests": [], "member_id": "mem_x", "days": 1},
}


class Victim(msgspec.Struct, frozen=True):
    """A workspace with one of everything: `ids` by the part of a path that stands before the id."""

    workspace_id: str
    ids: dict[str, str]


class Target(msgspec.Struct, frozen=True):
    method: str
    path: str
    is_api: bool
    body: object


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    folder = tmp_path_factory.mktemp("control")
    running = RunningPlatform(folder, PLATFORM_API_RATE="0", PLATFORM_LEGACY_API_KEYS="1")
    yield running
    running.close()


@pytest.fixture(scope="module")
def victim(platform: RunningPlatform) -> Victim:
    email = f"person{next(sequence)}@example.com"
    found = platform.bootstrap(email)
    viewer = viewer_of(platform, email)
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, f"person{next(sequence)}@example.com")
        member = add_member(session, platform.platform, viewer.workspace_id, user, role="member").id
        own = session.get_one(Membership, viewer.membership_id)
        create_device_token(session, platform.platform, own, name="laptop", family="fam", actor=viewer.actor)
        provider_id, identity_id = add_provider(session, platform.platform, viewer)
    assert platform.request_license(found.token).status_code == 200
    with session_client(platform, found) as client:
        client.base_url = httpx.URL(f"{client.base_url}workspaces/{viewer.workspace_id}")

        def made(path: str, **body: object) -> str:
            answer = client.post(path, json=body)
            assert answer.is_success, answer.text
            return str(next(value for name, value in answer.json().items() if name.endswith("id")))

        def listed(path: str) -> str:
            return str(client.get(path).json()["items"][0]["id"])

        client.put(f"/members/{member}/license")
        webhook = made("/webhooks", url="https://hooks.example.com/cloudlet", events=["license.assigned"])
        machine = listed("/machines")
        request_file = {
            "format": "cloudlet-license-request-1",
            "product": {"name": "cloudlet", "version": "1.0.0"},
            "machine": {"id": "sys_0123456789ab"},
        }
        invited = made("/members", email=f"person{next(sequence)}@example.com")
        ids = {
            "workspaces": viewer.workspace_id,
            "switch": viewer.workspace_id,
            "members": member,
            "invited": invited,
            "ci-keys": made("/ci-keys", name="pipeline"),
            "api-keys": made("/api-keys", member_id=member),
            "api-tokens": made("/api-tokens", name="script"),
            "activations": listed("/activations"),
            "machines": machine,
            "webhooks": webhook,
            "deliveries": made(f"/webhooks/{webhook}/test"),
            "offline-files": made("/offline-files", requests=[request_file], member_id=member, days=1),
            "devices": listed("/tokens/devices"),
            "sso": provider_id,
            "people": identity_id,
        }
        client.base_url = httpx.URL(f"{platform.url}/api/v1")
        ids["sessions"] = listed("/users/me/sessions")
        ids["offline"] = ids["offline-files"]
    return Victim(viewer.workspace_id, ids)


def targets(app: Litestar) -> list[Target]:
    """Every route that has an id in its path and is not for everybody."""
    found = []
    for route in app.routes:
        if not isinstance(route, HTTPRoute) or "{" not in route.path_format or route.path_format in NOBODYS:
            continue
        for handler in route.route_handlers:
            if handler.opt.get("requires") in {None, PUBLIC}:
                continue
            entry: Operation | None = handler.opt.get("operation")
            name = entry.name if entry else ""
            for method in handler.http_methods - {"OPTIONS", "HEAD"}:
                found.append(
                    Target(
                        str(method), route.path_format, CALLER in handler.opt, BODIES.get(name, EXTRA_BODIES.get(name))
                    )
                )
    return found


@pytest.fixture(scope="module")
def all_targets(tmp_path_factory: pytest.TempPathFactory) -> list[Target]:
    folder = tmp_path_factory.mktemp("app")
    return targets(create_app(read_platform_settings({"PLATFORM_STATE_DIR": str(folder)})))


def filled(path: str, ids: Mapping[str, str], workspace_id: str = "") -> str:
    """The path with the victim's ids; `workspace_id` instead of the victim's own. Fails for an id that nobody made."""
    parts: list[str] = []
    for part in path.split("/"):
        if not part.startswith("{"):
            parts.append(part)
        elif part == "{workspace_id}" and workspace_id and parts[-1] == "workspaces":
            parts.append(workspace_id)
        else:
            wants_invited = parts[-1] == "members" and path.endswith(("/resend", "/invitation", "/cancel"))
            parts.append(ids["invited" if wants_invited else parts[-1]])
    return "/".join(parts)


def rows_of(platform: RunningPlatform, workspace_id: str) -> dict[str, list[tuple[object, ...]]]:
    """All that belongs to a workspace. Sessions and accounts belong to people."""
    found = {}
    with platform.database.engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            columns = [column["name"] for column in inspect(connection).get_columns(table)]
            if "workspace_id" in columns and table not in {"sessions", "audit_log"}:
                query = text(f'SELECT * FROM "{table}" WHERE workspace_id = :workspace ORDER BY 1')
                found[table] = [tuple(row) for row in connection.execute(query, {"workspace": workspace_id})]
    return found


def test_ids_of_another_workspace_do_not_exist_in_the_api(
    platform: RunningPlatform, victim: Victim, all_targets: list[Target]
) -> None:
    email = f"person{next(sequence)}@example.com"
    found = platform.bootstrap(email)
    viewer = viewer_of(platform, email)
    before = rows_of(platform, victim.workspace_id)
    asked = 0
    with token_client(platform, viewer) as token, session_client(platform, found) as person:
        for target in (target for target in all_targets if target.is_api):
            for client in (token, person):
                for workspace_id in ("", viewer.workspace_id):
                    path = filled(target.path, victim.ids, workspace_id).removeprefix("/api/v1")
                    if not any(part in victim.ids.values() for part in path.split("/")):
                        continue  # one's own workspace, and no other id
                    answer = client.request(target.method, path, json=target.body or {}, headers={"if-match": "*"})
                    is_for_people = client is token and answer.status_code == 403
                    if is_for_people and answer.json()["code"] == "api_token.people_only":
                        continue
                    assert answer.status_code == 404, (target.method, path, answer.text)
                    asked += 1
    assert asked > 100
    assert rows_of(platform, victim.workspace_id) == before


def test_ids_of_another_workspace_do_not_exist_on_pages(
    platform: RunningPlatform, victim: Victim, all_targets: list[Target]
) -> None:
    found = platform.bootstrap(f"person{next(sequence)}@example.com")
    before = rows_of(platform, victim.workspace_id)
    with platform.client() as client:
        sign_in(client, found)
        token = csrf(client.get("/account").text)
        pages = [target for target in all_targets if not target.is_api]
        for target in pages:
            path = filled(target.path, {**victim.ids, "auth-tokens": victim.ids["devices"]})
            data = {"_csrf_token": token, "role": "member", "name": "x", "url": "https://hooks.example.com", "all": "1"}
            answer = client.request(
                target.method, path, data={**data, "overlap": "0"} if target.method == "POST" else None
            )
            assert answer.status_code == 404, (target.method, path, answer.text[-1500:])
    assert len(pages) > 20
    assert rows_of(platform, victim.workspace_id) == before
