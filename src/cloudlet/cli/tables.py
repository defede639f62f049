"""Rows of names and values for people and for scripts: table, plain, dict, json."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from typing import Any

import click
import orjson
from rich import box
from rich.console import Console
from rich.table import Table

FORMATS = ("table", "plain", "dict", "json")
WIDTH = 80  # where nothing says how wide the reader's window is

format_option = click.option(
    "-f", "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True, help="How to print it."
)


def show(rows: Mapping[str, Any], form: str, titles: tuple[str, str] = ("Name", "Value")) -> None:
    """Print the rows. `table` is drawn in a terminal only; elsewhere it is plain columns."""
    if form == "json":
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    elif form == "dict":
        click.echo(repr(dict(rows)))
    elif form == "plain":
        for name, value in rows.items():
            click.echo(f"{name}={text_of(value)}")
    elif sys.stdout.isatty():
        draw(rows, titles)
    else:
        width = max((len(name) for name in rows), default=0)
        for name, value in rows.items():
            click.echo(f"{name:<{width}}  {text_of(value)}".rstrip())


def draw(rows: Mapping[str, Any], titles: tuple[str, str]) -> None:
    width = min(shutil.get_terminal_size((WIDTH, 24)).columns, 120)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(titles[0], no_wrap=True)
    table.add_column(titles[1], overflow="fold")
    for name, value in rows.items():
        table.add_row(name, text_of(value))
    Console(width=width).print(table)


def text_of(value: object) -> str:
    """How a value is written: flags as 1 and 0, lists with commas, absent ones as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list | tuple):
        return ",".join(str(entry) for entry in value)
    return str(value)
