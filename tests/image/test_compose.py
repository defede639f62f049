"""The compose files, with a compose client over the Docker API that podman serves."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest

from tests.conftest import ROOT, free_port
from tests.image.building import POSTGRES, build_postgres
from tests.image.engine import Engine, NoEngine, poll

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]

CLIENTS = (("docker-compose",), ("docker", "compose"))


def compose_client() -> tuple[str, ...]:
    for words in CLIENTS:
        if shutil.which(words[0]) and not subprocess.run([*words, "version"], capture_output=True).returncode:
            return words
    pytest.skip("neither docker-compose nor the compose plugin of docker is installed")


def free_range(size: int) -> str:
    """Ports that nobody listens on, one after the other."""
    for first in range(20000, 32000, size):
        if all(is_free(port) for port in range(first, first + size)):
            return f"{first}-{first + size - 1}"
    raise AssertionError("there is no such range")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


class Compose:
    """A client with variables of its own; `down` is called at the end."""

    def __init__(self, engine: Engine, words: tuple[str, ...]) -> None:
        self.engine = engine
        self.words = words
        self.project = f"cloudlet{free_port()}"
        self.variables = {"GATEWAY_PORT": str(free_port()), "IMAGE_NAME": "localhost/cloudlet"}
        self.file = ""

    def __call__(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self.words, "--project-name", self.project, "--file", self.file, *words],
            env={"PATH": os.environ["PATH"], "HOME": "/tmp", "DOCKER_HOST": self.engine.socket, **self.variables},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def up(self, file: str) -> None:
        self.file = f"docker/{file}"
        self("up", "-d")

    def info(self) -> dict[str, Any]:
        def answer() -> dict[str, Any] | None:
            try:
                url = f"http://127.0.0.1:{self.variables['GATEWAY_PORT']}/_localstack/info"
                found: dict[str, Any] = httpx.get(url, trust_env=False).json()
            except httpx.TransportError:
                return None
            return found

        found: dict[str, Any] = poll(answer)
        return found


@pytest.fixture
def compose(engine: Engine, image: str) -> Iterator[Compose]:
    made = Compose(engine, compose_client())
    yield made
    if made.file:
        made("down", "--volumes", "--timeout", "5", check=False)


@pytest.fixture
def health_checks(engine: Engine) -> Iterator[None]:
    """Podman has systemd run the health checks; where there is none, this does."""
    done = threading.Event()

    def run() -> None:
        while not done.wait(1):
            for name in engine("ps", "--quiet", check=False).stdout.split():
                engine("healthcheck", "run", name, check=False)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    done.set()
    thread.join()


def test_the_emulator_alone(compose: Compose) -> None:
    compose.variables |= {"ACTIVATE_PRO": "0", "SERVICE_PORTS": free_range(50), "PERSISTENCE": "1"}
    compose.up("compose.yml")
    assert compose.info()["edition"] == "community"
    s3 = boto3.session.Session().client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{compose.variables['GATEWAY_PORT']}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    s3.create_bucket(Bucket="kept")
    compose("down")
    compose("up", "-d")
    compose.info()
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["kept"]


def test_without_a_token_it_ends_with_55(compose: Compose, engine: Engine) -> None:
    compose.variables["SERVICE_PORTS"] = free_range(50)
    compose.up("compose.yml")
    name = compose("ps", "-q", "emulator").stdout.strip()
    assert engine("wait", name).stdout.strip() == "55"


def test_the_whole_platform_starts_in_the_order_of_health(
    compose: Compose, engine: Engine, health_checks: None
) -> None:
    try:
        build_postgres(engine)
    except NoEngine as error:
        pytest.skip(str(error))
    compose.variables |= {
        "POSTGRES_IMAGE": POSTGRES,
        "DATABASE_PASSWORD": "of-the-test",
        "PLATFORM_PORT": str(free_port()),
        "PLATFORM_BOOTSTRAP_ADMIN_EMAIL": "admin@example.com",
    }
    compose.up("platform.yml")
    found = compose.info()
    assert found["edition"] == "pro"
    assert found["is_license_activated"] is True
    assert (
        httpx.get(f"http://127.0.0.1:{compose.variables['PLATFORM_PORT']}/readyz", trust_env=False).status_code == 200
    )

    token = compose("exec", "-T", "emulator", "cat", "/run/handover/token").stdout.strip()
    container = compose("ps", "-q", "emulator").stdout.strip()
    assert token
    assert token not in json.dumps(engine.inspect(container))
    again = json.loads(compose("exec", "-T", "control", "cloudlet", "--json", "admin", "bootstrap").stdout)
    assert again["data"]["created"] is False
    assert again["data"]["email"] == "admin@example.com"
