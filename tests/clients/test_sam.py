"""AWS SAM through aws-sam-cli-local: a function, a table and a queue, deployed and deleted."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.tools import Tool
from tests.conftest import RunningEmulator
from tests.outside import python_programs

HERE = Path(__file__).parent
STACK = ("--stack-name", "shop", "--region", "us-east-1")

pytestmark = [pytest.mark.outside, pytest.mark.timeout(900)]


def test_an_application_is_deployed_and_deleted(start_emulator: Callable[..., RunningEmulator], tmp_path: Path) -> None:
    programs = python_programs("sam", "aws-sam-cli==1.170.0", "aws-sam-cli-local==1.71.0")
    emulator = start_emulator()
    folder = tmp_path / "app"
    shutil.copytree(HERE / "sam", folder)
    own = {"SAM_CLI_TELEMETRY": "0", "LOCALSTACK_HOSTNAME": "localhost", "EDGE_PORT": str(emulator.port)}
    sam = Tool(programs / "samlocal", folder, emulator, own)
    quiet = ("--no-progressbar", "--no-confirm-changeset", "--resolve-s3", "--capabilities", "CAPABILITY_IAM")
    assert "Successfully created/updated stack" in sam("deploy", *STACK, *quiet)

    described = emulator.client("cloudformation").describe_stacks(StackName="shop")["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    table = emulator.client("dynamodb").describe_table(TableName=outputs["TableName"])["Table"]
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    function = emulator.client("lambda").get_function_configuration(FunctionName=outputs["FunctionName"])
    assert (function["Runtime"], function["Timeout"]) == ("python3.11", 7)
    assert function["Environment"]["Variables"] == {"STAGE": "test", "TABLE": outputs["TableName"]}
    role = function["Role"].rpartition("/")[2]
    iam = emulator.client("iam")
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole" in [
        policy["PolicyArn"] for policy in attached
    ]
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] != []

    sam("delete", *STACK, "--no-prompts")
    assert emulator.client("dynamodb").list_tables()["TableNames"] == []
    assert emulator.client("lambda").list_functions()["Functions"] == []
