"""What the fallback costs before its first request, keeps over a restart, and forgets at a reset."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloudlet.emulator.fallback.coverage import covered, is_installed
from cloudlet.emulator.fallback.state import StateFiles

LIBRARIES = ("moto", "botocore", "boto3", "werkzeug", "requests", "cloudpickle")


def test_nothing_of_moto_is_imported_before_it_is_needed() -> None:
    program = (
        "import sys; from cloudlet.emulator.app import create_emulator; from cloudlet.settings import read_settings\n"
        "import asyncio\n"
        "async def main():\n"
        "    emulator = create_emulator(read_settings({}))\n"
        "    emulator.dispatcher.fallback.start()\n"
        "    assert 'ec2' in set(emulator.dispatcher.fallback.names())\n"
        f"    print([name for name in {LIBRARIES!r} if name in sys.modules])\n"
        "asyncio.run(main())\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_data_names_services_and_operations() -> None:
    assert is_installed()
    assert "CreateRole" in covered()["iam"]
    assert len(covered()) > 150


def test_state_survives_a_restart(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    key = emulator.client("kms").create_key()["KeyMetadata"]["KeyId"]
    sealed = emulator.client("kms").encrypt(KeyId=key, Plaintext=b"kept")["CiphertextBlob"]
    emulator.client("iam", account="111122223333").create_user(UserName="kept")
    emulator.client("ssm").put_parameter(Name="/kept", Value="1", Type="String")
    body = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "kept"}}}}
    emulator.client("cloudformation").create_stack(StackName="kept", TemplateBody=json.dumps(body))
    emulator.stop()
    emulator.restart()
    assert emulator.client("kms").decrypt(CiphertextBlob=sealed)["Plaintext"] == b"kept"
    assert emulator.client("iam", account="111122223333").get_user(UserName="kept")["User"]["UserName"] == "kept"
    assert emulator.client("ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "1"
    emulator.client("cloudformation").delete_stack(StackName="kept")
    assert "QueueUrls" not in emulator.client("sqs").list_queues()


def test_state_is_saved_at_intervals(start_emulator: Callable[..., Any], tmp_path: Path) -> None:
    emulator = start_emulator(PERSISTENCE="1", SNAPSHOT_FLUSH_INTERVAL="1", LOCALSTACK_VOLUME_DIR=str(tmp_path))
    emulator.client("iam").create_user(UserName="kept")
    assert emulator.wait_until((tmp_path / "state" / "fallback" / "iam.pickle").is_file)
    emulator.kill()
    emulator.restart()
    assert emulator.client("iam").get_user(UserName="kept")["User"]["UserName"] == "kept"


def test_reset_forgets(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    emulator.client("iam").create_user(UserName="gone")
    emulator.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    with urllib.request.urlopen(f"{emulator.url}/_localstack/state/reset", data=b"", timeout=30) as answer:
        assert answer.status == 200
    assert emulator.client("iam").list_users()["Users"] == []
    assert len(emulator.client("ec2").describe_vpcs()["Vpcs"]) == 1


def test_a_state_that_cannot_be_written_is_named_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def dump(state: Any) -> bytes:
        if state is None:
            raise TypeError("cannot pickle a socket")
        return bytes(state)

    files = StateFiles(tmp_path)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            outcome = files.save([("good", b"1"), ("bad", None), ("worse", None)], dump)
    assert outcome == {
        "good": "",
        "bad": "TypeError: cannot pickle a socket",
        "worse": "TypeError: cannot pickle a socket",
    }
    (warning,) = caplog.messages
    assert "the state of bad, worse cannot be kept" in warning
    assert files.names() == ["good"]
    files.forget()
    assert files.names() == []


def test_a_state_of_another_version_is_left_out(start_emulator: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "state" / "fallback"
    folder.mkdir(parents=True)
    (folder / "iam.pickle").write_bytes(b"nonsense")
    emulator = start_emulator(PERSISTENCE="1", LOCALSTACK_VOLUME_DIR=str(tmp_path))
    assert emulator.client("iam").list_users()["Users"] == []
    assert "the saved state of iam cannot be read" in emulator.printed()


def test_eager_loading_loads_what_services_names(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(SERVICES="iam,sqs", EAGER_SERVICE_LOADING="1")
    with urllib.request.urlopen(f"{emulator.url}/_localstack/health", timeout=30) as answer:
        states = json.load(answer)["services"]
    assert (states["iam"], states["sqs"], states["ec2"]) == ("running", "running", "disabled")
