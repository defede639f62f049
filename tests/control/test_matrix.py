"""Every route × every role × the switch of its permission: who gets past the guard, and that nobody does by default."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from cloudlet.control.accounts.service import create_user, open_session
from cloudlet.control.api.callers import csrf_token
from cloudlet.control.api.routes import OPERATIONS
from cloudlet.control.app import create_app
from cloudlet.control.db import Database
from cloudlet.control.errors import Forbidden, NotFound, NotSignedIn, NotVerified, NoWorkspace
from cloudlet.control.permissions import (
    CALLER,
    LEVELS,
    PERMISSIONS,
    PUBLIC,
    ROLES,
    SIGNED_IN,
    SIGNED_IN_ANYWHERE,
    SIGNED_IN_UNVERIFIED,
    authorize,
)
from cloudlet.control.platform import Platform
from cloudlet.control.prepare import prepare
from cloudlet.control.workspaces.service import add_member, create_workspace
from cloudlet.control.workspaces.tables import Membership
from cloudlet.settings import read_platform_settings
from tests.control.api import token_client, viewer_of
from tests.control.people import sequence
from tests.control.serving import RunningPlatform


class Person(msgspec.Struct, frozen=True):
    """A signed-in person; `cookie` "" for nobody, `membership_id` "" for who is in no workspace."""

    cookie: str
    membership_id: str = ""


class Place(msgspec.Struct, frozen=True):
    """An application with people of each role in one workspace."""

    app: Litestar
    database: Database
    platform: Platform
    workspace_id: str
    people: dict[str, Person]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    variables = {"PLATFORM_STATE_DIR": str(tmp_path_factory.mktemp("app")), "PLATFORM_API_RATE": "0"}
    app = create_app(read_platform_settings(variables))
    database: Database = app.state.database
    platform: Platform = app.state.platform
    prepare(database, platform)
    people = {"nobody": Person("")}
    with database.transaction() as session:

        def sign_in(name: str, *, is_verified: bool = True) -> tuple[str, str]:
            user = create_user(session, platform, f"{name}@example.com", is_verified=is_verified)
            cookie = open_session(session, platform, user, ip="", user_agent="", with_sudo=True)
            return user.id, cookie

        user_id, cookie = sign_in("admin")
        owner = create_user(session, platform, "owner@example.com")
        workspace_id = create_workspace(session, platform, "Acme", owner).workspace_id
        for role in ROLES:
            user_id, cookie = (user_id, cookie) if role == "admin" else sign_in(role)
            user = session.get_one(type(owner), user_id)
            people[role] = Person(cookie, add_member(session, platform, workspace_id, user, role=role).id)
        people["elsewhere"] = Person(sign_in("elsewhere")[1])
        people["unverified"] = Person(sign_in("unverified", is_verified=False)[1])
    yield Place(app, database, platform, workspace_id, people)
    database.close()


def handlers(app: Litestar) -> list[tuple[str, str, HTTPRouteHandler]]:
    return [
        (str(method), route.path_format, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods - {"OPTIONS", "HEAD"}
    ]


async def verdict(place: Place, method: str, path: str, handler: HTTPRouteHandler, person: Person) -> str:
    """What the guard says of a request: `in`, or why not."""
    headers = []
    if person.cookie:
        token = csrf_token(place.platform, person.cookie)
        headers = [(b"cookie", f"cloudlet_session={person.cookie}".encode()), (b"x-csrf-token", token.encode())]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": headers,
        "client": ("192.0.2.1", 1),
        "path_params": {"workspace_id": place.workspace_id} if "{workspace_id}" in path else {},
        "query_string": b"",
        "app": place.app,
        "litestar_app": place.app,
        "state": {},
    }
    try:
        await authorize(ASGIConnection(scope), handler)  # type: ignore[arg-type]
    except NotSignedIn:
        return "not signed in"
    except NotVerified:
        return "not verified"
    except NoWorkspace:
        return "no workspace"
    except NotFound:
        return "not found"
    except Forbidden:
        return "forbidden"
    return "in"


def expected(needed: str, name: str, *, is_in_workspace_path: bool) -> str:
    """Said once more, in other words than the guard's."""
    if needed == PUBLIC:
        return "in"
    if name == "nobody":
        return "not signed in"
    if is_in_workspace_path and name in {"elsewhere", "unverified"}:
        return "not found"  # whoever they are: the workspace does not exist for them
    if needed == SIGNED_IN_UNVERIFIED:
        return "in"
    if name == "unverified":
        return "not verified"
    if needed == SIGNED_IN_ANYWHERE:
        return "in"
    if name == "elsewhere":
        return "no workspace"
    return "in" if needed == SIGNED_IN or needed in ROLES[name] else "forbidden"


def test_each_role_gets_past_the_guard_where_its_permissions_say(place: Place) -> None:
    asyncio.run(check_roles(place))


async def check_roles(place: Place) -> None:
    wrong = []
    found = handlers(place.app)
    for method, path, handler in found:
        needed = handler.opt["requires"]
        assert needed in PERMISSIONS | LEVELS
        in_path = CALLER in handler.opt and "{workspace_id}" in path
        for name, person in place.people.items():
            said = await verdict(place, method, path, handler, person)
            if said != expected(needed, name, is_in_workspace_path=in_path):
                wrong.append(f"{method} {path} ({needed}) for {name}: {said}")
    assert not wrong, "\n".join(wrong)
    assert len(found) > 150


@pytest.mark.parametrize("permission", sorted(PERMISSIONS))
def test_a_switch_alone_opens_and_closes_what_needs_it(place: Place, permission: str) -> None:
    asyncio.run(check_switch(place, permission))


async def check_switch(place: Place, permission: str) -> None:
    """A member with this switch alone gets in where it is needed and nowhere else; an admin without it not there."""
    found = [entry for entry in handlers(place.app) if entry[2].opt["requires"] in PERMISSIONS]
    others = {entry[2].opt["requires"]: entry for entry in found if entry[2].opt["requires"] != permission}
    routes = [*others.values(), *(entry for entry in found if entry[2].opt["requires"] == permission)]
    alone = {key: key == permission for key in PERMISSIONS}
    for name, switches in (("member", alone), ("billing", {permission: False}), ("auditor", {permission: True})):
        person = place.people[name]
        with place.database.transaction() as session:
            session.get_one(Membership, person.membership_id).permissions = switches
        for method, path, handler in routes:
            needed = handler.opt["requires"]
            is_open = switches.get(needed, needed in ROLES[name])
            assert await verdict(place, method, path, handler, person) == ("in" if is_open else "forbidden"), path
        with place.database.transaction() as session:
            session.get_one(Membership, person.membership_id).permissions = None


def test_a_route_that_says_nothing_is_closed_to_everybody(place: Place) -> None:
    asyncio.run(check_silent_route(place))


async def check_silent_route(place: Place) -> None:
    silent = HTTPRouteHandler("/silent", http_method="GET", sync_to_thread=False)(lambda: None)
    for person in place.people.values():
        assert await verdict(place, "GET", "/silent", silent, person) == "forbidden"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    platform = RunningPlatform(tmp_path_factory.mktemp("control"), PLATFORM_API_RATE="0")
    yield platform
    platform.close()


def test_over_the_wire_a_token_without_the_scope_is_refused_before_anything_else(running: RunningPlatform) -> None:
    """With neither body nor ids that exist: permission comes first."""
    email = f"person{next(sequence)}@example.com"
    running.bootstrap(email)
    viewer = viewer_of(running, email)
    with token_client(running, viewer, ()) as client:
        for entry in OPERATIONS:
            if entry.requires in LEVELS:
                continue
            path = entry.path.replace("{workspace_id}", viewer.workspace_id)
            answer: httpx.Response = client.request(entry.method, path)
            assert (answer.status_code, answer.json()["code"]) == (403, "permission.denied"), (entry.method, path)
