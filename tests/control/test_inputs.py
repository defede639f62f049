"""What requests may not hold, and what becomes of values that are too long: a clear no, never a 500, in every form and operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import httpx
import msgspec
import pytest
from litestar import get
from litestar.routes import HTTPRoute
from litestar.testing import TestClient
from sqlalchemy import text

from cloudlet.control.api.operation import make_cursor
from cloudlet.control.api.routes import OPERATIONS
from cloudlet.control.app import create_app
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.settings import read_platform_settings
from tests.control.api import problem, token_client, viewer_of
from tests.control.people import csrf, sign_in
from tests.control.serving import RunningPlatform
from tests.store.postgres_server import PostgresServer

LONG = "x" * 20_000
HUGE = 2**70
NUL = "a\0b"
# They end the session that tries the others, or what it looks at.
ENDINGS = ("/sign-out", "/workspace/leave", "/workspace/delete", "/account/sessions")


@pytest.fixture
def company(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email)


@pytest.fixture
def admin(platform: RunningPlatform, company: BootstrapResult) -> Iterator[httpx.Client]:
    with platform.client() as client:
        sign_in(client, company)
        yield client


@pytest.fixture
def program(platform: RunningPlatform, company: BootstrapResult) -> Iterator[httpx.Client]:
    with token_client(platform, viewer_of(platform, company.email)) as client:
        yield client


@pytest.fixture
def token(admin: httpx.Client) -> str:
    return csrf(admin.get("/account").text)


def form_routes(platform: RunningPlatform) -> list[tuple[str, dict[str, str]]]:
    """Each page's form: its address, ids filled in with one that nobody has, and its text fields."""
    found = []
    for route in create_app(platform.settings).routes:
        for handler in route.route_handlers if isinstance(route, HTTPRoute) else ():
            data = handler.parsed_fn_signature.parameters.get("data")
            if data is None or "POST" not in handler.http_methods:
                continue
            path = "/".join("absent" if "{" in part else part for part in route.path_format.split("/"))
            if not path.startswith(ENDINGS):
                found.append((path, fields_of(data.annotation)))
    return found


def fields_of(data: Any) -> dict[str, str]:
    struct = get_args(data)[0] if get_args(data) else data
    if isinstance(struct, type) and issubclass(struct, msgspec.Struct):
        return dict.fromkeys((field.name for field in msgspec.structs.fields(struct)), "")
    return dict.fromkeys(("name", "email", "role", "url", "description", "project", "days", "seats", "membership"), "")


def test_no_form_takes_a_nul_character(platform: RunningPlatform, admin: httpx.Client, token: str) -> None:
    routes = form_routes(platform)
    assert len(routes) > 25
    for path, fields in routes:
        for name in fields:
            answer = admin.post(path, data={**fields, name: NUL, "_csrf_token": token})
            assert (answer.status_code, "NUL character" in answer.text) == (400, True), (path, name)


def test_no_form_fails_by_a_value_that_is_too_long(platform: RunningPlatform, admin: httpx.Client, token: str) -> None:
    for path, fields in form_routes(platform):
        answer = admin.post(path, data={**dict.fromkeys(fields, LONG), "_csrf_token": token})
        assert answer.status_code < 500, (path, answer.text)
        for name in fields:
            answer = admin.post(path, data={**fields, name: LONG, "_csrf_token": token})
            assert answer.status_code < 500, (path, name, answer.text)
    assert "value refused by the database" not in platform.printed()  # each form says what is wrong with it


@pytest.mark.parametrize(
    "path",
    [
        "/workspace/members?q=%00",
        "/workspace/activations?machine=a%00",
        "/workspace/members/mem%00",
        "/sign-in/link/a%00b",
        "/workspace/webhooks/whk_1/deliveries/%00",
        "/sign-in?next=/%00",
    ],
)
def test_no_address_has_a_nul_character(admin: httpx.Client, path: str) -> None:
    answer = admin.get(path)
    assert (answer.status_code, "NUL character" in answer.text) == (400, True)


@pytest.mark.parametrize(
    "path",
    [
        f"/workspace/audit?before={HUGE}",
        f"/workspace/audit?before=-{HUGE}",
        "/workspace/audit?until=9999-12-31",
        "/workspace/audit?since=0001-01-01",
        f"/workspace/members?number={HUGE}",
        f"/workspace/members?q={LONG}",
        f"/workspace/machines?q={LONG}&before={LONG}",
        f"/workspace/activations?q={LONG}&before={LONG}",
        f"/workspace/webhooks/{LONG}",
        f"/workspace/offline?before={LONG}",
    ],
)
def test_no_page_fails_by_what_its_address_asks_for(admin: httpx.Client, path: str) -> None:
    assert admin.get(path).status_code in {200, 404, 422}


def test_no_operation_takes_a_nul_character_or_fails_by_what_it_is_sent(
    platform: RunningPlatform, company: BootstrapResult
) -> None:
    viewer = viewer_of(platform, company.email)
    for operation in OPERATIONS:
        path = operation.path.replace("{workspace_id}", company.workspace_id)
        path = "/".join("absent" if "{" in part else part for part in path.split("/"))
        if operation.body is None or operation.method == "DELETE" or operation.people_only:
            continue
        with token_client(platform, viewer) as program:  # each with a rate of its own
            for field in msgspec.structs.fields(operation.body):
                for value in values_for(field.type):
                    body = {**needed_by(operation.body), field.name: value}
                    answer = program.request(operation.method, path, json=body, headers={"if-match": "*"})
                    assert answer.status_code < 500, (operation.name, field.name, answer.text)
                    if value == NUL and answer.status_code != 404:
                        assert problem(answer) in {(400, "request.nul"), (422, "body.invalid")}, operation.name
    assert "value refused by the database" not in platform.printed()


def values_for(kind: Any) -> list[Any]:
    return [NUL, LONG, HUGE, -HUGE] if kind in {str, int} else [NUL, [NUL], [LONG], HUGE]


def needed_by(body: type[msgspec.Struct]) -> dict[str, Any]:
    return {field.name: 1 if field.type is int else "a" for field in msgspec.structs.fields(body) if field.required}


@pytest.mark.parametrize(
    ("path", "cursor"),
    [
        ("audit", make_cursor("audit", HUGE)),
        ("audit", make_cursor("audit", -HUGE)),
        ("audit", make_cursor("audit", "1")),
        ("members", make_cursor("members", NUL)),
        ("members", make_cursor("audit", "x")),
        ("members", "%%%"),
    ],
)
def test_a_forged_cursor_is_none(program: httpx.Client, path: str, cursor: str) -> None:
    workspace = program.get("/workspaces").json()["items"][0]["id"]
    answer = program.get(f"/workspaces/{workspace}/{path}", params={"cursor": cursor})
    assert problem(answer) == (400, "cursor.invalid")


@pytest.mark.parametrize(
    ("path", "body", "codes"),
    [
        ("license/request", {"product": {"name": NUL}}, {"licensing.request.format"}),
        ("license/activate", {"license_id": NUL}, {"licensing.request.format"}),
        ("license/check", {"machine": {"hostname": NUL}}, {"licensing.request.format"}),
        ("license/grace-period-check", {"machine": {"id": NUL}}, {"request.nul"}),
        ("auth/request", {"actor": NUL}, {"request.nul"}),
        ("auth/request/absent/exchange", {"exchange_token": NUL}, {"request.nul"}),
    ],
)
def test_programs_without_an_account_are_told_so_too(
    platform: RunningPlatform, path: str, body: dict[str, Any], codes: set[str], new_email: Callable[[], str]
) -> None:
    token = platform.bootstrap(new_email()).token
    whole = {
        "credentials": {"type": "licensing-auth-token", "token": token},
        "product": {"name": "cloudlet", "version": "1.0"} | body.get("product", {}),
        **{name: value for name, value in body.items() if name != "product"},
    }
    answer = httpx.post(f"{platform.url}/v1/{path}", json=whole if path.startswith("license") else body)
    assert (answer.status_code, answer.json()["code"] in codes) == (400, True)


def test_what_only_the_database_refuses_is_a_clear_no(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """Each form checks its values, so this takes routes that do not."""
    settings = read_platform_settings(
        {"PLATFORM_DATABASE_URL": postgres_server.new_database(), "PLATFORM_STATE_DIR": str(tmp_path)}
    )
    app = create_app(settings)

    @get(["/unchecked", "/api/v1/unchecked", "/v1/license/unchecked"], opt=requires(PUBLIC), sync_to_thread=False)
    def unchecked() -> None:
        with app.state.database.snapshot() as session:
            session.execute(text("SELECT CAST('my secret' AS integer)"))

    app.register(unchecked)
    with TestClient(app) as client:
        page = client.get("/unchecked")
        assert (page.status_code, "too long, too large" in page.text) == (422, True)
        assert client.get("/api/v1/unchecked").json()["code"] == "request.does_not_fit"
        verdict = client.get("/v1/license/unchecked").json()
        assert (verdict["code"], "secret" in str(verdict)) == ("licensing.request.format", False)
