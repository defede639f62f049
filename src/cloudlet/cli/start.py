"""`cloudlet start`."""

from __future__ import annotations

import importlib
import os

import click

from cloudlet import __version__
from cloudlet.cli import emulator
from cloudlet.cli.container.options import Options
from cloudlet.cli.context import Context, pass_context
from cloudlet.cli.endpoint import INFO, emulator_url, get_json


@click.command()
@click.option("-d", "--detached", is_flag=True, help="Run in the background; return when it answers.")
@click.option("--host", is_flag=True, help="Run as a process of this machine (the default).")
@click.option("--docker", is_flag=True, help="Run in a container, by Docker or Podman.")
@click.option("--no-banner", is_flag=True, help="Do not print the first lines.")
@click.option("-e", "--env", "assignments", multiple=True, metavar="NAME=VALUE", help="A variable for the emulator.")
@click.option("-p", "--publish", multiple=True, metavar="[HOST:]PORT:PORT", help="With --docker: publish a port.")
@click.option("-v", "--volume", multiple=True, metavar="SOURCE:TARGET", help="With --docker: a folder or volume.")
@click.option("--network", default="", metavar="NAME", help="With --docker: the network to join.")
@click.option("--stack", default="", metavar="NAME[:TAG]", help="With --docker: another tag, such as cloudlet:0.1.0.")
@pass_context
def start(
    context: Context,
    detached: bool,
    host: bool,
    docker: bool,
    no_banner: bool,
    assignments: tuple[str, ...],
    publish: tuple[str, ...],
    volume: tuple[str, ...],
    network: str,
    stack: str,
) -> None:
    """Start the emulator.

    It listens on 127.0.0.1:4566 (GATEWAY_LISTEN) and runs until Ctrl-C, or in the background with -d. The stored auth
    token is used unless a variable names another. Exit code 55: the license does not allow it.

    \b
    Examples:
      cloudlet start
      cloudlet start -d && cloudlet wait -t 30
      cloudlet start -e DEBUG=1 -e SERVICES=s3,sqs
      GATEWAY_LISTEN=0.0.0.0:4567 PERSISTENCE=1 cloudlet start -d
      cloudlet start --docker -d -v ./init:/etc/localstack/init/ready.d
    """
    options = Options(env=assignments, publish=publish, volume=volume, network=network, stack=stack)
    if docker and host:
        raise click.UsageError("--docker or --host, not both")
    if docker:
        commands = importlib.import_module("cloudlet.cli.container.commands")  # lazy: brings the Docker library
        commands.start(context, options, detached=detached, no_banner=no_banner)
        return
    if options:
        raise click.UsageError("--publish, --volume, --network and --stack need --docker")
    extra = parse_assignments(assignments)
    if extra:
        context.use_variables(extra)
    emulator.refuse_second(context, "cloudlet start")
    url = emulator_url(context.emulator)
    if not detached:
        if not no_banner and not context.json:
            click.echo(f"Cloudlet {__version__}, {url}; Ctrl-C stops it.")
        run_in_foreground(context, extra, url)
    _, process = emulator.start_in_background(context, extra)
    info = get_json(url, INFO) or {}
    record = process.running()
    data = {
        "url": url,
        "pid": record.pid if record else None,
        "log": str(process.log),
        "edition": info.get("edition"),
        "is_license_activated": info.get("is_license_activated"),
    }
    text = f"Cloudlet {__version__} ({info.get('edition', 'unknown')}) answers at {url}\nLog: {process.log}"
    context.answer(data, f"Started at {url}" if no_banner else text)


def run_in_foreground(context: Context, extra: dict[str, str], url: str) -> None:
    """Become the emulator: signals, output and exit code are its own."""
    process = emulator.server(context)
    process.record(url, os.getpid(), log=False)
    arguments = emulator.command_line()
    os.execve(arguments[0], arguments, emulator.environment(context, extra))  # noqa: S606


def parse_assignments(assignments: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE` each."""
    found = {}
    for assignment in assignments:
        name, separator, value = assignment.partition("=")
        if not separator or not name.isidentifier():
            raise click.UsageError(f"--env {assignment!r} is not NAME=VALUE")
        found[name] = value
    return found
