"""Input and output processing of one state, in either query language.

    prepare    raw input -> what the state works on        InputPath, Parameters / Arguments
    conclude   result -> output and assigned variables     ResultSelector, ResultPath, OutputPath, Assign / Output, Assign

`seen` collects the values between the steps under the names that TestState's inspection data has.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cloudlet.emulator.services.stepfunctions.asl.evaluation import Evaluation
from cloudlet.emulator.services.stepfunctions.asl.failures import DATA_LIMIT, StateFailure
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps, size

JSONATA = "JSONata"
JSONPATH = "JSONPath"
MOST_BYTES = 262_144  # of a state's input or output
WITH_PARAMETERS = frozenset({"Pass", "Task", "Parallel", "Map"})
Seen = dict[str, Any]


class Conclusion(NamedTuple):
    """`assigned` is None where the state has no Assign."""

    output: Any
    assigned: dict[str, Any] | None


def language(state: dict[str, Any], machine: dict[str, Any]) -> str:
    return str(state.get("QueryLanguage") or machine.get("QueryLanguage") or JSONPATH)


def is_jsonata(state: dict[str, Any], machine: dict[str, Any]) -> bool:
    return language(state, machine) == JSONATA


def prepare(state: dict[str, Any], jsonata: bool, evaluation: Evaluation, raw: Any, seen: Seen) -> Any:
    """What the state works on. Raises StateFailure."""
    seen["input"] = raw
    if jsonata:
        if "Arguments" not in state:
            return raw
        seen["afterArguments"] = evaluation.expressions("Arguments", state["Arguments"], {"input": raw})
        return seen["afterArguments"]
    seen["afterInputPath"] = data = evaluation.whole_path(state.get("InputPath", "$"), raw)
    if "Parameters" in state and state["Type"] != "Map":
        data = evaluation.template(state["Parameters"], data)
    if state["Type"] in WITH_PARAMETERS:
        seen["afterParameters"] = data
    return data


def conclude(
    state: dict[str, Any], jsonata: bool, evaluation: Evaluation, raw: Any, result: Any, seen: Seen
) -> Conclusion:
    """The output of a state that succeeded with `result`. Raises StateFailure."""
    seen["result"] = result
    limited(evaluation, result)
    if jsonata:
        states = {"input": raw, "result": result}
        output = result
        if "Output" in state:
            output = evaluation.expressions("Output", state["Output"], states)
        assigned = None
        if "Assign" in state:
            assigned = evaluation.expressions("Assign", state["Assign"], states)
        limited(evaluation, output)
        return Conclusion(output, assigned)
    assigned = evaluation.template(state["Assign"], result) if "Assign" in state else None
    selected = result
    if "ResultSelector" in state:
        selected = evaluation.template(state["ResultSelector"], result)
    seen["afterResultSelector"] = selected
    if state["Type"] == "Pass":  # TestState shows a Pass state's steps in a way of its own
        hidden = ("afterInputPath", "afterParameters") if "Result" in state else ("result",)
        for name in hidden:
            seen.pop(name, None)
    joined = evaluation.put_result(raw, state.get("ResultPath", "$"), selected)
    seen["afterResultPath"] = joined
    output = evaluation.whole_path(state.get("OutputPath", "$"), joined)
    limited(evaluation, output)
    return Conclusion(output, assigned)


def pass_on(
    state: dict[str, Any], jsonata: bool, evaluation: Evaluation, raw: Any, data: Any, seen: Seen
) -> Conclusion:
    """The output of a state without a result of its own (Choice, Wait, Succeed): its input. Raises StateFailure."""
    if jsonata:
        states = {"input": raw}
        output = evaluation.expressions("Output", state["Output"], states) if "Output" in state else raw
        assigned = evaluation.expressions("Assign", state["Assign"], states) if "Assign" in state else None
    else:
        assigned = evaluation.template(state["Assign"], data) if "Assign" in state else None
        output = evaluation.whole_path(state.get("OutputPath", "$"), data)
    limited(evaluation, output)
    return Conclusion(output, assigned)


def caught(
    catcher: dict[str, Any], at: int, jsonata: bool, evaluation: Evaluation, raw: Any, error_output: dict[str, Any]
) -> Conclusion:
    """The output of a state whose failure was caught. Raises StateFailure."""
    if jsonata:
        states = {"input": raw, "errorOutput": error_output}
        field = f"Catch[{at}]"
        output: Any = error_output
        if "Output" in catcher:
            output = evaluation.expressions(f"{field}/Output", catcher["Output"], states)
        assigned = None
        if "Assign" in catcher:
            assigned = evaluation.expressions(f"{field}/Assign", catcher["Assign"], states)
        return Conclusion(output, assigned)
    assigned = evaluation.template(catcher["Assign"], error_output) if "Assign" in catcher else None
    return Conclusion(evaluation.put_result(raw, catcher.get("ResultPath", "$"), error_output), assigned)


def limited(evaluation: Evaluation, value: Any) -> None:
    """Raises StateFailure where the value is larger than a state may hand on."""
    if size(dumps(value)) > MOST_BYTES:
        raise StateFailure(DATA_LIMIT, too_large(evaluation.name))


def too_large(name: str) -> str:
    return f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service limit."
