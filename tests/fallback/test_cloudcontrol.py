"""The Cloud Control API: resources of CloudFormation's types without a stack."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.activation.running import licensed
from tests.conftest import RunningEmulator
from tests.fallback.stacks import refusal

Client = Callable[..., Any]
Unique = Callable[..., str]
BUCKET = "AWS::S3::Bucket"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """One whose license opens the Cloud Control API."""
    folder = tmp_path_factory.mktemp("cloudcontrol")
    running = RunningEmulator(folder / "output.log", **licensed(folder / "volume"))
    yield running
    running.stop()


def state(control: Any, event: dict[str, Any]) -> dict[str, Any]:
    token = event["ProgressEvent"]["RequestToken"]
    found: dict[str, Any] = control.get_resource_request_status(RequestToken=token)["ProgressEvent"]
    return found


def test_a_resource_is_made_changed_and_deleted(client: Client, unique: Unique) -> None:
    name, control = unique("bucket"), client("cloudcontrol")
    made = control.create_resource(TypeName=BUCKET, DesiredState=json.dumps({"BucketName": name}))
    assert made["ProgressEvent"]["OperationStatus"] == "IN_PROGRESS"
    done = state(control, made)
    assert (done["OperationStatus"], done["Identifier"]) == ("SUCCESS", name)
    client("s3").head_bucket(Bucket=name)
    found = control.get_resource(TypeName=BUCKET, Identifier=name)["ResourceDescription"]
    assert json.loads(found["Properties"])["Arn"] == f"arn:aws:s3:::{name}"
    assert name in [entry["Identifier"] for entry in control.list_resources(TypeName=BUCKET)["ResourceDescriptions"]]

    patch = [{"op": "add", "path": "/Tags", "value": [{"Key": "team", "Value": "blue"}]}]
    changed = control.update_resource(TypeName=BUCKET, Identifier=name, PatchDocument=json.dumps(patch))
    assert state(control, changed)["OperationStatus"] == "SUCCESS"
    assert client("s3").get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "team", "Value": "blue"}]
    rename = json.dumps([{"op": "replace", "path": "/BucketName", "value": "other"}])
    said = refusal(control.update_resource, TypeName=BUCKET, Identifier=name, PatchDocument=rename)
    assert "createOnlyProperties [/properties/BucketName] cannot be updated" in said

    gone = control.delete_resource(TypeName=BUCKET, Identifier=name)
    assert state(control, gone)["OperationStatus"] == "SUCCESS"
    said = refusal(control.get_resource, TypeName=BUCKET, Identifier=name)
    assert said.startswith("ResourceNotFoundException")
    listed = control.list_resource_requests(ResourceRequestStatusFilter={"Operations": ["DELETE"]})
    assert name in [event.get("Identifier") for event in listed["ResourceRequestStatusSummaries"]]


def test_what_cannot_be_made_says_why(client: Client, unique: Unique) -> None:
    name, control = unique("bucket"), client("cloudcontrol")
    wanted = {"TypeName": BUCKET, "DesiredState": json.dumps({"BucketName": name})}
    first = control.create_resource(**wanted, ClientToken=name)
    again = control.create_resource(**wanted, ClientToken=name)
    assert again["ProgressEvent"]["RequestToken"] == first["ProgressEvent"]["RequestToken"]
    failed = state(control, control.create_resource(**wanted))
    assert (failed["OperationStatus"], failed["ErrorCode"]) == ("FAILED", "AlreadyExists")
    unknown = refusal(control.create_resource, TypeName="AWS::No::Such", DesiredState="{}")
    assert unknown.startswith("TypeNotFoundException")
    wrong = refusal(control.create_resource, TypeName=BUCKET, DesiredState="nonsense")
    assert wrong.startswith("InvalidRequestException")
    token = refusal(control.get_resource_request_status, RequestToken="none")
    assert token.startswith("RequestTokenNotFoundException")
    lost = state(control, control.delete_resource(TypeName=BUCKET, Identifier="nobody-has-this"))
    assert (lost["OperationStatus"], lost["ErrorCode"]) == ("FAILED", "NotFound")


def test_what_a_type_makes_of_wrong_properties_ends_the_request(client: Client) -> None:
    control = client("cloudcontrol")
    for kind, properties in (
        ("EC2::VPC", {}),
        ("EC2::VPC", {"CidrBlock": 5}),
        ("Kinesis::Stream", {"ShardCount": "x"}),
    ):
        failed = state(control, control.create_resource(TypeName=f"AWS::{kind}", DesiredState=json.dumps(properties)))
        assert (failed["OperationStatus"], failed["ErrorCode"]) == ("FAILED", "InvalidRequest")
    failed = state(control, control.create_resource(TypeName="AWS::EC2::VPC", DesiredState="{}"))
    assert failed["StatusMessage"] == "#: required key [CidrBlock] not found"


def test_what_cannot_be_changed_in_place_says_so(client: Client, unique: Unique) -> None:
    control, patch = client("cloudcontrol"), json.dumps([{"op": "add", "path": "/Description", "value": "new"}])
    bus = {"TypeName": "AWS::Events::EventBus", "DesiredState": json.dumps({"Name": unique("bus")})}
    identifier = state(control, control.create_resource(**bus))["Identifier"]
    asked = {"TypeName": bus["TypeName"], "Identifier": identifier}
    failed = state(control, control.update_resource(**asked, PatchDocument=patch))
    assert (failed["OperationStatus"], failed["ErrorCode"]) == ("FAILED", "NotUpdatable")
    wrong = json.dumps([{"op": "add", "path": 5, "value": 1}])
    assert "The patch cannot be applied" in refusal(control.update_resource, **asked, PatchDocument=wrong)
    assert state(control, control.delete_resource(**asked))["OperationStatus"] == "SUCCESS"

    made = control.create_resource(TypeName="AWS::EC2::EIP", DesiredState="{}")["ProgressEvent"]["Identifier"]
    said = refusal(control.update_resource, TypeName="AWS::EC2::EIP", Identifier=made, PatchDocument=patch)
    assert said == "UnsupportedActionException: Resource type AWS::EC2::EIP does not support UPDATE action"
