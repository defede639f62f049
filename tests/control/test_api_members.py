"""Members and their licenses through the native API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from cloudlet.control.accounts.service import create_user
from cloudlet.control.permissions import ROLES
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import add_member
from tests.control.api import problem, token_client, viewer_of
from tests.control.people import sequence
from tests.control.serving import RunningPlatform


@pytest.fixture
def admin(platform: RunningPlatform, email: str) -> Viewer:
    platform.bootstrap(email)
    return viewer_of(platform, email)


@pytest.fixture
def client(platform: RunningPlatform, admin: Viewer) -> Iterator[httpx.Client]:
    with token_client(platform, admin) as client:
        client.base_url = f"{client.base_url}workspaces/{admin.workspace_id}"
        yield client


@pytest.fixture
def join(platform: RunningPlatform, admin: Viewer) -> Callable[..., str]:
    """Add a member; returns their id."""

    def add(name: str = "", role: str = "member") -> str:
        with platform.database.transaction() as session:
            user = create_user(session, platform.platform, f"person{next(sequence)}@example.com", name=name)
            return add_member(session, platform.platform, admin.workspace_id, user, role=role).id

    return add


def test_members_are_listed_page_by_page_and_new_ones_disturb_nothing(
    client: httpx.Client, admin: Viewer, join: Callable[..., str]
) -> None:
    ids = sorted([admin.membership_id, *(join() for _ in range(4))])  # ids sort by their millisecond, not within it
    first = client.get("/members", params={"limit": 2})
    assert [row["id"] for row in first.json()["items"]] == ids[:2]
    assert first.headers["link"].endswith('>; rel="next"')
    ids = sorted([*ids, join()])
    seen, cursor = ids[:2], first.json()["next_cursor"]
    while cursor:
        page = client.get("/members", params={"limit": 2, "cursor": cursor}).json()
        seen += [row["id"] for row in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ids


def test_members_are_found_by_name_and_address(client: httpx.Client, admin: Viewer, join: Callable[..., str]) -> None:
    grace = join("Grace Hopper")
    join("Ada 100%")
    assert [row["id"] for row in client.get("/members", params={"q": "HOPP"}).json()["items"]] == [grace]
    assert [row["id"] for row in client.get("/members", params={"q": admin.email}).json()["items"]] == [
        admin.membership_id
    ]
    assert client.get("/members", params={"q": "%%"}).json()["items"] == []


def test_a_member_is_changed_by_who_has_seen_them(client: httpx.Client, join: Callable[..., str]) -> None:
    member = join()
    seen = client.get(f"/members/{member}")
    assert (seen.json()["role"], seen.json()["permissions"]) == ("member", None)
    path, etag = f"/members/{member}", seen.headers["etag"]
    assert problem(client.patch(path, json={"role": "auditor"})) == (428, "match.required")
    assert problem(client.patch(path, json={"role": "auditor"}, headers={"if-match": '"other"'})) == (
        412,
        "match.failed",
    )
    changed = client.patch(path, json={"role": "auditor"}, headers={"if-match": etag})
    assert (changed.status_code, changed.json()["role"]) == (200, "auditor")
    assert changed.headers["etag"] == client.get(path).headers["etag"] != etag
    assert problem(client.patch(path, json={"role": "member"}, headers={"if-match": etag})) == (412, "match.failed")
    assert client.get(path, headers={"if-none-match": changed.headers["etag"]}).status_code == 304


def test_of_two_changes_of_the_same_version_one_wins(client: httpx.Client, join: Callable[..., str]) -> None:
    path = f"/members/{join()}"
    etag = client.get(path).headers["etag"]
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda role: client.patch(path, json={"role": role}, headers={"if-match": etag}).status_code,
                ("auditor", "billing", "auditor", "billing"),
            )
        )
    assert sorted(answers) == [200, 412, 412, 412]


def test_switches_that_are_left_out_follow_the_role(client: httpx.Client, join: Callable[..., str]) -> None:
    path = f"/members/{join()}"
    star = {"if-match": "*"}
    allowed = client.patch(path, json={"permissions": {"audit.read": True, "usage.read": False}}, headers=star).json()
    assert allowed["allowed"] == sorted(ROLES["member"] - {"usage.read"} | {"audit.read"})
    assert client.patch(path, json={"permissions": None}, headers=star).json()["allowed"] == sorted(ROLES["member"])
    wrong = client.patch(path, json={"permissions": {"nothing": True}}, headers=star)
    assert problem(wrong) == (422, "form.invalid")
    assert "nothing" in wrong.json()["detail"]
    assert problem(client.patch(path, json={"role": "admin", "permissions": {"audit.read": True}}, headers=star)) == (
        422,
        "form.invalid",
    )


@pytest.mark.parametrize(
    ("body", "status", "code", "path"),
    [
        (b"{", 400, "body.syntax", None),
        (b"\xff", 400, "body.syntax", None),
        (b"[]", 422, "body.invalid", "$"),
        (b'{"role":"king"}', 422, "body.invalid", "$.role"),
        (b'{"rule":"admin"}', 422, "body.invalid", "$"),
        (b'{"permissions":{"audit.read":"yes"}}', 422, "body.invalid", "$.permissions[...]"),
    ],
)
def test_a_body_that_does_not_fit_is_explained(
    client: httpx.Client, admin: Viewer, body: bytes, status: int, code: str, path: str | None
) -> None:
    answer = client.patch(
        f"/members/{admin.membership_id}",
        content=body,
        headers={"content-type": "application/json", "if-match": "*"},
    )
    assert problem(answer) == (status, code)
    assert [entry["path"] for entry in answer.json().get("errors", [])] == ([path] if path else [])


def test_bodies_are_json_and_say_so(client: httpx.Client, admin: Viewer) -> None:
    form = client.patch(f"/members/{admin.membership_id}", data={"role": "admin"}, headers={"if-match": "*"})
    assert problem(form) == (415, "body.type")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "query.invalid"),
        ("limit=201", "query.invalid"),
        ("limit=x", "query.invalid"),
        ("page=2", "query.invalid"),
        ("q=a&q=b", "query.invalid"),
        ("cursor=nonsense", "cursor.invalid"),
        ("cursor=WyJhdWRpdCIsMV0", "cursor.invalid"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(client: httpx.Client, query: str, code: str) -> None:
    assert problem(client.get(f"/members?{query}")) == (400, code)


def test_the_last_admin_stays(client: httpx.Client, admin: Viewer) -> None:
    path = f"/members/{admin.membership_id}"
    assert problem(client.patch(path, json={"role": "member"}, headers={"if-match": "*"})) == (409, "member.last_admin")
    assert problem(client.delete(path)) == (409, "member.last_admin")


def test_a_license_is_given_and_taken_as_often_as_one_likes(client: httpx.Client, join: Callable[..., str]) -> None:
    member = join()
    path = f"/members/{member}/license"
    given = client.put(path)
    assert (given.status_code, given.json()["license"]["plan"]) == (200, "trial")
    assert client.put(path).json() == given.json()
    seats = given.json()["seats"]
    assert seats["total"] == seats["used"] + seats["free"]
    taken = client.delete(path)
    assert (taken.json()["license"], taken.json()["seats"]["used"]) == (None, seats["used"] - 1)
    assert client.delete(path).status_code == 200


def test_of_many_assignments_of_the_last_seats_as_many_win_as_there_are(
    client: httpx.Client, join: Callable[..., str]
) -> None:
    free = client.get("/licenses").json()["seats"]["free"]
    members = [join() for _ in range(free + 3)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda member: client.put(f"/members/{member}/license"), members))
    assert sorted(answer.status_code for answer in answers) == [200] * free + [409] * 3
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert problem(refused) == (409, "seats.exhausted")
    assert refused.json()["hint"] == "Unassign one or add seats."
    listed = client.get("/licenses", params={"limit": 200}).json()
    holders = [row["member_id"] for row in listed["items"] if row["member_id"]]
    assert len(holders) == len(set(holders)) == listed["seats"]["total"]


def test_a_removed_member_is_gone_with_license_and_tokens(
    platform: RunningPlatform, client: httpx.Client, join: Callable[..., str]
) -> None:
    member = join()
    client.put(f"/members/{member}/license")
    assert client.delete(f"/members/{member}").status_code == 204
    assert problem(client.get(f"/members/{member}")) == (404, "not_found")
    assert [row["id"] for row in client.get("/members", params={"status": "removed"}).json()["items"]] == [member]


def test_a_token_gives_no_more_than_its_scopes(
    platform: RunningPlatform, admin: Viewer, join: Callable[..., str]
) -> None:
    path = f"/workspaces/{admin.workspace_id}/members/{join()}"
    with token_client(platform, admin, {"member.role"}) as small:
        for change in ({"role": "admin"}, {"role": "billing"}, {"permissions": {"audit.read": True}}):
            refused = small.patch(path, json=change, headers={"if-match": "*"})
            assert problem(refused) == (403, "member.cannot_grant")
        assert small.patch(path, json={"permissions": {"member.role": True}}, headers={"if-match": "*"}).is_success
        assert problem(small.put(path + "/license")) == (403, "permission.denied")
