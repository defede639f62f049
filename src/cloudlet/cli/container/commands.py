"""What the commands do when the emulator is in a container."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from typing import Any

import click

from cloudlet import __version__
from cloudlet.cli.container.engine import explained
from cloudlet.cli.container.lifecycle import Running, find_running
from cloudlet.cli.container.lifecycle import restart as restart_container
from cloudlet.cli.container.lifecycle import start as start_container
from cloudlet.cli.container.options import Options
from cloudlet.cli.context import Context, Failed
from cloudlet.cli.endpoint import INFO, get_json


def start(context: Context, options: Options, *, detached: bool, no_banner: bool) -> None:
    """`start --docker`: with `detached` until it is ready, else until it ends, with its exit code."""
    running, plan = start_container(context, options, lambda line: click.echo(line, err=True))
    if not detached:
        if not no_banner and not context.json:
            click.echo(f"Cloudlet {__version__} in container {running.name}, {plan.url}; Ctrl-C stops it.")
        click.get_current_context().exit(run_in_foreground(running))
    try:
        running.wait_ready()
    except BaseException:  # a Ctrl-C while it comes up, too: leave nothing behind
        running.remove()
        raise
    info = get_json(plan.url, INFO) or {}
    data = {
        "url": plan.url,
        "container": running.name,
        "image": plan.image,
        "edition": info.get("edition"),
        "is_license_activated": info.get("is_license_activated"),
    }
    text = (
        f"Cloudlet {__version__} ({info.get('edition', 'unknown')}) in container {running.name} answers at {plan.url}"
    )
    context.answer(data, f"Started at {plan.url}" if no_banner else f"{text}\nLog: cloudlet logs")


def run_in_foreground(running: Running) -> int:
    """Print what it prints; returns its exit code. Ctrl-C and SIGTERM stop it, as they stop an emulator without one."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        for text in running.follow():
            click.echo(text, nl=False)
        code = running.exit_code()
    except KeyboardInterrupt:
        running.stop()
        code = running.exit_code()
    running.remove()
    return code


def running_of(context: Context) -> Running:
    """Raises Failed when there is none."""
    found = find_running(context)
    if found is None:
        raise Failed(
            "No container of the emulator runs.", code="container.none", actions=("cloudlet start --docker -d",)
        )
    return found


def stop(context: Context) -> str | None:
    """The container's name; None when there is no container after all."""
    found = find_running(context)
    if found is None:
        return None
    if found.is_running():
        found.stop()
    found.remove()
    return found.name


def restart(context: Context) -> str | None:
    found = find_running(context)
    if found is None:
        return None
    restart_container(found)
    return found.name


def logs(context: Context, *, follow: bool, tail: int | None) -> None:
    found = running_of(context)
    count: int | str = "all" if tail is None else tail
    with explained(f"The log of container {found.name} cannot be read", "engine.failed"):
        if follow:
            for text in found.follow(count):
                click.echo(text, nl=False)
        else:
            click.echo(found.text(count), nl=False)


def facts(context: Context) -> dict[str, Any] | None:
    """For `status docker`; None when there is no container."""
    found = find_running(context)
    return None if found is None else found.facts()


def shell(context: Context, command: tuple[str, ...]) -> int:
    """Run the command in the container, or become an interactive shell there. Returns the exit code."""
    found = running_of(context)
    if not found.is_running():
        raise Failed(f"The container {found.name} does not run.", code="container.none", actions=("cloudlet restart",))
    if not command:
        become_shell(found)
    with explained(f"The command could not be run in container {found.name}", "engine.failed"):
        client = found.engine.client.api
        made = client.exec_create(found.container.id, list(command))
        for output, errors in client.exec_start(made["Id"], stream=True, demux=True):
            for part, stream in ((output, sys.stdout), (errors, sys.stderr)):
                if part:
                    stream.buffer.write(part)
                    stream.flush()
        return int(client.exec_inspect(made["Id"])["ExitCode"] or 0)


def become_shell(found: Running) -> None:
    """A terminal is the engine's own client's business: this process becomes it."""
    names = ("podman", "docker") if found.engine.is_podman else ("docker", "podman")
    for name in names:
        program = shutil.which(name)
        if program is not None:
            terminal = ["--interactive", "--tty"] if sys.stdin.isatty() else ["--interactive"]
            remote = ["--url" if name == "podman" else "--host", found.engine.address]
            arguments = [name, *remote, "exec", *terminal, found.container.id, "bash"]
            os.execv(program, arguments)  # noqa: S606
    raise Failed(
        "A shell in a container needs the engine's own client, and neither docker nor podman is installed.",
        code="container.client",
        actions=("One command works without: cloudlet ssh -- ls /var/lib/localstack",),
    )
