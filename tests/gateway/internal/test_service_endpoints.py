"""Internal endpoints of single services, methods that are not allowed, and the page that lists every route."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from cloudlet.emulator.gateway.internal.routes import ROUTES, failure
from cloudlet.emulator.kernel.errors import UnmodelledError
from tests.gateway.internal.test_localstack_endpoints import call, get
from tests.gateway.internal.test_state_endpoints import check

PAGE = Path(__file__).resolve().parents[3] / "docs" / "internal-api.md"


def test_expired_items_are_deleted_at_once(emulator: Any) -> None:
    dynamodb = emulator.client("dynamodb")
    dynamodb.create_table(
        TableName="expired-at-once",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.update_time_to_live(
        TableName="expired-at-once", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
    )
    past = str(int(get(emulator, "/_cloudlet/clock")["epoch"]) - 60)
    dynamodb.put_item(TableName="expired-at-once", Item={"id": {"S": "old"}, "until": {"N": past}})
    dynamodb.put_item(TableName="expired-at-once", Item={"id": {"S": "new"}})
    status, body = call(emulator, "DELETE", "/_aws/dynamodb/expired")
    assert status == 200
    assert set(json.loads(body)) == {"ExpiredItems"}
    assert json.loads(body)["ExpiredItems"] >= 0
    assert [item["id"]["S"] for item in dynamodb.scan(TableName="expired-at-once")["Items"]] == ["new"]


def test_iam_config_promises_no_enforcement(emulator: Any) -> None:
    config = get(emulator, "/_aws/iam/config")
    assert config == {"state": "DISABLED", "config_enforce_iam": False, "config_iam_soft_mode": False}
    check(config, "/_aws/iam/config")
    assert call(emulator, "POST", "/_aws/iam/config", {"state": "DISABLED"})[0] == 200


@pytest.mark.parametrize(("state", "code"), [("ENFORCED", "iam.not-enforced"), ("LOUD", "iam.state"), (1, "iam.state")])
def test_another_state_of_iam_is_refused(emulator: Any, state: Any, code: str) -> None:
    status, body = call(emulator, "POST", "/_aws/iam/config", {"state": state})
    assert (status, json.loads(body)["code"]) == (400, code)


def test_the_environment_of_pods_is_told(emulator: Any) -> None:
    environment = get(emulator, "/_localstack/pods/environment")
    assert set(environment) == {"localstack_version", "localstack_ext_version", "moto_ext_version", "pro"}
    check(environment, "/_localstack/pods/environment")


@pytest.mark.parametrize("path", ["pods", "pods/x/versions", "replicator/jobs", "appinspector/v1/traces", "nothing"])
def test_a_missing_feature_is_404_without_a_body(emulator: Any, path: str) -> None:
    assert call(emulator, "GET", f"/_localstack/{path}") == (404, b"")


@pytest.mark.parametrize(
    ("path", "allowed"), [("/_localstack/state/s3/reset", "POST"), ("/_cloudlet/snapshots/x", "DELETE, PUT")]
)
def test_a_method_that_is_not_allowed_is_405(emulator: Any, path: str, allowed: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(emulator.url + path)
    with caught.value as answer:
        assert (answer.code, answer.headers["Allow"]) == (405, allowed)


def test_the_page_names_every_route() -> None:
    page = PAGE.read_text()
    missing = [path for _method, path, _endpoint in ROUTES if path not in page]
    assert missing == []


def test_data_points_of_cloudwatch_can_be_read(start_emulator: Any) -> None:
    emulator = start_emulator()
    data = {"MetricName": "load", "Dimensions": [{"Name": "host", "Value": "a"}]}
    points = [{**data, "Value": 1.5}, {**data, "Value": 2.0}]
    emulator.client("cloudwatch").put_metric_data(Namespace="mine", MetricData=points)
    answer = get(emulator, "/_aws/cloudwatch/metrics/raw")
    check(answer, "/_aws/cloudwatch/metrics/raw")
    assert [(point["ns"], point["n"], point["v"]) for point in answer["metrics"]] == [
        ("mine", "load", "1.5"),
        ("mine", "load", 2),
    ]
    assert answer["metrics"][0]["d"] == [{"n": "host", "v": "a"}]


def test_numbers_that_opted_out_are_listed(emulator: Any) -> None:
    answer = get(emulator, "/_aws/sns/phone-opt-outs?accountId=999900001111&region=eu-west-1")
    assert answer == {"phone_opt_outs": [], "region": "eu-west-1"}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (UnmodelledError("QueueDoesNotExist", "no queue", 400), 400, "request.invalid"),
        (UnmodelledError("InternalFailure", "", 500), 500, "internal"),
        (LookupError("a fault of ours"), 500, "internal"),
    ],
)
def test_whatever_an_endpoint_raises_is_an_answer(error: Exception, status: int, code: str) -> None:
    answer = failure(error)
    assert (answer.status, json.loads(answer.body)["code"]) == (status, code)
