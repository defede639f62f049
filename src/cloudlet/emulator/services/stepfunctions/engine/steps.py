"""Entering, carrying out and leaving states."""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.services.stepfunctions.asl import choices, timestamps
from cloudlet.emulator.services.stepfunctions.asl.evaluation import Evaluation
from cloudlet.emulator.services.stepfunctions.asl.failures import NO_CHOICE, QUERY_EVALUATION, RUNTIME, StateFailure
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps
from cloudlet.emulator.services.stepfunctions.asl.processing import Conclusion, conclude, pass_on, prepare
from cloudlet.emulator.services.stepfunctions.engine import details
from cloudlet.emulator.services.stepfunctions.engine.frames import ENTER, RETRY, WAIT, Frame
from cloudlet.emulator.services.stepfunctions.engine.run import Run

WAKE = "stepfunctions.wake"
MOST_EVENTS = 25_000


def enter(run: Run, frame: Frame) -> None:
    """The frame's next state begins."""
    if run.events >= MOST_EVENTS and run.execution.type == "STANDARD":
        cause = f"The execution reached the maximum number of history events ({MOST_EVENTS})."
        run.do("failed", frame, StateFailure(RUNTIME, cause))
        return
    state = run.state_of(frame)
    frame.attempt += 1
    frame.entered_at = run.now
    frame.retries, frame.retry_count, frame.token = {}, 0, ""
    frame.task = frame.group = None
    frame.entered_event = run.note(frame, f"{state['Type']}StateEntered", details.entered(frame.state, frame.input))
    run.do("body", frame)


def carry_out(run: Run, frame: Frame) -> None:
    """What the states do that do not wait for others. Raises StateFailure."""
    state = run.state_of(frame)
    evaluation = run.evaluation(frame)
    jsonata = run.jsonata(state)
    kind = state["Type"]
    if kind == "Fail":
        raise StateFailure(*error_of(state, jsonata, evaluation, frame.input))
    if kind == "Pass":
        data = prepare(state, jsonata, evaluation, frame.input, {})
        leave(run, frame, concluded_pass(state, jsonata, evaluation, frame.input, data, {}))
        return
    data = prepare(state, jsonata, evaluation, frame.input, {})
    if kind == "Wait":
        frame.phase = WAIT
        wake_later(run, frame, wait_until(state, jsonata, evaluation, data, run.now))
    elif kind == "Choice":
        choose(run, frame, state, jsonata, evaluation, data)
    else:  # Succeed
        leave(run, frame, pass_on(state, jsonata, evaluation, frame.input, data, {}))


def concluded_pass(
    state: dict[str, Any], jsonata: bool, evaluation: Evaluation, raw: Any, data: Any, seen: dict[str, Any]
) -> Conclusion:
    """A Pass state's `Result`, or what it was given. Raises StateFailure."""
    if jsonata:
        return pass_on(state, jsonata, evaluation, raw, data, seen)
    return conclude(state, jsonata, evaluation, raw, state.get("Result", data), seen)


def leave(run: Run, frame: Frame, conclusion: Conclusion, following: str | None = None) -> None:
    """The state is over: variables are assigned, and the next state is entered or the scope ends."""
    state = run.state_of(frame)
    output, assigned = conclusion
    if assigned is not None:
        frame.variables = {**frame.variables, **assigned}
    run.note(frame, f"{state['Type']}StateExited", details.exited(frame.state, output, assigned))
    frame.attempt += 1
    frame.task = frame.group = frame.data = None
    following = following or state.get("Next")
    if following is None:
        run.do("scope_done", frame, output)
        return
    frame.state, frame.phase, frame.input = following, ENTER, output
    run.do("enter", frame)


# --- Wait


def wake_later(run: Run, frame: Frame, due: float) -> None:
    payload = {"arn": run.arn, "frame": frame.frame_id, "attempt": frame.attempt}
    run.later_job(WAKE, payload, due, key=f"{run.arn}/{frame.frame_id}")


def awake(run: Run, frame: Frame) -> None:
    """The time of a Wait state, or before another attempt, is over. Raises StateFailure."""
    if frame.phase == RETRY:
        run.do("body", frame)
        return
    state = run.state_of(frame)
    jsonata = run.jsonata(state)
    evaluation = run.evaluation(frame)
    data = prepare(state, jsonata, evaluation, frame.input, {})
    leave(run, frame, pass_on(state, jsonata, evaluation, frame.input, data, {}))


def wait_until(state: dict[str, Any], jsonata: bool, evaluation: Evaluation, data: Any, now: float) -> float:
    """When the state ends. Raises StateFailure."""
    states = {"input": data}
    if "Seconds" in state:
        seconds = state["Seconds"]
        if jsonata and isinstance(seconds, str):
            seconds = evaluation.typed("Seconds", seconds, "number", states)
        return now + seconds_of(evaluation, seconds, "Seconds")
    if "SecondsPath" in state:
        seconds = referenced(evaluation, "SecondsPath", state["SecondsPath"], data)
        return now + seconds_of(evaluation, seconds, "SecondsPath")
    if "TimestampPath" in state:
        moment = referenced(evaluation, "TimestampPath", state["TimestampPath"], data)
    else:
        moment = state["Timestamp"]
        if jsonata:
            moment = evaluation.typed("Timestamp", moment, "string", states)
    due = timestamps.parse(moment)
    if due is None and jsonata:
        text = f"The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: {moment}"
        raise evaluation.failure(text, QUERY_EVALUATION, "Timestamp")
    if due is None:
        field = "TimestampPath" if "TimestampPath" in state else "Timestamp"
        value = moment if isinstance(moment, str) else dumps(moment)
        raise evaluation.failure(
            f"The {field} parameter does not reference a valid ISO-8601 extended offset date-time format string: {state[field]} == {value}"
        )
    return due


def referenced(evaluation: Evaluation, field: str, path: str, data: Any) -> Any:
    try:
        return evaluation.named_path(field, path, data)
    except StateFailure:
        raise evaluation.failure(f"The {field} parameter does not reference an input value: {path}") from None


def seconds_of(evaluation: Evaluation, value: Any, field: str) -> float:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole:
        raise evaluation.failure(f"The {field} parameter does not reference a valid integer: {dumps(value)}")
    if value < 0:
        raise evaluation.failure(f"The {field} parameter references a negative value: {dumps(value)}")
    return float(value)


# --- Choice and Fail


def choose(run: Run, frame: Frame, state: dict[str, Any], jsonata: bool, evaluation: Evaluation, data: Any) -> None:
    rule, at = chosen(state, jsonata, evaluation, data)
    if rule is None and "Default" not in state:
        raise no_choice(evaluation)
    leave(
        run,
        frame,
        concluded_choice(state, rule, at, jsonata, evaluation, data),
        (rule or {}).get("Next") or state["Default"],
    )


def no_choice(evaluation: Evaluation) -> StateFailure:
    return evaluation.failure(
        "Failed to transition out of the state. The state does not point to a next state.", NO_CHOICE
    )


def chosen(
    state: dict[str, Any], jsonata: bool, evaluation: Evaluation, data: Any
) -> tuple[dict[str, Any] | None, int]:
    """The first rule that holds, and its place. Raises StateFailure."""
    for at, rule in enumerate(state["Choices"]):
        if jsonata:
            if evaluation.typed(f"Choices[{at}]/Condition", rule["Condition"], "boolean", {"input": data}):
                return rule, at
        elif choices.holds(rule, data, evaluation):
            return rule, at
    return None, -1


def concluded_choice(
    state: dict[str, Any], rule: dict[str, Any] | None, at: int, jsonata: bool, evaluation: Evaluation, data: Any
) -> Conclusion:
    """The output of a Choice: a rule's own Output and Assign come before the state's. Raises StateFailure."""
    fields = {**state} if rule is None else {key: value for key, value in state.items() if key != "Assign"}
    if rule is not None:
        fields |= {key: rule[key] for key in ("Assign", "Output") if key in rule}
    return pass_on(fields, jsonata, evaluation, data, data, {})


def error_of(state: dict[str, Any], jsonata: bool, evaluation: Evaluation, data: Any) -> tuple[str | None, str | None]:
    """Error and cause of a Fail state. Raises StateFailure."""
    found: list[str | None] = []
    for field in ("Error", "Cause"):
        path = state.get(f"{field}Path")
        value = state.get(field)
        if path is not None:
            value = evaluation.named_path(f"{field}Path", path, data)
            if not isinstance(value, str):
                raise evaluation.failure(f"The field '{field}Path' must be a string but found: {dumps(value)}")
        elif jsonata and value is not None:
            value = evaluation.typed(field, value, "string", {"input": data})
        found.append(value)
    return found[0], found[1]
