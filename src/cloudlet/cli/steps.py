"""Progress that people can read: one line a step, drawn over while it lasts in a terminal, plain elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click


class Steps:
    """Prints steps as they begin and end. `quiet` for JSON."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.redraws = sys.stdout.isatty() and not quiet

    @contextmanager
    def step(self, doing: str) -> Iterator[Step]:
        """One step; its last line is what `done` said. An exception leaves it marked as failed."""
        current = Step(doing)
        began = time.monotonic()
        if self.redraws:
            click.echo(f"… {doing}", nl=False)
        try:
            yield current
        except BaseException:
            self.end(click.style("✖", fg="red"), doing, None)
            raise
        self.end(click.style("✔", fg="green"), current.result, time.monotonic() - began)

    def end(self, mark: str, text: str, seconds: float | None) -> None:
        if self.quiet:
            return
        took = f"  ({seconds:.1f} s)" if seconds is not None and seconds >= 0.05 else ""
        if self.redraws:
            click.echo("\r\x1b[2K", nl=False)
        click.echo(f"{mark} {text}{click.style(took, dim=True)}")


class Step:
    """What a step is called while it lasts, and afterwards."""

    def __init__(self, doing: str) -> None:
        self.result = doing

    def done(self, result: str) -> None:
        self.result = result
