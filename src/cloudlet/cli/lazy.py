"""A command group whose commands are imported when they are asked for, so that `cloudlet --help` is quick."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType

import click

# command -> module of cloudlet.cli that defines it under its own name (a dash becomes an underscore), and its one line.
COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "start": ("start", "Start the emulator."),
        "stop": ("stop", "Stop the emulator."),
        "restart": ("stop", "Stop the emulator and start it in the background."),
        "status": ("status", "Show whether the emulator runs, and its services."),
        "logs": ("logs", "Show the log of an emulator in the background."),
        "ssh": ("ssh", "Open a shell in the emulator's container."),
        "wait": ("wait", "Wait until the emulator answers."),
        "config": ("config", "Show and check the configuration."),
        "trust": ("trust", "Let programs trust the emulator's TLS certificates."),
        "auth": ("auth", "Sign in and out; store, show and remove the auth token."),
        "workspace": ("workspace", "Go from one workspace to another."),
        "ci-key": ("ci_key", "Make, rotate and delete the keys of pipelines."),
        "license": ("license", "Show, fetch, install and examine the license."),
        "quickstart": ("quickstart", "Control plane and activated emulator, ready to use."),
        "control": ("control", "Run the control plane."),
        "admin": ("admin", "Set up a control plane of your own."),
        "completion": ("completion", "Print the shell completion."),
    }
)


class LazyGroup(click.Group):
    """Names and one-line helps are known without an import; the command itself is imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"cloudlet.cli.{entry[0]}")  # lazy: this is the place
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[1]) for name, entry in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = [name for name in COMMANDS if name.startswith(args[0][:3])]
            hint = f" Did you mean {' or '.join(near)}?" if near else f" See `{ctx.info_name} --help`."
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)
