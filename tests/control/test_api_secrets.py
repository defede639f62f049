"""No secret that the API hands out is in the database, the log or any other answer."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.control.api import session_client, token_client, viewer_of
from tests.control.people import sequence
from tests.control.serving import RunningPlatform
from tests.control.test_secrets import everything_in

PASSWORD = "quartz orbit meadow lantern"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_server").new_database()
    variables = {"PLATFORM_API_RATE": "0", "PLATFORM_LEGACY_API_KEYS": "1", "PLATFORM_METRICS_TOKEN": "metrics-" * 4}
    running = RunningPlatform(tmp_path_factory.mktemp("control"), url, **variables)
    yield running
    running.close()


def test_what_is_told_once_is_told_once(platform: RunningPlatform) -> None:
    email = f"person{next(sequence)}@example.com"
    found = platform.bootstrap(email, password=PASSWORD)
    viewer = viewer_of(platform, email)
    mine = f"/workspaces/{viewer.workspace_id}"
    with token_client(platform, viewer) as program, session_client(platform, found) as person:
        secrets = [program.headers["authorization"].removeprefix("Bearer "), person.headers["x-csrf-token"]]
        secrets += [person.cookies["cloudlet_session"], PASSWORD, platform.settings.metrics_token, found.token]

        def told(path: str, field: str, **body: object) -> str:
            headers = {"idempotency-key": f"key-{next(sequence)}"}
            for _ in range(2):  # the second time from what was kept
                answer = person.post(f"{mine}{path}", json=body, headers=headers)
                assert answer.is_success, answer.text
            secrets.append(str(answer.json()[field]))
            return str(answer.json().get("id", ""))

        key = told("/ci-keys", "token", name="pipeline")
        told(f"/ci-keys/{key}/rotate", "token", overlap_hours=24)
        told("/api-tokens", "token", name="script", scopes=["audit.read"])
        told("/api-keys", "token", member_id=viewer.membership_id)
        hook = told("/webhooks", "secret", url="https://hooks.example.com/x", events=["*"])
        told(f"/webhooks/{hook}/secret", "secret", overlap_hours=24)
        told("/tokens/auth/reset", "token", confirm="reset")
        platform.request_license(found.token)
        platform.request_license(secrets[-1])
        shown = [httpx.get(f"{platform.url}/openapi.json").text, httpx.get(f"{platform.url}/docs/api").text]
        shown.append(httpx.get(f"{platform.url}/metrics", headers={"authorization": f"Bearer {'metrics-' * 4}"}).text)
        paths = ("", "/members", "/licenses", "/me/license", "/tokens/auth", "/tokens/devices", "/ci-keys", "/api-keys")
        more = ("/api-tokens", "/activations", "/machines", "/webhooks", "/audit", "/audit/export", "/subscription")
        for path in (*paths, *more, f"/webhooks/{hook}/deliveries", f"/ci-keys/{key}", "/usage", "/offline-files"):
            for client in (program, person):
                answer = client.get(mine + path)
                assert answer.status_code == 200, (path, answer.text)
                shown.append(answer.text)
        shown.append(program.get(mine + "/nothing").text)
        for secret in secrets[:3]:  # where they do not belong
            shown.append(httpx.get(f"{platform.url}/api/v1{mine}/members", params={"q": secret}).text)
            shown.append(person.get(f"{mine}/members/{secret}").text)
            shown.append(person.patch(f"{mine}/members/x", json={"role": secret}, headers={"if-match": "*"}).text)
    stored, printed, answers = everything_in(platform), platform.printed(), "\n".join(shown)
    for secret in secrets:
        assert len(secret) >= 10
        assert secret not in stored
        assert secret not in printed
        assert secret not in answers
    assert "route=/api/v1" in printed
