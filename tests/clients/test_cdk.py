"""The AWS CDK through aws-cdk-local: bootstrap, deploy, change, diff, destroy of a small application."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RunningEmulator
from tests.outside import node_programs

HERE = Path(__file__).parent
LIMIT_SECONDS = 240

pytestmark = [pytest.mark.outside, pytest.mark.timeout(900)]


class Cdk:
    """`cdklocal …` in a copy of the application, as somebody with the CDK and aws-cdk-local installed runs it."""

    def __init__(self, modules: Path, folder: Path, emulator: RunningEmulator) -> None:
        shutil.copytree(HERE / "cdk", folder)
        host = f"localhost.localstack.cloud:{emulator.port}"
        self.folder = folder
        self.program = modules / ".bin" / "cdklocal"
        self.variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": f"http://{host}",
            "AWS_ENDPOINT_URL_S3": f"http://s3.{host}",
            "CDK_DISABLE_VERSION_CHECK": "1",
            "NODE_PATH": str(modules),
            "NODE_OPTIONS": f"--require {HERE / 'names.cjs'} --no-warnings",
        }

    def __call__(self, *words: str, timeout: int) -> str:
        """What it printed; `timeout` is the queue's, in seconds. A failure of the program fails the test."""
        done = subprocess.run(
            [str(self.program), *words, "--no-notices", "--no-color"],
            cwd=self.folder,
            env=self.variables | {"TIMEOUT": str(timeout)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


def test_an_application_is_deployed_changed_and_destroyed(
    start_emulator: Callable[..., RunningEmulator], tmp_path: Path
) -> None:
    modules = node_programs(
        "cdk", "aws-cdk@2.1148.1", "aws-cdk-local@3.0.4", "aws-cdk-lib@2.276.0", "constructs@10.8.1"
    )
    emulator = start_emulator()
    cdk = Cdk(modules, tmp_path / "app", emulator)
    assert "bootstrapped" in cdk("bootstrap", timeout=45)
    cdk("deploy", "--require-approval", "never", "--outputs-file", "outputs.json", timeout=45)
    outputs: dict[str, Any] = json.loads((cdk.folder / "outputs.json").read_text())["Shop"]
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
