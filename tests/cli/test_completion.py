"""Shell completion: the script, and what it asks for."""

from __future__ import annotations

import pytest

from tests.cli.conftest import CommandLine


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_both_names_of_the_program(cloudlet: CommandLine, shell: str) -> None:
    shown = cloudlet("completion", shell)
    assert shown.code == 0
    assert "_CLOUDLET_COMPLETE" in shown.out
    assert "_LOCALSTACK_COMPLETE" in shown.out


def test_commands_complete(cloudlet: CommandLine) -> None:
    shown = cloudlet(_CLOUDLET_COMPLETE="bash_complete", COMP_WORDS="cloudlet sta", COMP_CWORD="1")
    assert shown.out.splitlines() == ["plain,start", "plain,status"]


def test_an_unknown_shell_is_a_usage_error(cloudlet: CommandLine) -> None:
    assert cloudlet("completion", "tcsh").code == 2
