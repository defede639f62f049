"""The AWS CDK through aws-cdk-local: bootstrap, deploy, change, diff, destroy of a small application."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.tools import Tool
from tests.conftest import RunningEmulator
from tests.outside import node_programs

HERE = Path(__file__).parent

pytestmark = [pytest.mark.outside, pytest.mark.timeout(900)]


def cdk_in(folder: Path, modules: Path, emulator: RunningEmulator) -> Callable[..., str]:
    """`cdk("deploy", timeout=45)` in a copy of the application; `timeout` is the queue's, in seconds."""
    shutil.copytree(HERE / "cdk", folder)
    host = f"localhost.localstack.cloud:{emulator.port}"
    own = {
        "AWS_ENDPOINT_URL": f"http://{host}",
        "AWS_ENDPOINT_URL_S3": f"http://s3.{host}",
        "CDK_DISABLE_VERSION_CHECK": "1",
        "NODE_PATH": str(modules),
        "NODE_OPTIONS": f"--require {HERE / 'names.cjs'} --no-warnings",
    }
    tool = Tool(modules / ".bin" / "cdklocal", folder, emulator, own)

    def run(*words: str, timeout: int) -> str:
        tool.variables["TIMEOUT"] = str(timeout)
        return tool(*words, "--no-notices", "--no-color")

    return run


def test_an_application_is_deployed_changed_and_destroyed(
    start_emulator: Callable[..., RunningEmulator], tmp_path: Path
) -> None:
    modules = node_programs(
        "cdk", "aws-cdk@2.1148.1", "aws-cdk-local@3.0.4", "aws-cdk-lib@2.276.0", "constructs@10.8.1"
    )
    emulator = start_emulator()
    folder = tmp_path / "app"
    cdk = cdk_in(folder, modules, emulator)
    assert "bootstrapped" in cdk("bootstrap", timeout=45)
    cdk("deploy", "--require-approval", "never", "--outputs-file", "outputs.json", timeout=45)
    outputs: dict[str, Any] = json.loads((folder / "outputs.json").read_text())["Shop"]
    assert set(outputs) == {"QueueUrl", "TopicArn", "BucketName", "TableName"}

    sqs, sns = emulator.client("sqs"), emulator.client("sns")
    sns.publish(TopicArn=outputs["TopicArn"], Message="open")
    (received,) = sqs.receive_message(QueueUrl=outputs["QueueUrl"], WaitTimeSeconds=5)["Messages"]
    assert json.loads(received["Body"])["Message"] == "open"
    emulator.client("s3").put_object(Bucket=outputs["BucketName"], Key="a", Body=b"a")
    emulator.client("s3").delete_object(Bucket=outputs["BucketName"], Key="a")
    emulator.client("dynamodb").put_item(TableName=outputs["TableName"], Item={"id": {"S": "1"}})

    assert "There were no differences" in cdk("diff", timeout=45)
    assert "VisibilityTimeout" in cdk("diff", timeout=90)
    cdk("deploy", "--require-approval", "never", timeout=90)
    attributes = sqs.get_queue_attributes(QueueUrl=outputs["QueueUrl"], AttributeNames=["VisibilityTimeout"])
    assert attributes["Attributes"] == {"VisibilityTimeout": "90"}
    empty_bucket(emulator.client("s3"), outputs["BucketName"])
    assert "destroyed" in cdk("destroy", "--force", timeout=90)
    assert not emulator.client("dynamodb").list_tables()["TableNames"]
    assert not sqs.list_queues().get("QueueUrls")


def empty_bucket(s3: Any, name: str) -> None:
    listed = s3.list_object_versions(Bucket=name)
    for version in listed.get("Versions", []) + listed.get("DeleteMarkers", []):
        s3.delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])
