"""What every command gets: settings, whether JSON is wanted, and how to fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn

import click
import msgspec
import orjson

from cloudlet.settings import (
    CommandSettings,
    PlatformSettings,
    Settings,
    read_command_settings,
    read_platform_settings,
    read_settings,
)

FAILURE = 1
USAGE = 2
LICENSE = 55
TIMEOUT = 124
INTERRUPT = 130


class Failed(click.ClickException):
    """A command could not do what it was asked. `code` is stable, `actions` tell what to do now."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "failed",
        actions: Sequence[str] = (),
        exit_code: int = FAILURE,
        retryable: bool = False,
        details: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.actions = tuple(actions)
        self.exit_code = exit_code  # type: ignore[misc]
        self.retryable = retryable
        self.details = details

    def format_message(self) -> str:
        lines = [self.message]
        if self.details:
            lines += ["", *("  " + line for line in self.details.splitlines()), ""]
        return "\n".join([*lines, *(f"  → {action}" for action in self.actions)])

    def show(self, file: Any = None) -> None:
        click.echo(click.style("Error: ", fg="red") + self.format_message(), err=True)


class Context:
    """One run of the program."""

    def __init__(self, *, json: bool = False, profiles: tuple[str, ...] = (), debug: bool = False) -> None:
        self.json = json
        self.profiles = profiles
        self.debug = debug
        self.warnings: list[str] = []

        self.extra: dict[str, str] = {}

    def use_variables(self, extra: Mapping[str, str]) -> None:
        """Variables of the command line itself (`start -e`); they outrank the environment."""
        self.extra.update(extra)
        for name in ("command", "emulator", "platform"):
            self.__dict__.pop(name, None)

    @cached_property
    def command(self) -> CommandSettings:
        settings = read_command_settings(profiles=self.profiles)
        if not self.extra:
            return settings
        return msgspec.structs.replace(settings, variables={**settings.variables, **self.extra})

    @cached_property
    def emulator(self) -> Settings:
        return read_settings(self.command.variables)

    @cached_property
    def platform(self) -> PlatformSettings:
        return read_platform_settings(self.command.variables)

    def warn(self, text: str) -> None:
        """A line on stderr, or an entry of the JSON answer."""
        self.warnings.append(text)
        if not self.json:
            click.echo(click.style("Warning: ", fg="yellow") + text, err=True)

    def answer(self, data: Any, text: str | None = None) -> None:
        """The command's outcome: the JSON envelope with `data`, or `text` for people."""
        if self.json:
            click.echo(envelope(command_path(), "success", data, self.warnings))
        elif text is not None:
            click.echo(text)

    def answer_and_fail(self, data: Any, text: str | None, error: Failed) -> NoReturn:
        """What was found, and why it is a failure: under `--json` both in one document, the status honest."""
        if self.json:
            click.echo(envelope(command_path(), "error", data, self.warnings, error))
        else:
            if text:
                click.echo(text)
            error.show()
        click.get_current_context().exit(error.exit_code)


pass_context = click.make_pass_decorator(Context)


def command_path() -> str:
    """`auth set-token` of the command that runs."""
    context = click.get_current_context(silent=True)
    return context.command_path.partition(" ")[2] if context else ""


def envelope(command: str, status: str, data: Any, warnings: Sequence[str], error: Failed | None = None) -> str:
    """The answer of every command under `--json`, the shape that LocalStack's newer command line has, too."""
    document: dict[str, Any] = {
        "schemaVersion": 1,
        "command": command,
        "status": status,
        "data": data,
        "warnings": list(warnings),
        "error": None,
    }
    if error is not None:
        document["error"] = {
            "code": error.code,
            "category": error.code.partition(".")[0],
            "message": error.message,
            "retryable": error.retryable,
            "details": error.details,
            "actions": list(error.actions),
        }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
