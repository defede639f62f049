"""Services that the edition or the plan does not open, over the wire of every protocol family."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.activation.conftest import Emulate
from tests.activation.running import DAY, NOBODY, aged, get, keep_license, with_token
from tests.conftest import RunningEmulator

# One gated service for each family; the ec2 protocol has but EC2, which is free.
CALLS: tuple[tuple[str, str, str, dict[str, Any], str], ...] = (
    ("query", "elasticache", "describe_cache_clusters", {}, "base"),
    ("json", "ecs", "list_clusters", {}, "base"),
    ("json 1.0", "apprunner", "list_services", {}, "ultimate"),
    ("rest-json", "appconfig", "list_applications", {}, "base"),
    ("rest-xml", "cloudfront", "list_distributions", {}, "base"),
    ("cbor", "codebuild", "list_projects", {}, "base"),
)


def refusal(emulator: RunningEmulator, service: str, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        getattr(emulator.client(service), operation)(**arguments)
    return dict(caught.value.response)


def check(found: dict[str, Any], service: str, plan: str, wanted: str) -> None:
    meta = found["ResponseMetadata"]
    assert meta["HTTPStatusCode"] == 501
    assert meta["HTTPHeaders"]["x-license-reason"] == "license.entitlement"
    assert found["Error"]["Code"] == "InternalFailure"
    assert found["Error"]["Message"].startswith(
        f"The service {service} is not part of the {plan} plan; the {wanted} plan opens it. See "
    )
    assert "/docs/errors#license.entitlement" in found["Error"]["Message"]


def test_each_protocol_family_says_which_plan_opens_a_service(emulate: Emulate) -> None:
    emulator = emulate(ACTIVATE_PRO="0")
    for family, service, operation, arguments, wanted in CALLS:
        found = refusal(emulator, service, operation, arguments)
        assert found, family
        check(found, service, "community", wanted)
    assert emulator.client("sts").get_caller_identity()["Account"]
    assert get(emulator, "health")["services"]["ecs"] == "disabled"
    emulator.stop()


def test_a_plan_opens_what_it_names_and_nothing_else(tmp_path: Path, emulate: Emulate) -> None:
    keep_license(tmp_path / "volume", aged(60, plan="base", ent={"aws/community": None, "aws/ecs": None}))
    emulator = emulate(**with_token(NOBODY))
    found = refusal(emulator, "athena", "list_data_catalogs", {})
    check(found, "athena", "base", "ultimate")
    assert emulator.client("ecs").list_clusters()["clusterArns"] == []
    assert get(emulator, "licenseinfo")["entitlements"] == ["aws/community", "aws/ecs"]
    emulator.stop()


def status(emulator: RunningEmulator, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    answer = httpx.request(method, f"{emulator.url}{path}", json=body)
    return answer.status_code, answer.content


@pytest.mark.parametrize("plan", ["community", "hobby", "base"])
def test_a_plan_opens_the_features_that_it_names(tmp_path: Path, emulate: Emulate, plan: str) -> None:
    if plan == "community":
        emulator = emulate(ACTIVATE_PRO="0")
    else:
        named = {"aws/community": None} | ({"platform/pods": {"limit": 300}} if plan == "base" else {})
        keep_license(tmp_path / "volume", aged(60, plan=plan, ent=named))
        emulator = emulate(**with_token(NOBODY))
    opened = plan == "base"
    for method, path in (
        ("GET", "/_localstack/pods"),
        ("POST", "/_localstack/pods/x"),
        ("GET", "/_localstack/pods/state"),
    ):
        found = status(emulator, method, path)
        assert found[0] == 200 if opened else found == (404, b""), path
    if plan == "community":
        assert status(emulator, "GET", "/_localstack/licenseinfo") == (404, b"")
    else:
        plugins = get(emulator, "licenseinfo")["available_plugins"]
        assert ("localstack.platform.plugin/pods" in plugins) is opened
        assert "localstack.aws.provider/ecs:pro" not in plugins
        assert "localstack.aws.provider/sqs:pro" in plugins
    # what nobody needs a license for
    assert status(emulator, "PUT", "/_cloudlet/snapshots/x")[0] == 201
    assert status(emulator, "POST", "/_localstack/chaos/effects", {"latency": 0})[0] == 200
    assert status(emulator, "POST", "/_localstack/state/reset")[0] == 200
    assert status(emulator, "GET", "/_localstack/pods/environment")[0] == 200
    emulator.stop()


def test_a_window_that_ends_while_it_runs_closes_nothing(tmp_path: Path, emulate: Emulate) -> None:
    now = int(time.time())
    keep_license(tmp_path / "volume", aged(DAY, ra=now + 3, iat=now - DAY, nbf=now - DAY, win=DAY))
    emulator = emulate(**with_token(NOBODY), LICENSE_TIMEOUT="1")
    assert emulator.wait_until(lambda: get(emulator, "license")["state"] == "stale")
    assert get(emulator, "info")["is_license_activated"] is True
    assert emulator.client("ecs").list_clusters()["clusterArns"] == []
    assert emulator.wait_until(lambda: "The offline window of the license is over." in emulator.printed())
    emulator.stop()
