"""How Testcontainers' modules start an emulator: each module's contract replayed, and the Python module itself.

The contracts are those of the modules' documentation: Java replaces the entrypoint and waits for `Ready.` in the log,
Go and .NET ask the health endpoint, Node and Python read the log.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import httpx
import pytest

from tests.conftest import ROOT
from tests.image.conftest import Start
from tests.image.engine import Container, Engine, poll

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]

VERSION = "4.15.0"
FOLDER = ROOT / ".cache" / f"testcontainers-{VERSION}"
SCRIPT = "/testcontainers_start.sh"
LOOP = f"while [ ! -f {SCRIPT} ]; do sleep 0.1; done; {SCRIPT}"
JAVA_READY = re.compile(r".*Ready\.\n")
LABELS = "-l org.testcontainers=true -l org.testcontainers.lang=java -l org.testcontainers.sessionId=0"
USE = """
import sys
from testcontainers.community.localstack import LocalStackContainer

with LocalStackContainer(image=sys.argv[1], region_name="us-east-1").with_env("ACTIVATE_PRO", "0").with_services("s3", "sqs") as emulator:
    client = emulator.get_client("s3")
    client.create_bucket(Bucket="photos")
    client.put_object(Bucket="photos", Key="cat", Body=b"meow")
    assert client.get_object(Bucket="photos", Key="cat")["Body"].read() == b"meow"
    print(emulator.get_url())
"""


def usable(container: Container, access_key: str, **options: str) -> None:
    """Queue and bucket through the mapped port, as the module's clients reach it."""
    session = boto3.session.Session(access_key, "secret", region_name=options.get("region", "us-east-1"))
    url = f"http://127.0.0.1:{container.port(4566)}"
    s3 = session.client("s3", endpoint_url=url)
    s3.create_bucket(Bucket="photos")
    s3.put_object(Bucket="photos", Key="cat", Body=b"meow")
    queue = session.client("sqs", endpoint_url=url).create_queue(QueueName="orders")["QueueUrl"]
    session.client("sqs", endpoint_url=url).send_message(QueueUrl=queue, MessageBody="latte")


def test_java_replaces_the_entrypoint_and_writes_the_start_script_later(
    engine: Engine, start: Start, tmp_path: Path
) -> None:
    container = start("--entrypoint", "sh", command=("-c", LOOP), SERVICES="s3,sqs", ACTIVATE_PRO="0")
    assert container.running()
    assert container.logs() == ""
    host, port = "127.0.0.1", container.port(4566)
    lines = ["#!/bin/bash", f"export LOCALSTACK_HOST={host}:{port}"]
    lines += [f'export {name}_DOCKER_FLAGS="{LABELS}"' for name in ("LAMBDA", "ECS", "EC2", "BATCH")]
    script = tmp_path / "start.sh"
    script.write_text("\n".join([*lines, "/usr/local/bin/docker-entrypoint.sh"]) + "\n")
    script.chmod(0o777)
    engine("cp", str(script), f"{container.id}:{SCRIPT}")
    poll(lambda: JAVA_READY.findall(container.logs()))
    assert len(JAVA_READY.findall(container.logs())) == 1
    usable(container, "test")
    sqs = boto3.session.Session("test", "test", region_name="us-east-1").client(
        "sqs", endpoint_url=f"http://{host}:{port}"
    )
    assert f"{host}:{port}" in sqs.get_queue_url(QueueName="orders")["QueueUrl"]


def test_go_asks_the_health_endpoint(start: Start) -> None:
    container = start(LOCALSTACK_HOST="localhost", ACTIVATE_PRO="0")

    def healthy() -> bool:
        url = f"http://127.0.0.1:{container.port(4566)}/_localstack/health"
        try:
            return httpx.get(url, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    assert poll(healthy)
    usable(container, "test")


def test_dotnet_passes_any_token_for_tags_that_it_does_not_know(start: Start) -> None:
    container = start(LOCALSTACK_AUTH_TOKEN="any", ACTIVATE_PRO="0")
    container.wait_for("Ready.")
    usable(container, "AKIAIOSFODNN7EXAMPLE")


def test_node_reads_ready_in_the_log(start: Start) -> None:
    container = start(LOCALSTACK_HOST="localhost", LAMBDA_DOCKER_FLAGS=LABELS, ACTIVATE_PRO="0")
    container.wait_for("Ready")
    usable(container, "test")


def test_pythons_access_key_is_the_default_account(start: Start) -> None:
    container = start(SERVICES="s3,sqs,sts", AWS_DEFAULT_REGION="eu-west-1", ACTIVATE_PRO="0")
    container.wait_for("Ready.\n")
    usable(container, "testcontainers-localstack", region="us-east-1")
    session = boto3.session.Session("testcontainers-localstack", "x", region_name="eu-west-1")
    sts = session.client("sts", endpoint_url=f"http://127.0.0.1:{container.port(4566)}")
    assert sts.get_caller_identity()["Account"] == "000000000000"


@pytest.fixture(scope="module")
def python() -> Path:
    """An interpreter with testcontainers; its environment is made at the first use."""
    command = FOLDER / "bin" / "python"
    if (FOLDER / "installed").exists():
        return command
    made = subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], capture_output=True, text=True)
    if made.returncode == 0:
        words = ["-m", "pip", "install", "--quiet", f"testcontainers[localstack]=={VERSION}"]
        made = subprocess.run([str(command), *words], capture_output=True, text=True, timeout=300)
    if made.returncode != 0:
        pytest.skip(f"testcontainers=={VERSION} cannot be had from a package index: {made.stderr.strip()[-200:]}")
    (FOLDER / "installed").touch()
    return command


def test_testcontainers_itself_in_python(engine: Engine, image: str, python: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/tmp",
        "DOCKER_HOST": engine.socket,
        "TESTCONTAINERS_CONNECTION_MODE": "docker_host",  # this machine may be a container itself
        "TESTCONTAINERS_RYUK_DISABLED": "true",  # its helper's image would have to be pulled
    }
    done = subprocess.run([str(python), "-c", USE, image], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("http://")
