"""`cloudlet ssh`."""

from __future__ import annotations

import importlib

import click

from cloudlet.cli.context import Context, pass_context


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@pass_context
def ssh(context: Context, command: tuple[str, ...]) -> None:
    """Open a shell in the emulator's container, or run a command there (the name is LocalStack's).

    \b
    Examples:
      cloudlet ssh
      cloudlet ssh -- awslocal s3 ls
    """
    commands = importlib.import_module("cloudlet.cli.container.commands")  # lazy: brings the Docker library
    click.get_current_context().exit(commands.shell(context, command))
