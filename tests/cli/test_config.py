"""config show and validate."""

from __future__ import annotations

import ast

from tests.cli.conftest import CommandLine
from tests.cli.test_auth import TOKEN


def test_each_setting_is_shown_and_secrets_are_masked(cloudlet: CommandLine) -> None:
    shown = cloudlet("config", "show", "-f", "json", LOCALSTACK_AUTH_TOKEN=TOKEN).json
    assert shown["PERSISTENCE"] is False
    assert shown["LOCALSTACK_AUTH_TOKEN"] == "ls-AbCd1234****"


def test_the_forms_say_the_same(cloudlet: CommandLine) -> None:
    as_json = cloudlet("config", "show", "-f", "json").json
    as_dict = ast.literal_eval(cloudlet("config", "show", "-f", "dict").out)
    assert as_dict.keys() == as_json.keys()
    plain = cloudlet("config", "show", "-f", "plain").out.splitlines()
    assert [line.partition("=")[0] for line in plain] == list(as_json)
    assert f"GATEWAY_LISTEN=127.0.0.1:{cloudlet.port}" in plain
    table = cloudlet("config", "show").out.splitlines()
    assert [line.split()[0] for line in table] == list(as_json)


def test_a_valid_configuration_says_where_it_would_listen(cloudlet: CommandLine) -> None:
    assert cloudlet("config", "validate").out == f"Valid. The emulator would listen on 127.0.0.1:{cloudlet.port}.\n"


def test_an_impossible_value_is_named(cloudlet: CommandLine) -> None:
    shown = cloudlet("config", "validate", DURABILITY="sometimes")
    assert shown.code == 1
    assert "DURABILITY='sometimes'" in shown.err
    assert cloudlet("config", "validate", PLATFORM_TRIAL_DAYS="x").code == 1


def test_settings_that_contradict_each_other_are_warned_about(cloudlet: CommandLine) -> None:
    shown = cloudlet("config", "validate", PERSISTENCE="1", STATE_URL="postgresql://db/cloudlet")
    assert shown.code == 0
    assert "the volume holds none" in shown.err
