"""`cloudlet start --docker` and the commands about its container, over the Docker API that podman serves."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import CommandLine
from tests.control.serving import RunningPlatform
from tests.image.conftest import ControlPlane
from tests.image.engine import Engine, poll

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]


@pytest.fixture
def cloudlet(engine: Engine, image: str, tmp_path: Path) -> Iterator[CommandLine]:
    line = CommandLine(tmp_path)
    line.variables |= {
        "DOCKER_HOST": engine.socket,
        "IMAGE_NAME": image,
        "MAIN_CONTAINER_NAME": f"cloudlet-{line.port}",
        "ACTIVATE_PRO": "0",
        # podman's own client, which `ssh` becomes, finds the same settings as the service
        "CONTAINERS_CONF": engine.environment["CONTAINERS_CONF"],
    }
    yield line
    line.clean_up()
    engine("rm", "--force", "--time=0", line.variables["MAIN_CONTAINER_NAME"], check=False)


def licensed(cloudlet: CommandLine, control: ControlPlane) -> None:
    """As somebody works whose control plane is on another machine: here, on the containers' network."""
    del cloudlet.variables["ACTIVATE_PRO"]
    cloudlet.variables |= {"API_ENDPOINT": control.variables["API_ENDPOINT"], "MAIN_DOCKER_NETWORK": control.network}


def test_from_start_to_stop_in_the_background(cloudlet: CommandLine, engine: Engine) -> None:
    name = cloudlet.variables["MAIN_CONTAINER_NAME"]
    started = cloudlet("start", "--docker", "-d", "--json", "-e", "DEBUG=1")
    assert started.code == 0, started.out + started.err
    assert started.json["data"]["container"] == name
    assert started.json["data"]["edition"] == "community"
    found = httpx.get(f"{cloudlet.url}/_localstack/info", trust_env=False).json()
    assert found["is_docker"] is True

    again = cloudlet("start", "--docker", "-d")
    assert again.code == 1
    assert f"The container {name} runs already." in again.err

    status = cloudlet("status", "docker", "--format=json").json
    assert (status["running"], status["container"], status["state"]) == (True, name, "running")
    assert f"127.0.0.1:{cloudlet.port}->{cloudlet.port}/tcp" in status["ports"]
    assert "Ready.\n" in cloudlet("logs").out
    assert cloudlet("logs", "-n", "1").out.count("\n") == 1
    assert cloudlet("ssh", "--", "printenv", "DEBUG").out == "1\n"
    assert cloudlet("ssh", "--", "sh", "-c", "exit 7").code == 7

    restarted = cloudlet("restart")
    assert restarted.code == 0, restarted.err
    assert cloudlet("logs").out.count("Ready.\n") == 2

    assert cloudlet("stop").out == f"Stopped container {name}\n"
    assert engine("container", "exists", name, check=False).returncode == 1
    assert cloudlet("status").code == 1
    assert cloudlet("stop").code == 1


def test_the_stored_token_reaches_the_container_as_a_file(
    cloudlet: CommandLine, control: ControlPlane, engine: Engine
) -> None:
    licensed(cloudlet, control)
    name = cloudlet.variables["MAIN_CONTAINER_NAME"]
    assert cloudlet("auth", "set-token", control.token).code == 0
    started = cloudlet("start", "--docker", "-d", "--json")
    assert started.code == 0, started.out + started.err
    assert started.json["data"]["is_license_activated"] is True

    assert control.token not in json.dumps(engine.inspect(name))
    secret = next(cloudlet.home.rglob("run/token*"))
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert "LOCALSTACK_AUTH_TOKEN_FILE=/run/secrets/localstack-auth-token" in engine.inspect(name)["Config"]["Env"]
    kept = cloudlet.home / ".local/state/cloudlet/volume/cache/license.json"
    assert kept.is_file()
    assert cloudlet("stop").code == 0
    assert not secret.exists()

    # The license that the first start left on this machine opens the next one, without the control plane.
    cloudlet.variables["API_ENDPOINT"] = "http://nowhere.invalid/v1"
    again = cloudlet("start", "--docker", "-d", "--json")
    assert again.code == 0, again.out + again.err
    assert again.json["data"]["is_license_activated"] is True
    assert "Successfully activated cached license" in cloudlet("logs").out
    assert cloudlet("stop").code == 0

    # Also in a volume of the user's own, into which it is mounted.
    again = cloudlet("start", "--docker", "-d", "--json", "-v", f"{name}:/var/lib/localstack")
    assert again.code == 0, again.out + again.err
    assert again.json["data"]["is_license_activated"] is True
    assert "/etc/localstack/conf.d/license.json" in cloudlet("logs").out
    assert cloudlet("stop").code == 0
    engine("volume", "rm", "--force", name)


def test_a_control_plane_of_this_machine_alone_is_asked_from_here(
    cloudlet: CommandLine, tmp_path: Path, engine: Engine
) -> None:
    """It listens on 127.0.0.1, where no container reaches it."""
    del cloudlet.variables["ACTIVATE_PRO"]
    folder = tmp_path / "control"
    folder.mkdir()
    platform = RunningPlatform(folder)
    try:
        cloudlet.variables["API_ENDPOINT"] = f"{platform.url}/v1"
        token = platform.bootstrap().token
        assert cloudlet("auth", "set-token", token).code == 0
        started = cloudlet("start", "--docker", "-d", "--json")
        assert started.code == 0, started.out + started.err
        assert started.json["data"]["is_license_activated"] is True
        here = engine.inspect(cloudlet.variables["MAIN_CONTAINER_NAME"])["Config"]["Env"]
        assert f"API_ENDPOINT=http://host.docker.internal:{platform.port}/v1" in here
        assert cloudlet("stop").code == 0
    finally:
        platform.close()


def test_a_license_that_is_refused_is_told_with_its_exit_code(cloudlet: CommandLine) -> None:
    cloudlet.variables["ACTIVATE_PRO"] = "1"
    started = cloudlet("start", "--docker", "-d")
    assert started.code == 55
    assert "License activation failed!" in started.err
    assert cloudlet("status", "docker", "--format=json").json["container"] is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_it_prints_its_log_until_it_is_stopped(
    cloudlet: CommandLine, engine: Engine, number: signal.Signals
) -> None:
    process = cloudlet.start("start", "--docker")
    assert process.stdout is not None
    assert "in container" in process.stdout.readline()
    printed = ""
    while "Ready.\n" not in printed:
        line = process.stdout.readline()
        assert line, printed
        printed += line
    process.send_signal(number)
    assert process.wait(120) == 0
    name = cloudlet.variables["MAIN_CONTAINER_NAME"]
    assert engine("container", "exists", name, check=False).returncode == 1


def test_folders_ports_and_variables_are_handed_over(cloudlet: CommandLine, tmp_path: Path) -> None:
    scripts = tmp_path / "init"
    scripts.mkdir()
    (scripts / "make.sh").write_text("#!/bin/bash\nawslocal sqs create-queue --queue-name orders\n")
    (scripts / "make.sh").chmod(0o755)
    other = cloudlet.web_port
    cloudlet.variables["SERVICES"] = "sqs"
    cloudlet.variables["DOCKER_FLAGS"] = "-e GREETING=hello"
    folder = f"{scripts}:/etc/localstack/init/ready.d:ro"
    started = cloudlet("start", "--docker", "-d", "-v", folder, "-p", f"{other}:{cloudlet.port}", "-e", "LS_LOG")
    assert started.code == 0, started.out + started.err
    services = httpx.get(f"http://127.0.0.1:{other}/_localstack/health", trust_env=False).json()["services"]
    assert services["s3"] == "disabled"
    listed = cloudlet("ssh", "--", "awslocal", "sqs", "list-queues")
    assert "orders" in listed.out, listed.err
    assert cloudlet("ssh", "--", "printenv", "GREETING").out == "hello\n"


def test_what_the_engine_lacks_is_named(cloudlet: CommandLine) -> None:
    missing = cloudlet("start", "--docker", "-d", "--network", "no-such-network")
    assert missing.code == 1
    assert "There is no network 'no-such-network'." in missing.err
    cloudlet.variables["IMAGE_NAME"] = "localhost/no-such-image:1"
    missing = cloudlet("start", "--docker", "-d")
    assert missing.code == 1
    assert "localhost/no-such-image:1" in missing.err
    assert "without --docker" in missing.err


def test_a_shell_is_the_clients_own(cloudlet: CommandLine) -> None:
    assert cloudlet("start", "--docker", "-d").code == 0
    done = subprocess.run(
        [str(Path(sys.executable).with_name("cloudlet")), "ssh"],
        env=cloudlet.variables,
        input="echo in $MAIN_CONTAINER_NAME\nexit 3\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == f"in {cloudlet.variables['MAIN_CONTAINER_NAME']}\n", done.stderr
    assert done.returncode == 3


def test_a_container_that_was_removed_by_hand_is_forgotten(cloudlet: CommandLine, engine: Engine) -> None:
    assert cloudlet("start", "--docker", "-d").code == 0
    engine("rm", "--force", "--time=0", cloudlet.variables["MAIN_CONTAINER_NAME"])
    assert cloudlet("stop").code == 1
    assert poll(lambda: cloudlet("start", "--docker", "-d").code == 0)
