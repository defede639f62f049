"""`/_cloudlet/clock` and `/_cloudlet/snapshots`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway.internal.test_localstack_endpoints import call, get

BASE = 1_800_000_000


def post(emulator: Any, path: str, body: Any = None) -> Any:
    status, answer = call(emulator, "POST", path, body)
    assert status == 200, answer
    return json.loads(answer)


def test_a_frozen_clock_stands_still_and_resumes(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator()
    assert get(emulator, "/_cloudlet/clock")["frozen"] is False
    frozen = post(emulator, "/_cloudlet/clock/freeze", {"epoch": BASE})
    assert frozen == {
        "now": "2027-01-15T08:00:00.000000Z",
        "epoch": BASE,
        "frozen": True,
        "offset_seconds": frozen["offset_seconds"],
    }
    assert get(emulator, "/_cloudlet/clock")["epoch"] == BASE
    assert post(emulator, "/_cloudlet/clock/advance", {"seconds": 60})["epoch"] == BASE + 60
    assert post(emulator, "/_cloudlet/clock/set", {"epoch": BASE})["epoch"] == BASE
    resumed = post(emulator, "/_cloudlet/clock/resume")
    assert resumed["frozen"] is False
    assert abs(resumed["offset_seconds"]) < 1


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/_cloudlet/clock/set", {}, "clock.number"),
        ("/_cloudlet/clock/set", {"epoch": "noon"}, "clock.number"),
        ("/_cloudlet/clock/set", {"epoch": 1e300}, "clock.number"),
        ("/_cloudlet/clock/advance", {"seconds": -1}, "clock.backwards"),
        ("/_cloudlet/clock/advance", [], "request.json"),
    ],
)
def test_a_clock_request_that_makes_no_sense_is_refused(emulator: Any, path: str, body: Any, code: str) -> None:
    status, answer = call(emulator, "POST", path, body)
    assert (status, json.loads(answer)["code"]) == (400, code)


def test_operations_see_the_emulators_time(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator()
    post(emulator, "/_cloudlet/clock/freeze", {"epoch": BASE})
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="frozen")
    assert s3.list_buckets()["Buckets"][0]["CreationDate"].timestamp() == BASE


@pytest.mark.parametrize("persistence", ["0", "1"])
def test_a_snapshot_brings_the_whole_state_back(start_emulator: Callable[..., Any], persistence: str) -> None:
    emulator = start_emulator(PERSISTENCE=persistence)
    s3, sqs = emulator.client("s3"), emulator.client("sqs")
    s3.create_bucket(Bucket="kept")
    body = b"x" * 200_000
    s3.put_object(Bucket="kept", Key="large", Body=body)
    url = sqs.create_queue(QueueName="kept")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="kept")
    status, saved = call(emulator, "PUT", "/_cloudlet/snapshots/before")
    assert status == 201
    assert json.loads(saved)["name"] == "before"

    s3.delete_object(Bucket="kept", Key="large")
    s3.delete_bucket(Bucket="kept")
    sqs.delete_queue(QueueUrl=url)
    s3.create_bucket(Bucket="new")
    assert post(emulator, "/_cloudlet/snapshots/before/restore") == {"restored": "before"}

    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["kept"]
    assert s3.get_object(Bucket="kept", Key="large")["Body"].read() == body
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "kept"
    assert [entry["name"] for entry in get(emulator, "/_cloudlet/snapshots")["snapshots"]] == ["before"]
    assert call(emulator, "DELETE", "/_cloudlet/snapshots/before")[0] == 204
    assert get(emulator, "/_cloudlet/snapshots")["snapshots"] == []


def test_an_unknown_snapshot_is_404_and_a_bad_name_400(emulator: Any) -> None:
    assert call(emulator, "POST", "/_cloudlet/snapshots/nothing/restore")[0] == 404
    assert call(emulator, "DELETE", "/_cloudlet/snapshots/nothing")[0] == 404
    assert call(emulator, "PUT", "/_cloudlet/snapshots/..%2Fup")[0] == 400
