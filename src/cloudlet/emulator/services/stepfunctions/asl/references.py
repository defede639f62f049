"""Which variables the states of a definition refer to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cloudlet.emulator.services.stepfunctions.asl import jsonata_text
from cloudlet.emulator.services.stepfunctions.asl.processing import is_jsonata

NAME = re.compile(r"(?<![\w$])\$([A-Za-z_][A-Za-z0-9_]*)(?![A-Za-z0-9_]|\s*\()")
DEFINED = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)\s*:=")
STATES = "states"


def variable_references(machine: dict[str, Any]) -> dict[str, list[str]]:
    """State -> variables, as DescribeStateMachine has them; states without any are left out."""
    found: dict[str, list[str]] = {}
    collect(machine, machine, found)
    return found


def collect(holder: dict[str, Any], machine: dict[str, Any], found: dict[str, list[str]]) -> None:
    for name, state in holder.get("States", {}).items():
        own = {key: value for key, value in state.items() if key not in ("Branches", "ItemProcessor", "Iterator")}
        names = sorted(set(references(own, is_jsonata(state, machine))))
        if names:
            found[name] = names
        for branch in state.get("Branches", ()):
            collect(branch, machine, found)
        for key in ("ItemProcessor", "Iterator"):
            if key in state:
                collect(state[key], machine, found)


def references(value: Any, jsonata: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if jsonata or key.endswith(("Path", ".$")) or key == "Variable" or isinstance(item, dict | list):
                yield from references(item, jsonata)
    elif isinstance(value, list):
        for item in value:
            yield from references(item, jsonata)
    elif isinstance(value, str):
        if jsonata and not jsonata_text.is_expression(value):
            return
        own = set(DEFINED.findall(value)) | {STATES}
        yield from (name for name in NAME.findall(value) if name not in own)
