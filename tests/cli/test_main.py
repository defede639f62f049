"""Help, version, usage errors, JSON everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudlet import __version__
from cloudlet.cli.lazy import COMMANDS
from cloudlet.cli.main import move_global_options
from tests.cli.conftest import CommandLine

PATHS = (
    *((name,) for name in COMMANDS),
    ("status", "docker"),
    ("status", "services"),
    ("config", "show"),
    ("config", "validate"),
    ("auth", "set-token"),
    ("auth", "show-token"),
    ("auth", "clear-token"),
    ("control", "start"),
    ("admin", "bootstrap"),
)


@pytest.mark.parametrize("words", PATHS, ids=" ".join)
def test_every_command_explains_itself_in_80_columns(cloudlet: CommandLine, words: tuple[str, ...]) -> None:
    shown = cloudlet(*words, "--help")
    assert shown.code == 0, shown.err
    assert [line for line in shown.out.splitlines() if len(line) > 80] == []
    group = words in [("config",), ("auth",), ("control",), ("admin",)]
    one_thing = words in [
        ("config", "validate"),
        ("auth", "show-token"),
        ("auth", "clear-token"),
        ("status", "docker"),
        ("status", "services"),
        ("restart",),
    ]
    assert group or one_thing or "Examples:" in shown.out


def test_without_a_command_there_is_the_list(cloudlet: CommandLine) -> None:
    shown = cloudlet("--help")
    assert shown.code == 0
    assert all(f"  {name} " in shown.out for name in COMMANDS)


def test_the_version(cloudlet: CommandLine) -> None:
    assert cloudlet("--version").out == f"Cloudlet {__version__}\n"
    assert cloudlet("-v").code == 0


def test_localstack_is_the_same_program(cloudlet: CommandLine) -> None:
    assert "Usage: localstack " in cloudlet("--help", program="localstack").out
    assert cloudlet("config", "validate", program="localstack").code == 0


def test_an_unknown_command_is_a_usage_error_with_a_hint(cloudlet: CommandLine) -> None:
    shown = cloudlet("sta")
    assert shown.code == 2
    assert "Did you mean start or status?" in shown.err


def test_an_unknown_option_is_a_usage_error(cloudlet: CommandLine) -> None:
    assert cloudlet("start", "--no-such-option").code == 2


@pytest.mark.parametrize("words", [("--json", "config", "validate"), ("config", "validate", "--json")])
def test_json_may_stand_anywhere(cloudlet: CommandLine, words: tuple[str, ...]) -> None:
    shown = cloudlet(*words)
    assert shown.json == {
        "schemaVersion": 1,
        "command": "config validate",
        "status": "success",
        "data": {
            "gateway_listen": f"127.0.0.1:{cloudlet.port}",
            "control_plane": cloudlet.web_url,
            "profiles": [],
        },
        "warnings": [],
        "error": None,
    }


def test_a_failure_under_json_is_json(cloudlet: CommandLine) -> None:
    shown = cloudlet("auth", "set-token", "nonsense", "--json")
    assert shown.code == 1
    assert shown.json["status"] == "error"
    assert shown.json["command"] == "auth set-token"
    assert shown.json["error"]["code"] == "credentials.format"
    assert shown.json["error"]["actions"]


def test_a_setting_that_means_nothing_is_told_in_one_sentence(cloudlet: CommandLine) -> None:
    shown = cloudlet("status", GATEWAY_LISTEN="here:there")
    assert shown.code == 1
    assert shown.err == "Error: GATEWAY_LISTEN='here:there': 'here:there' is not host:port\n"
    assert cloudlet("status", "--json", GATEWAY_LISTEN="x:y").json["error"]["code"] == "settings.invalid"


def test_colours_are_for_terminals(cloudlet: CommandLine) -> None:
    assert "\x1b" not in cloudlet("status").out + cloudlet("--help").out + cloudlet("stop").err


def test_options_after_two_dashes_stay_where_they_are() -> None:
    assert move_global_options(["a", "--json", "--profile", "x", "--", "--json"]) == [
        "--json",
        "--profile",
        "x",
        "a",
        "--",
        "--json",
    ]


def test_help_loads_no_server(cloudlet: CommandLine) -> None:
    shown = cloudlet("--help", PYTHONPROFILEIMPORTTIME="1")
    loaded = {line.rpartition("|")[2].strip() for line in shown.err.splitlines()}
    assert "click" in loaded
    assert not loaded & {"rich", "httpx", "sqlalchemy", "litestar", "uvloop", "cloudlet.emulator", "cloudlet.control"}


def profile(home: Path, name: str, text: str) -> None:
    folder = home / ".localstack"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.env").write_text(text)


def test_a_profile_gives_variables_and_the_environment_wins(cloudlet: CommandLine) -> None:
    profile(cloudlet.home, "dev", "# mine\nexport PERSISTENCE=1\nSERVICES='s3,sqs'\nGATEWAY_LISTEN=127.0.0.1:1\n")
    shown = cloudlet("config", "show", "-f", "json", "--profile", "dev").json
    assert shown["PERSISTENCE"] is True
    assert shown["SERVICES"] == ["s3", "sqs"]
    assert shown["GATEWAY_LISTEN"] == f"127.0.0.1:{cloudlet.port}"


def test_the_default_profile_is_used_where_none_is_named(cloudlet: CommandLine) -> None:
    profile(cloudlet.home, "default", "DEBUG=1\n")
    profile(cloudlet.home, "other", "PERSISTENCE=1\n")
    assert cloudlet("config", "show", "-f", "json").json["DEBUG"] is True
    assert cloudlet("config", "show", "-f", "json", CONFIG_PROFILE="other").json["DEBUG"] is False


def test_a_profile_that_is_not_there_is_a_failure(cloudlet: CommandLine) -> None:
    shown = cloudlet("config", "show", "--profile", "nope")
    assert shown.code == 1
    assert "there is no file" in shown.err


def test_a_line_of_a_profile_that_is_no_assignment_is_named(cloudlet: CommandLine) -> None:
    profile(cloudlet.home, "bad", "DEBUG=1\nnonsense\n")
    assert "bad.env, line 2: not NAME=VALUE" in cloudlet("config", "show", "--profile", "bad").err
