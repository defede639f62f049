"""Is a definition one? Everything that is wrong with it, with AWS's codes, words and places.

    diagnose(text, "STANDARD")        # every Diagnostic, in the order in which AWS tells them
    described(diagnostics)            # as InvalidDefinition has them

Whole machine: `graphs`. One state: here. Fields that hold expressions: `field_checks`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.services.stepfunctions.asl import field_checks, graphs
from cloudlet.emulator.services.stepfunctions.asl.diagnostics import SCHEMA, Diagnostic, required, unsupported
from cloudlet.emulator.services.stepfunctions.asl.json_text import complaint
from cloudlet.emulator.services.stepfunctions.asl.processing import JSONATA, JSONPATH
from cloudlet.emulator.services.stepfunctions.integrations.resources import find

COMMON = frozenset({"Type", "Comment", "QueryLanguage"})
FLOW = frozenset({"Next", "End"})
FIELDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Pass": FLOW | {"Result", "Assign"},
        "Task": FLOW | {"Resource", "Assign", "Retry", "Catch", "TimeoutSeconds", "HeartbeatSeconds", "Credentials"},
        "Choice": frozenset({"Choices", "Default", "Assign"}),
        "Wait": FLOW | {"Seconds", "Timestamp", "Assign"},
        "Succeed": frozenset(),
        "Fail": frozenset({"Error", "Cause"}),
        "Parallel": FLOW | {"Branches", "Assign", "Retry", "Catch"},
        "Map": FLOW
        | {
            "ItemProcessor",
            "Iterator",
            "ItemSelector",
            "ItemReader",
            "ItemBatcher",
            "ResultWriter",
            "MaxConcurrency",
            "ToleratedFailureCount",
            "ToleratedFailurePercentage",
            "Label",
            "Assign",
            "Retry",
            "Catch",
        },
    }
)
PATH_FIELDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Pass": frozenset({"InputPath", "OutputPath", "ResultPath", "Parameters"}),
        "Task": frozenset(
            {
                "InputPath",
                "OutputPath",
                "ResultPath",
                "Parameters",
                "ResultSelector",
                "TimeoutSecondsPath",
                "HeartbeatSecondsPath",
            }
        ),
        "Choice": frozenset({"InputPath", "OutputPath"}),
        "Wait": frozenset({"InputPath", "OutputPath", "SecondsPath", "TimestampPath"}),
        "Succeed": frozenset({"InputPath", "OutputPath"}),
        "Fail": frozenset({"ErrorPath", "CausePath"}),
        "Parallel": frozenset({"InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector"}),
        "Map": frozenset(
            {
                "InputPath",
                "OutputPath",
                "ResultPath",
                "Parameters",
                "ResultSelector",
                "ItemsPath",
                "MaxConcurrencyPath",
                "ToleratedFailureCountPath",
                "ToleratedFailurePercentagePath",
            }
        ),
    }
)
JSONATA_FIELDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Pass": frozenset({"Output"}),
        "Task": frozenset({"Arguments", "Output"}),
        "Choice": frozenset({"Output"}),
        "Wait": frozenset({"Output"}),
        "Succeed": frozenset({"Output"}),
        "Fail": frozenset(),
        "Parallel": frozenset({"Arguments", "Output"}),
        "Map": frozenset({"Items", "Output"}),
    }
)
PROCESSOR_FIELDS = frozenset({"Comment", "StartAt", "States", "ProcessorConfig"})
LABEL = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]{1,40}")
MOST_STATE_NAME = 80
Found = Iterator[Diagnostic]


def diagnose(text: str, kind: str = "STANDARD") -> list[Diagnostic]:
    """Nothing where the definition is good."""
    try:
        machine = json.loads(text)
    except ValueError:
        return [Diagnostic("INVALID_JSON_DESCRIPTION", complaint(text), None)]
    if not isinstance(machine, dict):
        return [Diagnostic("INVALID_JSON_DESCRIPTION", "The definition must be a JSON object", None)]
    language = machine.get("QueryLanguage", JSONPATH)
    found = list(machine_level(machine))
    if not found:
        found += scope(machine, "", language, kind)
    if not found:
        found += graphs.check(machine)
    return found


def diagnose_state(state: Any) -> list[Diagnostic]:
    """The same of one state alone, as TestState takes it."""
    found = list(state_level(state, "", "", JSONPATH, "STANDARD"))
    return [Diagnostic(one.code, one.message, one.location or "/") for one in found]


def machine_level(machine: dict[str, Any]) -> Found:
    if machine.get("QueryLanguage", JSONPATH) not in (JSONPATH, JSONATA):
        yield Diagnostic(SCHEMA, f"Value must be one of: [{JSONPATH}, {JSONATA}]", "/QueryLanguage")
    limit = machine.get("TimeoutSeconds")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit <= 0):
        yield Diagnostic(SCHEMA, "Value must be a positive integer", "/TimeoutSeconds")


def scope(holder: Any, place: str, language: str, kind: str) -> Found:
    """What holds StartAt and States: the machine, a branch, an item processor."""
    if not isinstance(holder, dict):
        yield Diagnostic(SCHEMA, "Value must be an object", place or "/")
        return
    missing = [name for name in ("StartAt", "States") if name not in holder]
    if missing:
        yield required(missing, place or "/")
        return
    if not isinstance(holder["StartAt"], str):
        yield Diagnostic(SCHEMA, "Value must be a string", f"{place}/StartAt")
    states = holder["States"]
    if not isinstance(states, dict) or not states:
        yield Diagnostic(SCHEMA, "States must be an object with at least one state", f"{place}/States")
        return
    for name, state in states.items():
        yield from state_level(state, name, f"{place}/States/{name}", language, kind)


def state_level(state: Any, name: str, place: str, language: str, kind: str) -> Found:
    """One state and all that it holds."""
    if not isinstance(state, dict):
        yield Diagnostic(SCHEMA, "Value must be an object", place)
        return
    if len(name) > MOST_STATE_NAME:
        yield Diagnostic(SCHEMA, f"State name '{name}' is longer than {MOST_STATE_NAME} characters", place)
    if "Type" not in state:
        yield required(["Type"], place)
        return
    if state["Type"] not in FIELDS:
        yield Diagnostic(SCHEMA, f"Value must be one of: [{', '.join(FIELDS)}]", f"{place}/Type")
        return
    yield from fields(state, place, language)
    own = state.get("QueryLanguage", language)
    yield from flow(state, place)
    yield from SPECIFIC.get(state["Type"], nothing)(state, place, own, kind)
    yield from field_checks.check(state, place, own)
    if state["Type"] == "Parallel":
        for at, branch in enumerate(state.get("Branches", ())):
            yield from scope(branch, f"{place}/Branches[{at}]", language, kind)
    if state["Type"] == "Map":
        processor = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
        if isinstance(state.get(processor), dict):
            for field in sorted(set(state[processor]) - PROCESSOR_FIELDS):
                yield unsupported(field, f"{place}/{processor}")
        if processor in state:
            yield from scope(state[processor], f"{place}/{processor}", language, kind)


def nothing(state: dict[str, Any], place: str, language: str, kind: str) -> Found:
    return iter(())


def fields(state: dict[str, Any], place: str, language: str) -> Found:
    """Fields that the type, or the query language, does not have."""
    kind = state["Type"]
    own = state.get("QueryLanguage", language)
    if own not in (JSONPATH, JSONATA):
        yield Diagnostic(SCHEMA, f"Value must be one of: [{JSONPATH}, {JSONATA}]", f"{place}/QueryLanguage")
        return
    if own == JSONPATH and language == JSONATA:
        text = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
        yield Diagnostic(SCHEMA, text, place)
    other, other_name = (JSONATA_FIELDS, JSONATA) if own == JSONPATH else (PATH_FIELDS, JSONPATH)
    allowed = COMMON | FIELDS[kind] | (PATH_FIELDS if own == JSONPATH else JSONATA_FIELDS)[kind]
    for name in state:
        if name in allowed:
            continue
        if name in other[kind]:
            yield Diagnostic(
                SCHEMA,
                f"The QueryLanguage is set to '{own}', but field '{name}' is only supported for the '{other_name}' "
                "QueryLanguage",
                place,
            )
        else:
            yield unsupported(name, place)


def flow(state: dict[str, Any], place: str) -> Found:
    """Next or End."""
    if not FLOW & FIELDS[state["Type"]]:
        return
    if "Next" in state and "End" in state and state["End"] is True:
        yield Diagnostic(SCHEMA, "Only one of 'Next' and 'End' may be set", place)
    elif "Next" not in state and state.get("End") is not True:
        yield Diagnostic(SCHEMA, "One of these fields is required: [Next, End]", place)
    if "End" in state and not isinstance(state["End"], bool):
        yield Diagnostic(SCHEMA, "Value must be a boolean", f"{place}/End")
    if "Next" in state and not isinstance(state["Next"], str):
        yield Diagnostic(SCHEMA, "Value must be a string", f"{place}/Next")


# --- what single types need


def task(state: dict[str, Any], place: str, language: str, kind: str) -> Found:
    if "Resource" not in state:
        yield required(["Resource"], place)
        return
    target = find(state["Resource"])
    if target is None:
        text = (
            f"The resource provided {state['Resource']} is not recognized. The value is not a valid resource ARN, or the "
            "resource is not available in this region."
        )
        yield Diagnostic(SCHEMA, text, f"{place}/Resource")
    elif kind == "EXPRESS" and (target.pattern or target.kind == "activity"):
        what = (
            "activities" if target.kind == "activity" else f"'.{target.resource.partition('.')[2]}' service integration"
        )
        yield Diagnostic(SCHEMA, f"Express state machine does not support {what}", f"{place}/Resource")


def choice(state: dict[str, Any], place: str, language: str, kind: str) -> Found:
    rules = state.get("Choices")
    if rules is None:
        yield required(["Choices"], place)
    elif not isinstance(rules, list) or not rules:
        yield Diagnostic(SCHEMA, "Choices must be an array with at least one rule", f"{place}/Choices")
    else:
        for at, rule in enumerate(rules):
            yield from field_checks.choice_rule(rule, f"{place}/Choices[{at}]", language, top=True)


def wait(state: dict[str, Any], place: str, language: str, kind: str) -> Found:
    given = [name for name in ("Seconds", "Timestamp", "SecondsPath", "TimestampPath") if name in state]
    if len(given) != 1:
        names = "[Seconds, Timestamp]" if language == JSONATA else "[Seconds, Timestamp, SecondsPath, TimestampPath]"
        yield Diagnostic(SCHEMA, f"Exactly one of these fields is required: {names}", place)


def fail(state: dict[str, Any], place: str, language: str, kind: str) -> Found:
    for name in ("Error", "Cause"):
        if name in state and f"{name}Path" in state:
            yield Diagnostic(SCHEMA, f"Only one of '{name}' and '{name}Path' may be set", place)


def parallel(state: dict[str, Any], place: str, language: str, kind: str) -> Found:
    if "Branches" not in state:
        yield required(["Branches"], place)
    elif not isinstance(state["Branches"], list) or not state["Branches"]:
        yield Diagnostic(SCHEMA, "Branches must be an array with at least one branch", f"{place}/Branches")


def map_state(state: dict[str, Any], place: str, language: str, kind: str) -> Found:
    if "ItemProcessor" not in state and "Iterator" not in state:
        yield required(["ItemProcessor"], place)
        return
    processor = state.get("ItemProcessor")
    mode = processor.get("ProcessorConfig", {}).get("Mode", "INLINE") if isinstance(processor, dict) else "INLINE"
    if mode not in ("INLINE", "DISTRIBUTED"):
        yield Diagnostic(
            SCHEMA, "Value must be one of: [INLINE, DISTRIBUTED]", f"{place}/ItemProcessor/ProcessorConfig/Mode"
        )
    if mode == "DISTRIBUTED" and kind == "EXPRESS":
        yield Diagnostic(SCHEMA, "Express state machine does not support distributed Map states", place)
    if mode != "DISTRIBUTED":
        for name in ("ItemReader", "ItemBatcher", "ResultWriter", "Label"):
            if name in state:
                yield Diagnostic(SCHEMA, f"Field '{name}' is only supported for distributed Map states", place)
    label = state.get("Label")
    if label is not None and (not isinstance(label, str) or LABEL.fullmatch(label) is None):
        yield Diagnostic(SCHEMA, "Label contains invalid characters or is longer than 40 characters", f"{place}/Label")


SPECIFIC = MappingProxyType(
    {"Task": task, "Choice": choice, "Wait": wait, "Fail": fail, "Parallel": parallel, "Map": map_state}
)
