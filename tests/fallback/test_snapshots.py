"""Snapshots hold the state of every service: native ones and those through moto, of one moment."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fallback.stacks import body as template
from tests.fallback.stacks import resource, settled
from tests.gateway.internal.test_localstack_endpoints import call, get

Start = Callable[..., Any]
ROLE = json.dumps({"Version": "2012-10-17", "Statement": []})


def users(emulator: Any, **options: Any) -> list[str]:
    return sorted(user["UserName"] for user in emulator.client("iam", **options).list_users()["Users"])


def restored(emulator: Any, name: str) -> None:
    status, body = call(emulator, "POST", f"/_cloudlet/snapshots/{name}/restore")
    assert (status, body) == (200, json.dumps({"restored": name}, separators=(",", ":")).encode())


@pytest.mark.parametrize("persistence", ["0", "1"])
def test_everything_is_back_after_a_restore(start_emulator: Start, persistence: str) -> None:
    emulator = start_emulator(PERSISTENCE=persistence, SNAPSHOT_FLUSH_INTERVAL="3600")
    iam, sqs, s3, ssm = (emulator.client(name) for name in ("iam", "sqs", "s3", "ssm"))
    iam.create_user(UserName="kept")
    emulator.client("iam", account="111122223333").create_user(UserName="other-account")
    queue = sqs.create_queue(QueueName="kept")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="kept")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="large", Body=b"k" * 200_000)
    ssm.put_parameter(Name="/kept", Value="before", Type="String")
    assert call(emulator, "PUT", "/_cloudlet/snapshots/before")[0] == 201

    iam.delete_user(UserName="kept")
    iam.create_user(UserName="new")
    sqs.delete_queue(QueueUrl=queue)
    s3.delete_object(Bucket="kept", Key="large")
    ssm.put_parameter(Name="/kept", Value="after", Type="String", Overwrite=True)
    emulator.client("kms").create_key()
    restored(emulator, "before")

    assert users(emulator) == ["kept"]
    assert users(emulator, account="111122223333") == ["other-account"]
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "kept"
    assert s3.get_object(Bucket="kept", Key="large")["Body"].read() == b"k" * 200_000
    assert ssm.get_parameter(Name="/kept")["Parameter"]["Value"] == "before"
    assert emulator.client("kms").list_keys()["Keys"] == []
    if persistence == "1":
        emulator.kill()
        emulator.restart()
        assert users(emulator) == ["kept"]
        assert emulator.client("kms").list_keys()["Keys"] == []


def test_a_snapshot_outlives_the_emulator(start_emulator: Start) -> None:
    emulator = start_emulator()
    emulator.client("iam").create_role(RoleName="kept", AssumeRolePolicyDocument=ROLE)
    body = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "kept"}}}}
    emulator.client("cloudformation").create_stack(StackName="kept", TemplateBody=json.dumps(body))
    assert call(emulator, "PUT", "/_cloudlet/snapshots/kept")[0] == 201
    emulator.stop()
    emulator.restart()
    restored(emulator, "kept")
    assert get(emulator, "/_localstack/health")["services"]["iam"] == "running"
    assert emulator.client("iam").get_role(RoleName="kept")["Role"]["RoleName"] == "kept"
    emulator.client("cloudformation").delete_stack(StackName="kept")
    assert "QueueUrls" not in emulator.client("sqs").list_queues()


def test_stacks_that_were_in_the_middle_of_their_work_are_rolled_back(start_emulator: Start) -> None:
    emulator = start_emulator()
    cloudformation = emulator.client("cloudformation")
    waiting = {
        "Handle": resource("CloudFormation::WaitConditionHandle"),
        "Wait": resource("CloudFormation::WaitCondition", Handle={"Ref": "Handle"}, Timeout=600),
    }
    cloudformation.create_stack(StackName="cut", TemplateBody=template(waiting))
    assert call(emulator, "PUT", "/_cloudlet/snapshots/cut")[0] == 201
    restored(emulator, "cut")
    assert settled(cloudformation, "cut")["StackStatus"] == "ROLLBACK_COMPLETE"


def test_a_snapshot_of_nothing_empties_what_was_kept(start_emulator: Start) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    assert call(emulator, "PUT", "/_cloudlet/snapshots/empty")[0] == 201
    emulator.client("iam").create_user(UserName="gone")
    emulator.stop()
    emulator.restart()
    restored(emulator, "empty")
    assert users(emulator) == []


def test_what_the_volume_has_is_saved_though_nobody_used_it_yet(start_emulator: Start) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    emulator.client("iam").create_user(UserName="kept")
    emulator.stop()
    emulator.restart()
    assert call(emulator, "PUT", "/_cloudlet/snapshots/kept")[0] == 201
    emulator.client("iam").delete_user(UserName="kept")
    restored(emulator, "kept")
    assert users(emulator) == ["kept"]


def test_a_snapshot_that_does_not_fit_changes_nothing(start_emulator: Start, tmp_path: Path) -> None:
    emulator = start_emulator(LOCALSTACK_VOLUME_DIR=str(tmp_path))
    emulator.client("iam").create_user(UserName="stays")
    emulator.client("s3").create_bucket(Bucket="gone")
    assert call(emulator, "PUT", "/_cloudlet/snapshots/odd")[0] == 201
    (tmp_path / "snapshots" / "odd" / "beside" / "iam").write_bytes(b"of another version")
    emulator.client("s3").delete_bucket(Bucket="gone")
    status, body = call(emulator, "POST", "/_cloudlet/snapshots/odd/restore")
    assert (status, json.loads(body)["code"]) == (409, "snapshot.unreadable")
    assert users(emulator) == ["stays"]
    assert emulator.client("s3").list_buckets()["Buckets"] == []
