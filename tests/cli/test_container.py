"""`start --docker` as far as it goes without an engine: options, variables, ports, and what is said where none answers.

What it does with an engine is in tests/image.
"""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from cloudlet.cli.container.options import Options, untagged
from cloudlet.cli.container.plan import absolute, add_ports, gateway_ports, known_variables, seen_from_container
from cloudlet.cli.container.record import ContainerRecord, RecordFile
from cloudlet.cli.container.settings import ContainerSettings, read_container_settings
from cloudlet.cli.context import Context
from cloudlet.settings import CommandSettings, SettingError
from tests.cli.conftest import CommandLine


def context(tmp_path: Path, **variables: str) -> Context:
    made = Context()
    made.__dict__["command"] = CommandSettings(
        config_dir=str(tmp_path), state_dir=str(tmp_path / "state"), variables=variables
    )
    return made


def test_without_an_engine_the_other_way_is_named(cloudlet: CommandLine, tmp_path: Path) -> None:
    answer = cloudlet("start", "--docker", "-d", "--json", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert answer.code == 1
    error = answer.json["error"]
    assert error["code"] == "engine.none"
    assert error["message"] == "No container engine answers."
    assert f"unix://{tmp_path}/none.sock" in error["details"]
    assert error["actions"][0].startswith("cloudlet start ")


def test_an_address_that_is_none_is_no_traceback(cloudlet: CommandLine) -> None:
    answer = cloudlet("start", "--docker", DOCKER_HOST="gopher://there")
    assert answer.code == 1
    assert "Traceback" not in answer.err
    assert "gopher://there" in answer.err


@pytest.mark.parametrize("words", [("-p", "1:2"), ("-v", "a:/b"), ("--network", "n"), ("--stack", "cloudlet")])
def test_what_is_about_containers_needs_docker(cloudlet: CommandLine, words: tuple[str, str]) -> None:
    answer = cloudlet("start", *words)
    assert answer.code == 2
    assert "need --docker" in answer.err


def test_docker_and_host_contradict_each_other(cloudlet: CommandLine) -> None:
    assert cloudlet("start", "--docker", "--host").code == 2


def test_ssh_without_a_container_says_how_to_start_one(cloudlet: CommandLine, tmp_path: Path) -> None:
    answer = cloudlet("ssh", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert answer.code == 1
    assert "No container engine answers." in answer.err


def test_variables_on_the_line_may_take_their_value_from_here() -> None:
    options = Options(env=("DEBUG=1", "TOKEN", "UNSET"))
    assert options.variables({"TOKEN": "t"}) == {"DEBUG": "1", "TOKEN": "t"}
    with pytest.raises(click.UsageError):
        Options(env=("not a name=1",)).variables({})


def test_docker_flags_are_the_same_options() -> None:
    options = Options(env=("A=1",), network="mine").with_flags(
        "-e B=2 -p8080:80 --volume=/a:/b --network other --env C=3"
    )
    assert options.env == ("B=2", "C=3", "A=1")
    assert options.publish == ("8080:80",)
    assert options.volume == ("/a:/b",)
    assert options.network == "mine"


@pytest.mark.parametrize("flags", ["--privileged", "-e", "-p '1:2", "x"])
def test_docker_flags_that_are_not_understood_are_refused(flags: str) -> None:
    with pytest.raises(click.UsageError, match="DOCKER_FLAGS"):
        Options().with_flags(flags)


def test_a_stack_is_a_tag_of_the_image() -> None:
    assert Options().image("cloudlet/cloudlet") == "cloudlet/cloudlet"
    assert Options(stack="cloudlet:0.1.0").image("cloudlet/cloudlet:latest") == "cloudlet/cloudlet:0.1.0"
    assert Options(stack="localstack-pro").image("cloudlet/cloudlet") == "cloudlet/cloudlet"
    with pytest.raises(click.UsageError, match="snowflake"):
        Options(stack="snowflake").image("cloudlet/cloudlet")


@pytest.mark.parametrize(
    ("image", "expected"), [("a/b", "a/b"), ("a/b:1", "a/b"), ("host:5000/a/b", "host:5000/a/b"), ("a@sha256:00", "a")]
)
def test_a_tag_is_told_from_a_port(image: str, expected: str) -> None:
    assert untagged(image) == expected


def test_variables_of_the_emulator_are_handed_over_and_those_of_this_machine_are_not(tmp_path: Path) -> None:
    found = known_variables(
        context(
            tmp_path,
            DEBUG="1",
            SERVICES="s3",
            LAMBDA_KEEPALIVE_MS="5",
            LOCALSTACK_PERSISTENCE="1",
            LOCALSTACK_VOLUME_DIR="/here",
            LOCALSTACK_AUTH_TOKEN="secret",
            GITHUB_RUN_ID="7",
            HOME="/home/me",
            PATH="/bin",
            GATEWAY_LISTEN="127.0.0.1:4999",
        )
    )
    assert found == {
        "DEBUG": "1",
        "SERVICES": "s3",
        "LAMBDA_KEEPALIVE_MS": "5",
        "LOCALSTACK_PERSISTENCE": "1",
        "GITHUB_RUN_ID": "7",
        "API_ENDPOINT": "http://host.docker.internal:4580/v1",
    }


def test_this_machine_has_another_name_in_a_container() -> None:
    assert seen_from_container("http://[::1]/v1", "API_ENDPOINT") == "http://host.docker.internal/v1"
    assert seen_from_container("https://plane.example.com/v1", "API_ENDPOINT") == "https://plane.example.com/v1"
    assert seen_from_container("http://127.0.0.1:4580", "WEB_APP_URL") == "http://127.0.0.1:4580"


def test_the_usual_port_brings_the_ports_of_services_with_it(tmp_path: Path) -> None:
    local = context(tmp_path, GATEWAY_LISTEN="127.0.0.1:4566")
    usual = gateway_ports(local, ContainerSettings())
    assert usual["4566/tcp"] == [("127.0.0.1", "4566")]
    assert usual["4510/tcp"] == [("127.0.0.1", "4510")]
    assert len(usual) == 51
    assert len(gateway_ports(local, ContainerSettings(last_port=0))) == 1
    other = gateway_ports(context(tmp_path, GATEWAY_LISTEN="0.0.0.0:4999,0.0.0.0:443"), ContainerSettings())
    assert other == {"4999/tcp": [("0.0.0.0", "4999")], "443/tcp": [("0.0.0.0", "443")]}


def test_ports_are_published_in_dockers_notation() -> None:
    ports: dict[str, list[tuple[str, str]]] = {"4566/tcp": [("127.0.0.1", "4566")]}
    for publication in ("8080:80", "0.0.0.0:53:53/udp", "9000-9001:9000-9001", "4566:4566"):
        add_ports(ports, publication)
    assert ports == {
        "4566/tcp": [("127.0.0.1", "4566")],
        "80/tcp": [("127.0.0.1", "8080")],
        "53/udp": [("0.0.0.0", "53")],
        "9000/tcp": [("127.0.0.1", "9000")],
        "9001/tcp": [("127.0.0.1", "9001")],
    }
    with pytest.raises(click.UsageError, match="--publish"):
        add_ports(ports, "what:ever:is:this:x")


def test_a_relative_folder_becomes_a_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute("./init:/etc/init:ro") == f"{tmp_path}/init:/etc/init:ro"
    assert absolute("named:/var/lib/localstack") == "named:/var/lib/localstack"
    with pytest.raises(click.UsageError):
        absolute("/only/a/source")


def test_a_range_of_ports_that_is_none_is_refused() -> None:
    with pytest.raises(SettingError):
        read_container_settings({"EXTERNAL_SERVICE_PORTS_START": "5000", "EXTERNAL_SERVICE_PORTS_END": "4000"})
    assert read_container_settings({"EXTERNAL_SERVICE_PORTS_END": "0"}).last_port == 0
    assert read_container_settings({"IMAGE_NAME": "mine"}).image == "mine"


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = RecordFile(CommandSettings(config_dir="", state_dir=str(tmp_path)), 4566)
    assert file.read() is None
    record = ContainerRecord("id", "name", "unix:///x", "http://127.0.0.1:4566")
    file.write(record)
    assert file.read() == record
    file.path.write_text("{")
    assert file.read() is None
    file.forget()
    assert not file.path.exists()
