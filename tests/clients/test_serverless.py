"""The Serverless Framework through serverless-localstack: a function and a queue, deployed and removed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.clients.tools import Tool
from tests.conftest import RunningEmulator
from tests.outside import node_programs

HERE = Path(__file__).parent

pytestmark = [pytest.mark.outside, pytest.mark.timeout(900)]


def test_a_service_is_deployed_and_removed(licensed_emulator: RunningEmulator, tmp_path: Path) -> None:
    emulator = licensed_emulator  # the framework asks ECR when it removes something, which is in the Base plan
    modules = node_programs("serverless", "serverless@3.40.0", "serverless-localstack@1.4.0")
    folder = tmp_path / "service"
    shutil.copytree(HERE / "serverless", folder)
    (folder / "node_modules").symlink_to(modules)
    own = {"PORT": str(emulator.port), "SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off"}
    serverless = Tool(modules / ".bin" / "serverless", folder, emulator, own)
    assert "deployed to stack shop-local" in serverless("deploy", "--stage", "local")
    functions = emulator.client("lambda").list_functions()["Functions"]
    assert [function["FunctionName"] for function in functions] == ["shop-local-greet"]
    assert len(emulator.client("sqs").list_queues()["QueueUrls"]) == 1
    serverless("remove", "--stage", "local")
    assert emulator.client("lambda").list_functions()["Functions"] == []
    assert "QueueUrls" not in emulator.client("sqs").list_queues()
