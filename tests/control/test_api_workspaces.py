"""Workspaces through the native API."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.control.api import problem, session_client, token_client, viewer_of
from tests.control.serving import RunningPlatform


@pytest.fixture
def person(platform: RunningPlatform, email: str) -> Iterator[httpx.Client]:
    with session_client(platform, platform.bootstrap(email)) as client:
        yield client


def test_a_workspace_is_made_changed_and_deleted(person: httpx.Client) -> None:
    made = person.post("/workspaces", json={"name": "Second", "country": "ch"})
    assert made.status_code == 201, made.text
    path = f"/workspaces/{made.json()['id']}"
    seen = person.get(path)
    assert (seen.json()["country"], seen.json()["role"]) == ("CH", "admin")
    assert problem(person.patch(path, json={"name": "New"})) == (428, "match.required")
    change = {"name": "New", "policies": {"token_max_age_d": 90, "ip_allowlist": ["192.0.2.0/24"]}}
    changed = person.patch(path, json=change, headers={"if-match": seen.headers["etag"]})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["name"], changed.json()["country"]) == ("New", "CH")
    assert changed.json()["policies"]["token_max_age_d"] == 90
    assert changed.json()["policies"]["ip_allowlist"] == ["192.0.2.0/24"]
    again = person.patch(path, json={"name": "Newer"}, headers={"if-match": seen.headers["etag"]})
    assert problem(again) == (412, "match.failed")
    cleared = person.patch(
        path, json={"country": None, "policies": {"token_max_age_d": None}}, headers={"if-match": "*"}
    )
    assert (cleared.json()["country"], cleared.json()["policies"]["token_max_age_d"]) == (None, None)
    assert problem(person.post(f"{path}/delete", json={"confirm": "Old"})) == (422, "workspace.name_not_typed")
    assert person.post(f"{path}/delete", json={"confirm": "New"}).status_code == 204
    assert problem(person.get(path)) == (404, "not_found")


@pytest.mark.parametrize(
    "change",
    [{"name": ""}, {"country": "XX"}, {"policies": {"ip_allowlist": ["10.0.0.1/8"]}}, {"policies": {"ci_policy": "x"}}],
)
def test_settings_that_do_not_fit_are_refused(platform: RunningPlatform, person: httpx.Client, change: object) -> None:
    path = f"/workspaces/{person.get('/workspaces').json()['items'][0]['id']}"
    assert problem(person.patch(path, json=change, headers={"if-match": "*"})) == (422, "form.invalid")


def test_policies_are_for_who_may_change_them(platform: RunningPlatform, email: str) -> None:
    platform.bootstrap(email)
    viewer = viewer_of(platform, email)
    with token_client(platform, viewer, ()) as client:
        assert client.get(f"/workspaces/{viewer.workspace_id}").json()["policies"] is None
        assert [row["id"] for row in client.get("/workspaces").json()["items"]] == [viewer.workspace_id]


def test_where_nobody_sees_tokens_the_api_tells_none(platform: RunningPlatform, person: httpx.Client) -> None:
    path = f"/workspaces/{person.get('/workspaces').json()['items'][0]['id']}"
    change = {"policies": {"reveal_policy": "never"}}
    assert person.patch(path, json=change, headers={"if-match": "*"}).status_code == 200
    assert problem(person.post(f"{path}/tokens/auth/reveal", json={})) == (409, "credential.not_revealable")
    assert person.post(f"{path}/tokens/auth/reset", json={"confirm": "reset"}).json()["token"] is None
