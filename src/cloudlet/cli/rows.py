"""Lists of things for people: a table in a terminal, plain columns elsewhere."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

import click
from rich import box
from rich.console import Console
from rich.table import Table

from cloudlet.cli.tables import WIDTH


def show_rows(titles: Sequence[str], rows: Sequence[Sequence[str]], whole: Sequence[str] = ()) -> None:
    """`whole`: the columns that are never folded, because one copies what is in them."""
    if sys.stdout.isatty():
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for title in titles:
            table.add_column(title, overflow="fold", no_wrap=title in whole)
        for row in rows:
            table.add_row(*row)
        Console(width=min(shutil.get_terminal_size((WIDTH, 24)).columns, 120)).print(table)
        return
    widths = [max(len(row[column]) for row in [titles, *rows]) for column in range(len(titles))]
    for row in [titles, *rows]:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
