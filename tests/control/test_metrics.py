"""What Prometheus reads."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.control.serving import RunningPlatform


def read(platform: RunningPlatform, **headers: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = httpx.get(f"{platform.url}/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(found: dict[tuple[str, tuple[tuple[str, str], ...]], float], name: str, **labels: str) -> float:
    return found.get((name, tuple(sorted(labels.items()))), 0.0)


def test_activations_are_counted_by_their_result(platform: RunningPlatform, email: str) -> None:
    member = platform.bootstrap(email)
    before = read(platform)
    for _ in range(3):
        assert platform.request_license(member.token).status_code == 200
    assert platform.request_license(member.token, product={"name": "else"}).status_code == 403
    after = read(platform)

    def grown(result: str) -> float:
        name = "cloudlet_activations_total"
        return value(after, name, result=result) - value(before, name, result=result)

    assert (grown("ok"), grown("licensing.product.unknown")) == (3, 1)


def test_requests_are_timed_by_route_and_never_by_path(platform: RunningPlatform, email: str) -> None:
    link = platform.bootstrap(email).sign_in_link
    httpx.get(link)
    httpx.get(f"{platform.url}/nowhere/{email}")
    answer = httpx.get(f"{platform.url}/metrics").text
    assert 'route="/sign-in/link/{secret}"' in answer.replace(":str", "")
    assert link.rsplit("/", 1)[1] not in answer
    assert email not in answer


def test_seats_queues_and_connections_are_told(platform: RunningPlatform, email: str) -> None:
    before = read(platform)
    platform.bootstrap(email)
    after = read(platform)
    for name, count in (("cloudlet_seats", 5), ("cloudlet_seats_assigned", 1)):
        assert value(after, name, plan="trial") - value(before, name, plan="trial") <= count
        assert value(after, name, plan="trial") > value(before, name, plan="trial")
    assert value(after, "cloudlet_mail_waiting") >= 0
    assert value(after, "cloudlet_webhook_waiting") == 0
    assert value(after, "cloudlet_webhook_oldest_seconds") == 0
    assert sum(value(after, "cloudlet_database_connections", state=state) for state in ("used", "idle")) >= 1
    assert value(after, "process_open_fds") > 0


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "via"])
def test_what_a_proxy_forwards_is_not_this_machine(platform: RunningPlatform, header: str) -> None:
    answer = httpx.get(f"{platform.url}/metrics", headers={header: "127.0.0.1"})
    assert answer.status_code == 403


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    running = RunningPlatform(tmp_path_factory.mktemp("guarded"), PLATFORM_METRICS_TOKEN="a metrics token")
    yield running
    running.close()


def test_a_token_opens_metrics_and_nothing_else_does(guarded: RunningPlatform) -> None:
    assert httpx.get(f"{guarded.url}/metrics").status_code == 403
    assert httpx.get(f"{guarded.url}/metrics", headers={"authorization": "Bearer other"}).status_code == 403
    assert read(guarded, authorization="Bearer a metrics token", **{"x-forwarded-for": "192.0.2.1"})


def test_log_lines_have_id_route_status_and_time_as_json(tmp_path_factory: pytest.TempPathFactory) -> None:
    running = RunningPlatform(tmp_path_factory.mktemp("json"), PLATFORM_LOG_FORMAT="json")
    try:
        answer = httpx.get(f"{running.url}/sign-in")
    finally:
        running.close()
    lines = [json.loads(line) for line in running.printed().splitlines() if line.startswith("{")]
    found = next(line for line in lines if line.get("request_id") == answer.headers["x-request-id"])
    assert (found["event"], found["route"], found["status"], found["method"]) == ("request", "/sign-in", 200, "GET")
    assert found["ms"] >= 0
