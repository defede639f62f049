"""`/_localstack/*` as clients that were written for LocalStack use it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

SPECIFICATION = Path(__file__).resolve().parents[3].parent / "shared" / "spec" / "localstack-openapi.yml"
INFO_KEYS = {
    "version",
    "edition",
    "is_license_activated",
    "session_id",
    "machine_id",
    "system",
    "is_docker",
    "server_time_utc",
    "uptime",
}


def call(emulator: Any, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(emulator.url + path, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def get(emulator: Any, path: str) -> Any:
    status, body = call(emulator, "GET", path)
    assert status == 200, body
    return json.loads(body)


def test_health_lists_the_services(emulator: Any) -> None:
    health = get(emulator, "/_localstack/health")
    assert set(health) == {"services", "edition", "version"} | ({"features"} & set(health))
    assert health["edition"] == "community"
    assert {"s3", "sqs", "sns", "sts", "dynamodb"} <= set(health["services"])
    assert set(health["services"].values()) <= {"available", "running", "disabled"}


def test_a_used_service_is_running(emulator: Any) -> None:
    emulator.client("sts").get_caller_identity()
    assert get(emulator, "/_localstack/health")["services"]["sts"] == "running"


def test_head_and_reload_answer(emulator: Any) -> None:
    assert call(emulator, "HEAD", "/_localstack/health") == (200, b"")
    assert "services" in get(emulator, "/_localstack/health?reload")


def test_what_is_put_to_health_is_shown(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator()
    assert call(emulator, "PUT", "/_localstack/health", {"features:initScripts": "initialized"}) == (
        200,
        b'{"status":"OK"}',
    )
    assert get(emulator, "/_localstack/health")["features"] == {"initScripts": "initialized"}


def test_an_unknown_action_is_refused(emulator: Any) -> None:
    status, body = call(emulator, "POST", "/_localstack/health", {"action": "dance"})
    assert status == 400
    assert json.loads(body)["code"] == "health.action"


def test_kill_stops_the_emulator(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator()
    assert call(emulator, "POST", "/_localstack/health", {"action": "kill"}) == (200, b"ok")
    assert emulator.process.wait(20) == 0


def test_restart_starts_it_anew(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator()
    before = get(emulator, "/_localstack/info")["session_id"]
    assert call(emulator, "POST", "/_localstack/health", {"action": "restart"}) == (200, b"ok")
    assert emulator.wait_until(lambda: get(emulator, "/_localstack/info")["session_id"] != before)


def test_info_has_exactly_the_nine_keys(emulator: Any) -> None:
    info = get(emulator, "/_localstack/info")
    assert set(info) == INFO_KEYS
    assert info["edition"] == "community"
    assert info["is_license_activated"] is False
    assert isinstance(info["uptime"], int)


def test_init_says_what_is_completed(emulator: Any) -> None:
    assert get(emulator, "/_localstack/init")["completed"] == {
        "BOOT": True,
        "START": True,
        "READY": True,
        "SHUTDOWN": False,
    }
    assert get(emulator, "/_localstack/init/ready") == {"completed": True, "scripts": []}
    assert call(emulator, "GET", "/_localstack/init/lunch")[0] == 404


def test_plugins_are_listed(emulator: Any) -> None:
    plugins = get(emulator, "/_localstack/plugins")["localstack.aws.provider"]
    assert {"name", "is_initialized", "is_loaded"} == set(plugins[0])


def test_config_is_hidden_unless_updates_are_enabled(emulator: Any) -> None:
    assert call(emulator, "GET", "/_localstack/config")[0] == 404
    assert call(emulator, "POST", "/_localstack/config", {"variable": "DEBUG", "value": 1})[0] == 404


def test_config_can_be_read_and_changed(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(ENABLE_CONFIG_UPDATES="1", LOCALSTACK_AUTH_TOKEN="ls-SecretSecret-not-shown")
    assert call(emulator, "POST", "/_localstack/config", {"variable": "DEBUG", "value": 1}) == (
        200,
        b'{"variable":"DEBUG","value":1}',
    )
    shown = get(emulator, "/_localstack/config")
    assert shown["DEBUG"] == 1
    assert shown["LOCALSTACK_AUTH_TOKEN"] == "ls-SecretSe****"
    assert call(emulator, "POST", "/_localstack/config", {"variable": "bad name", "value": 1}) == (400, b"{}")


def test_reset_forgets_everything(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator()
    emulator.client("s3").create_bucket(Bucket="to-be-forgotten")
    emulator.client("sqs").create_queue(QueueName="to-be-forgotten")
    assert call(emulator, "POST", "/_localstack/state/reset") == (200, b"")
    assert emulator.client("s3").list_buckets()["Buckets"] == []
    assert "QueueUrls" not in emulator.client("sqs").list_queues()


def test_what_is_not_there_is_404_with_an_empty_body(emulator: Any) -> None:
    assert call(emulator, "GET", "/_localstack/appinspector/status") == (404, b"")
    assert call(emulator, "DELETE", "/_localstack/health")[0] == 405


@pytest.mark.parametrize(
    "path", ["/_localstack/health", "/_localstack/info", "/_localstack/init", "/_localstack/init/{stage}"]
)
def test_answers_fit_the_published_schema(emulator: Any, path: str) -> None:
    if not SPECIFICATION.is_file():
        pytest.skip(f"the specification {SPECIFICATION.name} is not beside this checkout")
    document = yaml.safe_load(SPECIFICATION.read_text())
    operation = document["paths"][path]["get"]
    schema = operation["responses"]["200" if "200" in operation["responses"] else 200]["content"]["application/json"][
        "schema"
    ]
    answer = get(emulator, path.replace("{stage}", "start"))
    jsonschema.validate(answer, {**schema, "components": document["components"]})


def test_services_names_what_is_served(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(SERVICES="s3,sts")
    services = get(emulator, "/_localstack/health")["services"]
    assert services["sqs"] == "disabled"
    assert services["s3"] == "available"
    with pytest.raises(Exception, match="SERVICES does not name it"):
        emulator.client("sqs").list_queues()
