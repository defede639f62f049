"""Distributed Maps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import RunningEmulator
from tests.services.stepfunctions.conftest import Machines


def processor(states: dict[str, Any] | None = None, kind: str = "STANDARD") -> dict[str, Any]:
    states = states or {"I": {"Type": "Pass", "End": True}}
    config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
    return {"ProcessorConfig": config, "StartAt": next(iter(states)), "States": states}


def distributed(states: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    kind = fields.pop("kind", "STANDARD")
    return {"M": {"Type": "Map", "ItemProcessor": processor(states, kind), "End": True, **fields}}


ODD = {
    "C": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 1, "Next": "F"}], "Default": "S"},
    "F": {"Type": "Fail", "Error": "Mine"},
    "S": {"Type": "Succeed"},
}


@pytest.fixture
def bucket(emulator: RunningEmulator, machines: Machines) -> tuple[Any, str]:
    s3 = emulator.client("s3")
    name = machines.make({"A": {"Type": "Succeed"}}).rpartition(":")[2]
    s3.create_bucket(Bucket=name)
    return s3, name


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_each_item_is_an_execution(machines: Machines, kind: str) -> None:
    arn = machines.make(distributed(kind=kind, Label="mine", MaxConcurrency=2))
    execution = machines.start(arn, [1, 2, 3])
    assert json.loads(machines.ended(execution)["output"]) == [1, 2, 3]
    assert machines.types(execution) == [
        "ExecutionStarted",
        "MapStateEntered",
        "MapStateStarted",
        "MapRunStarted",
        "MapRunSucceeded",
        "MapStateSucceeded",
        "MapStateExited",
        "ExecutionSucceeded",
    ]
    runs = machines.client.list_map_runs(executionArn=execution)["mapRuns"]
    assert len(runs) == 1
    assert runs[0]["stateMachineArn"] == arn + "/mine"
    found = machines.client.describe_map_run(mapRunArn=runs[0]["mapRunArn"])
    assert (found["status"], found["maxConcurrency"]) == ("SUCCEEDED", 2)
    assert found["itemCounts"]["succeeded"] == found["executionCounts"]["total"] == 3
    children = machines.client.list_executions(mapRunArn=runs[0]["mapRunArn"])["executions"]
    assert len(children) == 3
    assert all(child["stateMachineArn"] == arn + "/mine" for child in children)
    assert len(machines.client.list_executions(stateMachineArn=arn)["executions"]) == 1


def test_items_come_in_batches(machines: Machines) -> None:
    batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"s.$": "$.s"}}
    output = machines.output(distributed(ItemsPath="$.list", ItemBatcher=batcher), {"list": [1, 2, 3], "s": "x"})
    assert output == [{"Items": [1, 2], "BatchInput": {"s": "x"}}, {"Items": [3], "BatchInput": {"s": "x"}}]


def test_failure_of_a_child_fails_the_run(machines: Machines) -> None:
    execution = machines.start(machines.make(distributed(ODD)), [0, 1])
    ended = machines.ended(execution)
    assert ended["error"] == "States.ExceedToleratedFailureThreshold"
    assert ended["cause"] == "The specified tolerated failure threshold was exceeded"
    assert machines.types(execution)[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]
    run = machines.client.list_map_runs(executionArn=execution)["mapRuns"][0]["mapRunArn"]
    assert machines.client.describe_map_run(mapRunArn=run)["status"] == "FAILED"


@pytest.mark.parametrize("tolerated", [{"ToleratedFailureCount": 1}, {"ToleratedFailurePercentage": 50}])
def test_tolerated_failures_leave_no_result(machines: Machines, tolerated: dict[str, Any]) -> None:
    assert machines.output(distributed(ODD, **tolerated), [0, 1]) == [0]


def test_items_are_read_from_a_bucket(machines: Machines, bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    s3.put_object(Bucket=name, Key="list.json", Body=b'[{"a": 1}, {"a": 2}]')
    s3.put_object(Bucket=name, Key="list.csv", Body=b"x,y\n1,2\n3\n")
    s3.put_object(Bucket=name, Key="list.jsonl", Body=b'{"a": 1}\n\n{"a": 2}\n')

    def read(key: str, **config: Any) -> Any:
        reader = {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": config,
            "Parameters": {"Bucket": name, "Key": key},
        }
        return machines.output(distributed(ItemReader=reader))

    assert read("list.json", InputType="JSON") == [{"a": 1}, {"a": 2}]
    assert read("list.json", InputType="JSON", MaxItems=1) == [{"a": 1}]
    assert read("list.csv", InputType="CSV", CSVHeaderLocation="FIRST_ROW") == [
        {"x": "1", "y": "2"},
        {"x": "3", "y": ""},
    ]
    assert read("list.jsonl", InputType="JSONL") == [{"a": 1}, {"a": 2}]
    reader = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": name, "Prefix": "list.j"}}
    listed = machines.output(distributed(ItemReader=reader))
    assert [entry["Key"] for entry in listed] == ["list.json", "list.jsonl"]


def test_object_that_is_not_there_fails_the_reader(machines: Machines, bucket: tuple[Any, str]) -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": bucket[1], "Key": "nope"},
    }
    error, _ = machines.failure(distributed(ItemReader=reader))
    assert error == "States.ItemReaderFailed"


def test_results_are_written_to_a_bucket(machines: Machines, bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": name, "Prefix": "out"}}
    output = machines.output(distributed(ResultWriter=writer), [1, 2])
    details = output["ResultWriterDetails"]
    manifest = json.loads(s3.get_object(Bucket=details["Bucket"], Key=details["Key"])["Body"].read())
    assert manifest["MapRunArn"] == output["MapRunArn"]
    written = s3.get_object(Bucket=name, Key=manifest["ResultFiles"]["SUCCEEDED"][0]["Key"])["Body"].read()
    assert sorted(entry["Output"] for entry in json.loads(written)) == ["1", "2"]


def test_run_that_is_not_there(machines: Machines) -> None:
    arn = "arn:aws:states:us-east-1:000000000000:mapRun:nope/x:y"
    with pytest.raises(ClientError) as raised:
        machines.client.describe_map_run(mapRunArn=arn)
    assert raised.value.response["Error"] == {"Code": "ResourceNotFound", "Message": f"Resource not found: '{arn}'"}


def test_stopping_the_execution_stops_its_children(machines: Machines) -> None:
    execution = machines.start(
        machines.make(distributed({"W": {"Type": "Wait", "Seconds": 9999, "End": True}})), [1, 2]
    )
    run = machines.until(lambda: machines.client.list_map_runs(executionArn=execution)["mapRuns"])[0]["mapRunArn"]

    def children() -> list[str]:
        return [child["status"] for child in machines.client.list_executions(mapRunArn=run)["executions"]]

    machines.until(lambda: children() == ["RUNNING"] * 2)
    machines.client.update_map_run(mapRunArn=run, maxConcurrency=5)
    machines.client.stop_execution(executionArn=execution)
    machines.until(lambda: children() == ["ABORTED"] * 2)
    assert machines.client.describe_map_run(mapRunArn=run)["status"] == "ABORTED"
    with pytest.raises(ClientError) as raised:
        machines.client.update_map_run(mapRunArn=run, maxConcurrency=5)
    assert raised.value.response["Error"]["Code"] == "ValidationException"
