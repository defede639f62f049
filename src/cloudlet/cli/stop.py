"""`cloudlet stop` and `cloudlet restart`."""

from __future__ import annotations

import importlib
from typing import Any

import click

from cloudlet.cli import emulator
from cloudlet.cli.container.record import record_of
from cloudlet.cli.context import Context, Failed, pass_context
from cloudlet.cli.endpoint import emulator_url
from cloudlet.cli.processes import ProcessRecord
from cloudlet.cli.processes import stop as stop_process


@click.command()
@pass_context
def stop(context: Context) -> None:
    """Stop the emulator, wherever it was started.

    Requests in flight finish first. What `cloudlet quickstart` started stops as a whole, the control plane included.

    \b
    Examples:
      cloudlet stop
      GATEWAY_LISTEN=127.0.0.1:4567 cloudlet stop
    """
    container = in_container().stop(context) if record_of(context) else None
    if container is not None:
        context.answer(
            {"url": emulator_url(context.emulator), "container": container}, f"Stopped container {container}"
        )
        return
    stopped = emulator.stop_emulator(context)
    control = stop_orphaned_control_plane(context)
    if stopped is None and not control:
        url = emulator_url(context.emulator)
        raise Failed(f"No emulator runs at {url}, and none was started in the background.", code="emulator.not_running")
    if isinstance(stopped, ProcessRecord):
        context.answer({"url": stopped.url, "pid": stopped.pid}, f"Stopped {stopped.url}")
    else:
        context.answer({"url": stopped, "pid": None}, f"Stopped {stopped or 'the control plane'}")


def in_container() -> Any:
    """The same commands for an emulator that `start --docker` started."""
    return importlib.import_module("cloudlet.cli.container.commands")  # lazy: brings the Docker library


def stop_orphaned_control_plane(context: Context) -> bool:
    """A quickstart that was killed leaves its control plane; its file says where."""
    server = emulator.control_plane(context)
    record = server.running()
    if record is None or emulator.supervisor(context).running() is not None:
        return False
    stop_process(record.pid, record.began)
    server.forget()
    return True


@click.command()
@pass_context
def restart(context: Context) -> None:
    """Stop the emulator, if it runs, and start it in the background.

    An emulator without PERSISTENCE=1 begins empty again. A container is restarted as it was started.
    """
    container = in_container().restart(context) if record_of(context) else None
    if container is not None:
        url = emulator_url(context.emulator)
        context.answer({"url": url, "container": container}, f"Restarted container {container}: {url}")
        return
    emulator.stop_emulator(context)
    emulator.refuse_second(context, "cloudlet restart")
    _, process = emulator.start_in_background(context, {})
    url = emulator_url(context.emulator)
    context.answer({"url": url, "log": str(process.log)}, f"Restarted: {url}\nLog: {process.log}")
