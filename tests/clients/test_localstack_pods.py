"""Cloud Pods and state files by LocalStack's own SDK and command line, unmodified."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.tools import Tool
from tests.conftest import RunningEmulator
from tests.control.serving import RunningPlatform
from tests.outside import python_programs

pytestmark = [pytest.mark.outside, pytest.mark.timeout(600)]

SDK = """
import json, sys
from localstack.sdk.pods import PodsClient
from localstack.sdk.state import StateClient

pods, state = PodsClient(host=sys.argv[1]), StateClient(host=sys.argv[1])
pods.save_pod("mine")
listed = [(pod.pod_name, pod.max_version) for pod in pods.list_pods().cloudpods]
state.reset_state()
pods.load_pod("mine")
try:
    pods.load_pod("nothing")
except Exception as error:
    refused = str(error)
print(json.dumps({"listed": listed, "refused": refused}))
"""


@pytest.fixture
def licensed(
    start_emulator: Callable[..., RunningEmulator], tmp_path: Path
) -> Iterator[tuple[RunningEmulator, dict[str, str]]]:
    """An emulator that the control plane has given a license to, and what its clients need to be told."""
    platform = RunningPlatform(tmp_path)
    variables = {"LOCALSTACK_AUTH_TOKEN": platform.bootstrap().token, "API_ENDPOINT": f"{platform.url}/v1"}
    yield start_emulator(ACTIVATE_PRO="1", **variables), variables
    platform.close()


def test_the_sdk_saves_lists_and_loads_pods(licensed: tuple[RunningEmulator, dict[str, str]], tmp_path: Path) -> None:
    emulator, variables = licensed
    programs = python_programs("localstack-sdk", "localstack-sdk-python==2026.10.0")
    emulator.client("iam").create_user(UserName="kept")
    emulator.client("sqs").create_queue(QueueName="kept")
    (tmp_path / "use.py").write_text(SDK)
    python = Tool(programs / "python", tmp_path, emulator, variables)
    found = json.loads(python("use.py", emulator.url).splitlines()[-1])
    assert found["listed"] == [["mine", 1]]
    assert "failed to get version information from platform" in found["refused"]
    assert emulator.client("iam").get_user(UserName="kept")["User"]["UserName"] == "kept"
    assert len(emulator.client("sqs").list_queues()["QueueUrls"]) == 1


def test_the_command_line_exports_and_imports_a_state(
    licensed: tuple[RunningEmulator, dict[str, str]], tmp_path: Path
) -> None:
    emulator, variables = licensed
    programs = python_programs("outside-client-2026.8.2", "localstack==2026.8.2")
    own = {
        "LOCALSTACK_HOST": f"localhost:{emulator.port}",
        "DISABLE_EVENTS": "1",
        "OVERRIDE_IN_DOCKER": "0",
        **variables,
    }
    localstack = Tool(programs / "localstack", tmp_path / "home", emulator, own)
    emulator.client("iam").create_user(UserName="kept")
    emulator.client("s3").create_bucket(Bucket="kept")
    assert "successfully exported" in localstack("state", "export", "state.zip")
    assert "successfully created" in localstack("pod", "save", "mine")
    assert "successfully reset" in localstack("state", "reset")
    assert emulator.client("iam").list_users()["Users"] == []
    assert "successfully imported" in localstack("state", "import", "state.zip")
    assert emulator.client("iam").get_user(UserName="kept")["User"]["UserName"] == "kept"
    assert [bucket["Name"] for bucket in emulator.client("s3").list_buckets()["Buckets"]] == ["kept"]
    assert "mine" in localstack("pod", "list")
    assert "AWS::S3::Bucket" in localstack("state", "inspect", "--format", "json")
    assert "deleted" in localstack("pod", "delete", "mine")
