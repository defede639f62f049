"""Fields of a state that hold paths, templates, expressions or numbers, and its Retry and Catch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cloudlet.emulator.services.stepfunctions.asl import choices, intrinsics, jsonata_text, paths, timestamps
from cloudlet.emulator.services.stepfunctions.asl.diagnostics import SCHEMA, Diagnostic, required, unsupported
from cloudlet.emulator.services.stepfunctions.asl.processing import JSONATA

PATHS = ("InputPath", "OutputPath", "ItemsPath")
NUMBER_PATHS = (
    "SecondsPath",
    "TimestampPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "MaxConcurrencyPath",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
)
TEMPLATES = ("Parameters", "ResultSelector", "ItemSelector", "Assign")
NUMBERS = ("Seconds", "TimeoutSeconds", "HeartbeatSeconds", "MaxConcurrency", "ToleratedFailureCount")
EXPRESSIONS = (
    "Arguments",
    "Output",
    "Assign",
    "Items",
    "ItemSelector",
    "Condition",
    "Seconds",
    "Timestamp",
    "Error",
    "Cause",
)
RETRIER = frozenset(
    {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy", "Comment"}
)
CATCHER = frozenset({"ErrorEquals", "Next", "ResultPath", "Assign", "Output", "Comment"})
MOST_ATTEMPTS = 99_999_999
Found = Iterator[Diagnostic]


def check(state: dict[str, Any], place: str, language: str) -> Found:
    if language == JSONATA:
        for name in EXPRESSIONS:
            if name in state:
                yield from expressions(state[name], f"{place}/{name}")
    else:
        yield from path_fields(state, place)
    yield from numbers(state, place, language)
    moment = state.get("Timestamp")
    is_moment = timestamps.parse(moment) is not None or (language == JSONATA and jsonata_text.is_expression(moment))
    if "Timestamp" in state and not is_moment:
        yield Diagnostic(SCHEMA, "Value is not a valid timestamp", f"{place}/Timestamp")
    yield from handlers(state, place, language)


# --- JSONPath


def path_fields(state: dict[str, Any], place: str) -> Found:
    for name in PATHS:
        if name in state and state[name] is not None and not paths.is_path(state[name]):
            yield Diagnostic(SCHEMA, "Value is not a valid JSONPath", f"{place}/{name}")
    if "ResultPath" in state and state["ResultPath"] is not None and not paths.is_reference_path(state["ResultPath"]):
        yield Diagnostic(SCHEMA, "Value is not a Reference Path", f"{place}/ResultPath")
    for name in NUMBER_PATHS:
        if name in state and not paths.is_path(state[name]):
            yield Diagnostic(SCHEMA, "Value is not a Reference Path", f"{place}/{name}")
    for name in ("ErrorPath", "CausePath"):
        if name in state and not is_reference(state[name]):
            yield Diagnostic(SCHEMA, "Value is not a Reference Path or an intrinsic function", f"{place}/{name}")
    for name in TEMPLATES:
        if name in state:
            yield from template(state[name], f"{place}/{name}")


def template(value: Any, place: str) -> Found:
    """Members whose names end in `.$`."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key.endswith(".$"):
                if not is_reference(item):
                    text = (
                        f"The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call"
                    )
                    yield Diagnostic(SCHEMA, text, place)
            else:
                yield from template(item, f"{place}/{key}")
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from template(item, f"{place}[{at}]")


def is_reference(value: Any) -> bool:
    if not intrinsics.is_intrinsic(value):
        return paths.is_path(value)
    try:
        found = intrinsics.parse(value)
    except intrinsics.SyntaxProblem:
        return False
    return all(paths.is_path(path) for path in intrinsics.paths_of(found))


# --- JSONata


def expressions(value: Any, place: str) -> Found:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from expressions(item, f"{place}/{key}")
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from expressions(item, f"{place}[{at}]")
    elif jsonata_text.is_expression(value):
        problem = jsonata_text.syntax_problem(jsonata_text.inner(value))
        if problem is not None:
            yield Diagnostic(SCHEMA, f"The JSONata expression is invalid: {problem}", place)


# --- numbers


def numbers(state: dict[str, Any], place: str, language: str) -> Found:
    for name in NUMBERS:
        if f"{name}Path" in state and name in state:
            yield Diagnostic(SCHEMA, f"Only one of '{name}' and '{name}Path' may be set", place)
        if name not in state:
            continue
        value = state[name]
        if language == JSONATA and jsonata_text.is_expression(value):
            continue
        least = 1 if name in ("TimeoutSeconds", "HeartbeatSeconds") else 0
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            yield Diagnostic(
                SCHEMA,
                "Value must be a positive integer" if least else "Value must be a non-negative integer",
                f"{place}/{name}",
            )
    limit, heartbeat = state.get("TimeoutSeconds"), state.get("HeartbeatSeconds")
    if isinstance(limit, int) and isinstance(heartbeat, int) and heartbeat >= limit:
        yield Diagnostic(SCHEMA, "HeartbeatSeconds must be smaller than TimeoutSeconds", f"{place}/HeartbeatSeconds")


# --- Retry and Catch


def handlers(state: dict[str, Any], place: str, language: str) -> Found:
    for field in ("Retry", "Catch"):
        entries = state.get(field, [])
        if not isinstance(entries, list):
            yield Diagnostic(SCHEMA, "Value must be an array", f"{place}/{field}")
            continue
        for at, entry in enumerate(entries):
            here = f"{place}/{field}[{at}]"
            if not isinstance(entry, dict):
                yield Diagnostic(SCHEMA, "Value must be an object", here)
                continue
            yield from handler(entry, here, field, at == len(entries) - 1)
            if field == "Catch" and "Assign" in entry:
                yield from (expressions if language == JSONATA else template)(entry["Assign"], f"{here}/Assign")


def handler(entry: dict[str, Any], place: str, field: str, is_last: bool) -> Found:
    for name in entry:
        if name not in (RETRIER if field == "Retry" else CATCHER):
            yield unsupported(name, place)
    missing = [name for name in ("ErrorEquals", *(["Next"] if field == "Catch" else [])) if name not in entry]
    if missing:
        yield required(missing, place)
        return
    errors = entry["ErrorEquals"]
    if not isinstance(errors, list) or not errors or not all(isinstance(error, str) for error in errors):
        yield Diagnostic(SCHEMA, "ErrorEquals must be an array with at least one error name", f"{place}/ErrorEquals")
    elif "States.ALL" in errors and len(errors) > 1:
        yield Diagnostic(SCHEMA, "States.ALL must appear alone in ErrorEquals", f"{place}/ErrorEquals")
    elif "States.ALL" in errors and not is_last:
        yield Diagnostic(SCHEMA, f"States.ALL must be in the last {field}", f"{place}/ErrorEquals")
    if field == "Retry":
        yield from retrier(entry, place)


def retrier(entry: dict[str, Any], place: str) -> Found:
    limits = (("IntervalSeconds", 1), ("MaxAttempts", 0), ("MaxDelaySeconds", 1))
    for name, least in limits:
        value = entry.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MOST_ATTEMPTS:
            yield Diagnostic(SCHEMA, f"Value must be an integer of at least {least}", f"{place}/{name}")
    rate = entry.get("BackoffRate", 1.0)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or rate < 1:
        yield Diagnostic(SCHEMA, "Value must be a number of at least 1.0", f"{place}/BackoffRate")
    if entry.get("JitterStrategy", "NONE") not in ("NONE", "FULL"):
        yield Diagnostic(SCHEMA, "Value must be one of: [NONE, FULL]", f"{place}/JitterStrategy")


# --- Choice


def choice_rule(rule: Any, place: str, language: str, *, top: bool) -> Found:
    if not isinstance(rule, dict):
        yield Diagnostic(SCHEMA, "Value must be an object", place)
        return
    if top and "Next" not in rule:
        yield required(["Next"], place)
    if not top and "Next" in rule:
        yield unsupported("Next", place)
    if language == JSONATA:
        if "Condition" not in rule:
            yield required(["Condition"], place)
        else:
            yield from expressions(rule["Condition"], f"{place}/Condition")
        return
    for name in ("And", "Or"):
        if name in rule:
            parts = rule[name]
            if not isinstance(parts, list) or not parts:
                yield Diagnostic(SCHEMA, f"{name} must be an array with at least one rule", f"{place}/{name}")
                return
            for at, part in enumerate(parts):
                yield from choice_rule(part, f"{place}/{name}[{at}]", language, top=False)
            return
    if "Not" in rule:
        yield from choice_rule(rule["Not"], f"{place}/Not", language, top=False)
        return
    if "Variable" not in rule:
        yield required(["Variable"], place)
    elif not paths.is_path(rule["Variable"]):
        yield Diagnostic(SCHEMA, "Value is not a Reference Path", f"{place}/Variable")
    operators = [name for name in rule if name in choices.OPERATORS]
    if len(operators) != 1:
        yield Diagnostic(SCHEMA, "Exactly one comparison operator is required", place)
