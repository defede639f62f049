"""Where a definition's transitions lead: targets that are missing, states that nothing leads to, no way to end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cloudlet.emulator.services.stepfunctions.asl.diagnostics import Diagnostic

TARGET = "MISSING_TRANSITION_TARGET"
TERMINAL = frozenset({"Succeed", "Fail"})


def check(machine: dict[str, Any]) -> list[Diagnostic]:
    """Of the whole machine, branches and item processors included."""
    return list(check_scope(machine, ""))


def check_scope(holder: dict[str, Any], place: str) -> Iterator[Diagnostic]:
    states: dict[str, dict[str, Any]] = holder["States"]
    if holder["StartAt"] not in states:
        yield Diagnostic(TARGET, f"Missing 'Next' target: {holder['StartAt']}", f"{place}/StartAt")
    reached = {holder["StartAt"]}
    for name, state in states.items():
        for target, where in transitions(state):
            reached.add(target)
            if target not in states:
                yield Diagnostic(TARGET, f"Missing 'Next' target: {target}", f"{place}/States/{name}/{where}")
    if not any(ends(state) for state in states.values()):
        yield Diagnostic("MISSING_END_STATE", "Workflow has no terminal state", None)
    else:
        for name in states:
            if name not in reached:
                yield Diagnostic(TARGET, f'State "{name}" is not reachable.', f"{place}/States/{name}")
    for name, state in states.items():
        for inner, where in scopes(state):
            yield from check_scope(inner, f"{place}/States/{name}/{where}")


def transitions(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(target, where it stands in the state)."""
    if isinstance(state.get("Next"), str):
        yield state["Next"], "Next"
    if state["Type"] == "Choice":
        for at, rule in enumerate(state["Choices"]):
            if "Next" in rule:
                yield rule["Next"], f"Choices[{at}]/Next"
        if "Default" in state:
            yield state["Default"], "Default"
    for at, catcher in enumerate(state.get("Catch", ())):
        yield catcher["Next"], f"Catch[{at}]/Next"


def ends(state: dict[str, Any]) -> bool:
    return state["Type"] in TERMINAL or state.get("End") is True


def scopes(state: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """What holds states inside of this one."""
    for at, branch in enumerate(state.get("Branches", ())):
        yield branch, f"Branches[{at}]"
    for name in ("ItemProcessor", "Iterator"):
        if name in state:
            yield state[name], name
