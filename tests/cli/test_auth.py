"""The stored token: checked when it comes in, masked when it goes out, for its owner's eyes only."""

from __future__ import annotations

import json
import os

import pytest

from cloudlet.license.token import checksum
from tests.cli.conftest import CommandLine

BODY = "AbCd1234-EfGh-5678-IjKl-90123456"
TOKEN = f"ls-{BODY}{checksum(BODY)}"


def test_a_token_is_stored_for_its_owner_alone(cloudlet: CommandLine) -> None:
    shown = cloudlet("auth", "set-token", TOKEN)
    assert (shown.code, shown.out) == (0, "Token configured successfully\n")
    path = cloudlet.home / ".localstack" / "auth.json"
    assert json.loads(path.read_text()) == {"LOCALSTACK_AUTH_TOKEN": TOKEN}
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["auth.json"]


def test_a_token_comes_from_standard_input_or_a_file(cloudlet: CommandLine) -> None:
    assert cloudlet("auth", "set-token", "-", input=f'  "{TOKEN}"\n').code == 0
    assert cloudlet("auth", "show-token", "--plain").out == f"{TOKEN}\n"
    assert cloudlet("auth", "clear-token").code == 0
    file = cloudlet.home / "token"
    file.write_text(TOKEN + "\n")
    assert cloudlet("auth", "set-token", "--from-file", str(file)).code == 0
    assert cloudlet("auth", "show-token", "--plain").out == f"{TOKEN}\n"


def test_a_typing_error_is_found_without_a_network(cloudlet: CommandLine) -> None:
    wrong = TOKEN[:-1] + ("0" if TOKEN[-1] != "0" else "1")
    shown = cloudlet("auth", "set-token", wrong)
    assert shown.code == 1
    assert "checksum" in shown.err
    assert wrong not in shown.err
    assert not (cloudlet.home / ".localstack" / "auth.json").exists()


def test_a_shown_token_is_masked(cloudlet: CommandLine) -> None:
    cloudlet("auth", "set-token", TOKEN)
    shown = cloudlet("auth", "show-token")
    assert (shown.code, shown.out) == (0, "ls-AbCd1234-****\n")
    assert "Valid: True" in shown.err
    assert "auth.json" in shown.err
    assert cloudlet("auth", "show-token", "--json").json["data"]["token"] == "ls-AbCd1234-****"


def test_the_environment_outranks_the_stored_token(cloudlet: CommandLine) -> None:
    cloudlet("auth", "set-token", TOKEN)
    shown = cloudlet("auth", "show-token", LOCALSTACK_AUTH_TOKEN="ls-nonsense")
    assert shown.code == 55
    assert "the variable LOCALSTACK_AUTH_TOKEN" in shown.err
    assert "Valid: False" in shown.err


def test_showing_no_token_is_a_failure(cloudlet: CommandLine) -> None:
    shown = cloudlet("auth", "show-token")
    assert (shown.code, shown.out) == (1, "")


def test_clearing_forgets_the_token_and_keeps_what_others_stored(cloudlet: CommandLine) -> None:
    cloudlet("auth", "set-token", TOKEN)
    path = cloudlet.home / ".localstack" / "auth.json"
    path.write_text(json.dumps({"LOCALSTACK_AUTH_TOKEN": TOKEN, "other": "kept"}))
    assert cloudlet("auth", "clear-token").out == "Token removed\n"
    assert json.loads(path.read_text()) == {"other": "kept"}
    assert cloudlet("auth", "clear-token").out == "There was no stored token\n"


def test_config_dir_moves_the_file(cloudlet: CommandLine) -> None:
    folder = cloudlet.home / "elsewhere"
    assert cloudlet("auth", "set-token", TOKEN, CONFIG_DIR=str(folder)).code == 0
    assert (folder / "auth.json").exists()


@pytest.mark.parametrize("command", ["auth show-token", "auth clear-token", "workspace list"])
def test_a_file_that_cannot_be_read_is_named_without_a_traceback(cloudlet: CommandLine, command: str) -> None:
    for name in ("auth.json", "cloudlet.json"):
        (cloudlet.home / ".localstack" / name).mkdir(parents=True)  # where a file should be
    done = cloudlet(*command.split(), "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "file.access")
    assert ".json: Is a directory" in done.json["error"]["message"]
    assert "Traceback" not in done.err
