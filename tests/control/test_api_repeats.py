"""The same request, sent again: it happens once, and the answer is that of the first time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import update

from cloudlet.control.limits.service import forget
from cloudlet.control.limits.tables import IdempotencyKey
from cloudlet.control.viewer import Viewer
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
        client.base_url = httpx.URL(f"{client.base_url}workspaces/{admin.workspace_id}")
        yield client


def create(client: httpx.Client, key: str, **body: object) -> httpx.Response:
    return client.post("/ci-keys", json={"name": "pipeline", **body}, headers={"idempotency-key": key})


def count(client: httpx.Client) -> int:
    return len(client.get("/ci-keys").json()["items"])


def test_a_repetition_gets_the_first_answer_with_its_secret(client: httpx.Client) -> None:
    key = f"key-{next(sequence)}"
    first, second = create(client, key), create(client, key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert count(client) == 1


def test_how_the_same_body_is_written_does_not_matter(client: httpx.Client) -> None:
    key = f"key-{next(sequence)}"
    first = create(client, key, days=0)
    headers = {"idempotency-key": key, "content-type": "application/json"}
    second = client.post("/ci-keys", content=b'{"days": 0,\n "name": "pipeline"}', headers=headers)
    assert first.json() == second.json()


def test_a_key_is_for_one_request(client: httpx.Client) -> None:
    key = f"key-{next(sequence)}"
    made = create(client, key)
    assert problem(create(client, key, name="other")) == (422, "idempotency.reused")
    path = f"/ci-keys/{made.json()['id']}/rotate"
    assert problem(client.post(path, json={}, headers={"idempotency-key": key})) == (422, "idempotency.reused")
    assert count(client) == 1


def test_somebody_elses_key_is_another_key(platform: RunningPlatform, client: httpx.Client, admin: Viewer) -> None:
    key = f"key-{next(sequence)}"
    first = create(client, key)
    with token_client(platform, admin) as other:
        other.base_url = client.base_url
        assert create(other, key).json()["id"] != first.json()["id"]


def test_a_refused_request_leaves_its_key_free(client: httpx.Client) -> None:
    key = f"key-{next(sequence)}"
    assert problem(create(client, key, name=" ")) == (422, "form.invalid")
    assert create(client, key).status_code == 201


def test_of_many_at_once_one_runs(client: httpx.Client) -> None:
    key = f"key-{next(sequence)}"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: create(client, key), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert count(client) == 1


def test_after_a_day_a_key_is_new_again(platform: RunningPlatform, client: httpx.Client) -> None:
    key = f"key-{next(sequence)}"
    create(client, key)
    with platform.database.transaction() as session:
        session.execute(
            update(IdempotencyKey).where(IdempotencyKey.key == key).values(expires_at=platform.platform.now())
        )
    assert "idempotent-replayed" not in create(client, key).headers
    assert count(client) == 2
    forget(platform.database, platform.platform)


@pytest.mark.parametrize("key", ["x" * 256, "with space"])
def test_a_key_that_is_none_is_refused(client: httpx.Client, key: str) -> None:
    assert problem(create(client, key)) == (400, "query.invalid")
