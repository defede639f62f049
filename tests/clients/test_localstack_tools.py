"""LocalStack's own small tools, unmodified: awslocal, tflocal, the Python SDK, and its command line's health commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.test_terraform import find_provider
from tests.clients.tools import Tool
from tests.conftest import RunningEmulator
from tests.outside import python_programs

pytestmark = [pytest.mark.outside, pytest.mark.timeout(600)]

TERRAFORM = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
resource "aws_s3_bucket" "photos" {
  bucket = "photos"
}
resource "aws_sns_topic" "news" {
  name = "news"
}
"""
SDK = """
import json, sys
from localstack.sdk.aws import AWSClient
from localstack.sdk.chaos import ChaosClient
from localstack.sdk.models import FaultRule, NetworkEffectsConfig
from localstack.sdk.state import StateClient

host, queue = sys.argv[1:]
aws, chaos, state = AWSClient(host=host), ChaosClient(host=host), StateClient(host=host)
rule = FaultRule(service="s3")
found = {
    "bodies": [message.body for message in aws.list_sqs_messages_from_queue_url(queue)],
    "texts": aws.get_sns_sms_messages().sms_messages,
    "devices": [
        message.message
        for messages in aws.get_sns_endpoint_messages().platform_endpoint_messages.values()
        for message in messages
    ],
    "mails": [(message.subject, message.body.html_part) for message in aws.get_ses_messages()],
    "rules": [made.service for made in chaos.set_fault_rules(fault_rules=[rule])],
    "rules after": chaos.delete_fault_rules(fault_rules=[rule]),
    "latency": chaos.set_network_effects(NetworkEffectsConfig(latency=3)).latency,
}
chaos.set_network_effects(NetworkEffectsConfig(latency=0))
state.reset_state()
print(json.dumps(found, default=str))
"""


def test_awslocal(emulator: RunningEmulator, tmp_path: Path, unique: Callable[..., str]) -> None:
    programs = python_programs("awslocal", "awscli-local==0.23.0", "awscli==1.46.0")
    aws = Tool(programs / "awslocal", tmp_path / "home", emulator)
    aws.variables["PATH"] = f"{programs}:{aws.variables['PATH']}"
    queue = unique("queue")
    made = json.loads(only_json(aws("sqs", "create-queue", "--queue-name", queue)))
    assert made["QueueUrl"].endswith(queue)
    bucket = unique("bucket")
    aws("s3", "mb", f"s3://{bucket}")
    (aws.folder / "note.txt").write_text("hello")
    aws("s3", "cp", "note.txt", f"s3://{bucket}/note.txt")
    assert "note.txt" in aws("s3", "ls", f"s3://{bucket}")


def test_tflocal(start_emulator: Callable[..., RunningEmulator], tmp_path: Path) -> None:
    provider = find_provider()
    programs = python_programs("tflocal", "terraform-local==0.27.0")
    emulator = start_emulator()
    settings = tmp_path / "terraform.rc"
    overrides = f'"hashicorp/aws" = "{provider}"'
    settings.write_text("provider_installation {\n  dev_overrides {\n    " + overrides + "\n  }\n  direct {}\n}\n")
    own = {"TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1", "S3_HOSTNAME": "localhost"}
    terraform = Tool(programs / "tflocal", tmp_path / "work", emulator, own)
    (terraform.folder / "main.tf").write_text(TERRAFORM)
    assert "Resources: 2 added" in terraform("apply", "-auto-approve", "-no-color")
    assert "No changes" in terraform("plan", "-no-color")
    assert [bucket["Name"] for bucket in emulator.client("s3").list_buckets()["Buckets"]] == ["photos"]
    assert "Resources: 2 destroyed" in terraform("destroy", "-auto-approve", "-no-color")


def test_the_python_sdk(start_emulator: Callable[..., RunningEmulator], tmp_path: Path) -> None:
    programs = python_programs("localstack-sdk", "localstack-sdk-python==2026.10.0")
    emulator = start_emulator()
    sqs = emulator.client("sqs")
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    sns, ses = emulator.client("sns"), emulator.client("ses")
    sns.publish(PhoneNumber="+4912345678", Message="text")
    application = sns.create_platform_application(Name="app", Platform="GCM", Attributes={"PlatformCredential": "x"})
    device = sns.create_platform_endpoint(PlatformApplicationArn=application["PlatformApplicationArn"], Token="t")
    sns.publish(TargetArn=device["EndpointArn"], Message="push")
    ses.verify_email_identity(EmailAddress="me@example.com")
    mail = {"Subject": {"Data": "hello"}, "Body": {"Text": {"Data": "t"}, "Html": {"Data": "<h>"}}}
    ses.send_email(Source="me@example.com", Destination={"ToAddresses": ["you@example.com"]}, Message=mail)
    (tmp_path / "use.py").write_text(SDK)
    python = Tool(programs / "python", tmp_path, emulator)
    found = json.loads(python("use.py", emulator.url, queue).splitlines()[-1])
    assert found["bodies"] == ["hello"]
    assert list(found["texts"]) == ["+4912345678"]
    assert (found["devices"], found["mails"]) == (["push"], [["hello", "<h>"]])
    assert (found["rules"], found["rules after"], found["latency"]) == (["s3"], [], 3)
    assert "QueueUrls" not in sqs.list_queues()


def test_the_command_line_of_localstack_sees_the_services(
    start_emulator: Callable[..., RunningEmulator], tmp_path: Path
) -> None:
    programs = python_programs("outside-client-2026.8.2", "localstack==2026.8.2")
    emulator = start_emulator()
    emulator.client("sts").get_caller_identity()
    own = {"LOCALSTACK_HOST": f"localhost:{emulator.port}", "DISABLE_EVENTS": "1", "OVERRIDE_IN_DOCKER": "0"}
    localstack = Tool(programs / "localstack", tmp_path / "home", emulator, own)
    shown = localstack("status", "services", "--format", "plain")
    assert "sts=running" in shown
    assert "s3=available" in shown


def only_json(printed: str) -> str:
    """What a tool printed, without the notice that some of them put before it."""
    return printed[printed.index("{") :]
