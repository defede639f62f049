"""`cloudlet logs`."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from pathlib import Path

import click

from cloudlet.cli import emulator
from cloudlet.cli.container.record import record_of
from cloudlet.cli.context import Context, Failed, pass_context

BLOCK = 64 * 1024
FOLLOW_SECONDS = 0.2


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on with what is logged from now, until Ctrl-C.")
@click.option("-n", "--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines.")
@click.option("--control", is_flag=True, help="The log of quickstart's control plane instead.")
@pass_context
def logs(context: Context, follow: bool, tail: int | None, control: bool) -> None:
    """Show the log of an emulator in the background, or in a container.

    \b
    Examples:
      cloudlet logs -n 50
      cloudlet logs -f
    """
    if not control and record_of(context):
        commands = importlib.import_module("cloudlet.cli.container.commands")  # lazy: brings the Docker library
        commands.logs(context, follow=follow, tail=tail)
        return
    server = emulator.control_plane(context) if control else emulator.server(context)
    if not server.log.exists():
        raise Failed(
            "There is no log yet: nothing was started in the background.",
            code="logs.none",
            actions=("cloudlet start -d", "In the foreground the log is in the terminal of `cloudlet start`."),
        )
    position = 0 if tail is None else start_of_last_lines(server.log, tail)
    for text in read_from(server.log, position, follow):
        click.echo(text, nl=False)


def start_of_last_lines(path: Path, count: int) -> int:
    """Where the last `count` lines begin, found from the end in blocks: a large log is not read."""
    with path.open("rb") as file:
        position = file.seek(0, 2)
        if count == 0:
            return position
        missing = count + 1  # the newline that ends the file begins no line
        while position > 0:
            size = min(BLOCK, position)
            position -= size
            file.seek(position)
            block = file.read(size)
            found = block.count(b"\n")
            if found >= missing:
                parts = block.rsplit(b"\n", missing)
                return position + len(parts[0]) + 1
            missing -= found
    return 0


def read_from(path: Path, position: int, follow: bool) -> Iterator[str]:
    """Text from the position on; with `follow` without end, also after the file was begun anew."""
    with path.open("rb") as file:
        file.seek(position)
        while True:
            data = file.read(BLOCK)
            if data:
                yield data.decode("utf-8", "replace")
            elif not follow:
                return
            else:
                if path.exists() and path.stat().st_size < file.tell():
                    file.seek(0)
                time.sleep(FOLLOW_SECONDS)
