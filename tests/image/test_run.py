"""Containers of the image, started as people start them."""

from __future__ import annotations

from pathlib import Path

import boto3
import httpx
import pytest

from tests.image.conftest import ControlPlane, Start, info
from tests.image.engine import Container, Engine, poll

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]


def s3(container: Container) -> object:
    return boto3.session.Session().client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{container.port(4566)}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def buckets(container: Container) -> list[str]:
    return [bucket["Name"] for bucket in s3(container).list_buckets()["Buckets"]]  # type: ignore[attr-defined]


def test_without_a_license_it_says_why_and_ends_with_55(start: Start) -> None:
    container = start()
    assert container.exit_code() == 55
    printed = container.logs()
    assert "License activation failed! 🔑❌" in printed
    assert "ACTIVATE_PRO=0" in printed
    assert "credentials.missing" in printed


def test_with_a_token_it_is_activated(start: Start, control: ControlPlane) -> None:
    container = start("--network", control.network, **control.variables)
    printed = container.wait_for("Ready.\n")
    assert "Successfully" in printed
    assert control.token not in printed
    found = info(container)
    assert found["edition"] == "pro"
    assert found["is_license_activated"] is True
    assert found["is_docker"] is True


def test_without_licensed_features_it_goes_on(start: Start) -> None:
    container = start(ACTIVATE_PRO="0")
    container.wait_for("Ready.\n")
    assert info(container)["edition"] == "community"
    container.execute("awslocal", "s3", "mb", "s3://photos")
    assert buckets(container) == ["photos"]


def test_the_prefix_of_variables_is_stripped(start: Start) -> None:
    container = start(LOCALSTACK_ACTIVATE_PRO="0", LOCALSTACK_SERVICES="sqs", SERVICES="s3")
    container.wait_for("Ready.\n")
    services = httpx.get(f"http://127.0.0.1:{container.port(4566)}/_localstack/health", trust_env=False).json()
    assert services["services"]["sqs"] == "available"
    assert services["services"]["s3"] == "disabled"


def test_sigterm_stops_the_first_process_cleanly(start: Start) -> None:
    container = start(ACTIVATE_PRO="0")
    container.wait_for("Ready.\n")
    assert container.stop(5) == 0


def test_a_license_in_the_volume_starts_it_without_the_control_plane(
    engine: Engine, start: Start, control: ControlPlane
) -> None:
    volume = f"license-{control.network}"
    options = ("--network", control.network, "--volume", f"{volume}:/var/lib/localstack")
    first = start(*options, **control.variables)
    assert "requested and activated" in first.wait_for("Ready.\n")
    assert first.stop() == 0

    nowhere = control.variables | {"API_ENDPOINT": "http://nowhere.invalid:4580/v1"}
    second = start(*options, **nowhere)
    assert "Successfully activated cached license" in second.wait_for("Ready.\n")
    assert info(second)["is_license_activated"] is True
    second.remove()
    first.remove()
    engine("volume", "rm", "--force", volume)


def test_state_in_the_volume_survives_the_container(engine: Engine, start: Start, network: str) -> None:
    volume = f"state-{network}"
    options = ("--volume", f"{volume}:/var/lib/localstack")
    first = start(*options, ACTIVATE_PRO="0", PERSISTENCE="1")
    first.wait_for("Ready.\n")
    s3(first).create_bucket(Bucket="kept")  # type: ignore[attr-defined]
    assert first.stop() == 0
    first.remove()
    second = start(*options, ACTIVATE_PRO="0", PERSISTENCE="1")
    second.wait_for("Ready.\n")
    assert buckets(second) == ["kept"]
    second.remove()
    engine("volume", "rm", "--force", volume)


def test_a_container_can_be_restarted(engine: Engine, start: Start) -> None:
    container = start(ACTIVATE_PRO="0", PERSISTENCE="1")
    container.wait_for("Ready.\n")
    s3(container).create_bucket(Bucket="kept")  # type: ignore[attr-defined]
    engine("restart", "--time", "5", container.id)
    poll(lambda: container.logs().count("Ready.\n") == 2)
    assert buckets(container) == ["kept"]


def test_any_user_id_works(start: Start, control: ControlPlane) -> None:
    container = start("--user", "54321:54321", "--network", control.network, **control.variables, PERSISTENCE="1")
    container.wait_for("Ready.\n")
    assert container.execute("id", "-u").stdout.strip() == "54321"
    container.execute("awslocal", "s3", "mb", "s3://photos")
    assert container.execute("test", "-d", "/var/lib/localstack/state").returncode == 0


def test_a_read_only_file_system_is_enough(start: Start, control: ControlPlane) -> None:
    options = ("--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp", "--cap-drop=ALL")
    container = start(*options, "--network", control.network, **control.variables)
    container.wait_for("Ready.\n")
    container.execute("awslocal", "s3", "mb", "s3://photos")
    container.execute("awslocal", "ec2", "describe-vpcs")  # through the fallback, which loads much more


def test_a_volume_of_somebody_else_is_a_warning_and_no_end(start: Start, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    container = start("--volume", f"{tmp_path}:/var/lib/localstack", ACTIVATE_PRO="0")
    assert "User 1000 may not write to /var/lib/localstack" in container.wait_for("Ready.\n")


def test_state_cannot_be_kept_in_a_volume_of_somebody_else(start: Start, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    container = start("--volume", f"{tmp_path}:/var/lib/localstack", ACTIVATE_PRO="0", PERSISTENCE="1")
    assert container.exit_code() == 1
    assert "give the volume to that user" in container.logs()


def test_init_scripts_run_before_ready(start: Start, tmp_path: Path) -> None:
    script = tmp_path / "make.sh"
    script.write_text("#!/bin/bash\nawslocal s3 mb s3://from-a-script\n")
    script.chmod(0o755)
    container = start("--volume", f"{script}:/etc/localstack/init/ready.d/make.sh:ro", ACTIVATE_PRO="0")
    container.wait_for("Ready.\n")
    assert buckets(container) == ["from-a-script"]


def test_it_answers_on_443_where_that_port_may_be_used(start: Start) -> None:
    container = start("--sysctl=net.ipv4.ip_unprivileged_port_start=0", ACTIVATE_PRO="0")
    container.wait_for("Ready.\n")
    found = container.execute("curl", "-sk", "https://localhost:443/_localstack/health").stdout
    assert '"services"' in found


def test_the_health_check_of_the_emulator(engine: Engine, start: Start) -> None:
    container = start(ACTIVATE_PRO="0", LOCALSTACK_GATEWAY_LISTEN="0.0.0.0:4777")
    container.wait_for("Ready.\n")
    assert engine("healthcheck", "run", container.id, check=False).returncode == 0
    container.execute("curl", "-s", "-X", "POST", "-d", '{"action":"kill"}', "localhost:4777/_localstack/health")
    assert container.exit_code() == 0


def test_the_health_check_of_the_control_plane(engine: Engine, control: ControlPlane) -> None:
    assert engine("healthcheck", "run", control.container.id, check=False).returncode == 0


def test_other_words_are_for_the_command_line(engine: Engine, image: str) -> None:
    assert "0.1" in engine("run", "--rm", image, "--version").stdout
    assert engine("run", "--rm", image, "bash", "-c", "echo $HOME").stdout == "/tmp\n"
