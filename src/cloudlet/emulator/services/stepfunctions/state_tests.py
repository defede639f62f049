"""TestState: one state, carried out or mocked, without a machine and without anything that is kept.

Source: Step Functions Developer Guide, "Testing state machines with TestState API".
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.stepfunctions import mocks
from cloudlet.emulator.services.stepfunctions.api import (
    InvalidExecutionInput,
    TestStateInput,
    TestStateOutput,
    ValidationException,
)
from cloudlet.emulator.services.stepfunctions.asl import graphs, timestamps
from cloudlet.emulator.services.stepfunctions.asl.definitions import diagnose, diagnose_state
from cloudlet.emulator.services.stepfunctions.asl.diagnostics import described
from cloudlet.emulator.services.stepfunctions.asl.evaluation import Evaluation
from cloudlet.emulator.services.stepfunctions.asl.failures import (
    TOO_MANY_FAILED,
    UNRETRIABLE,
    StateFailure,
    matches,
)
from cloudlet.emulator.services.stepfunctions.asl.json_text import complaint, dumps, loads
from cloudlet.emulator.services.stepfunctions.asl.processing import (
    Conclusion,
    Seen,
    caught,
    conclude,
    is_jsonata,
    pass_on,
    prepare,
)
from cloudlet.emulator.services.stepfunctions.engine import failing, map_runs, steps
from cloudlet.emulator.services.stepfunctions.engine.run import REPEATABLE
from cloudlet.emulator.services.stepfunctions.errors import invalid_definition
from cloudlet.emulator.services.stepfunctions.integrations.perform import Asked, perform
from cloudlet.emulator.services.stepfunctions.integrations.resources import parse

DEFAULT_NAME = "StateName"
NOT_ALONE = (
    "TestState API does not support Map or Parallel states. Supported state types include: "
    "[Task, Wait, Pass, Succeed, Fail, Choice]"
)
TEXTS = ("input", "afterArguments", "afterInputPath", "afterParameters", "result", "afterResultSelector",
         "afterResultPath", "afterItemsPath", "afterItemSelector", "afterItemBatcher", "variables")  # fmt: skip
NUMBERS = ("toleratedFailureCount", "toleratedFailurePercentage", "maxConcurrency")


class Tested(NamedTuple):
    """The state, and what is known around it."""

    name: str
    state: dict[str, Any]
    machine: dict[str, Any]
    evaluation: Evaluation
    given: Any

    @property
    def jsonata(self) -> bool:
        return is_jsonata(self.state, self.machine)


class Ended(NamedTuple):
    """How the state ended well, and where it leads."""

    conclusion: Conclusion
    following: str | None


async def test_state(call: Call, request: TestStateInput) -> TestStateOutput:
    """Raises InvalidDefinition, InvalidExecutionInput, ValidationException."""
    tested = read(call, request)
    mock = request.get("mock")
    mocks.check(tested.name, tested.state, tested.machine, request)
    if mock is None and tested.state["Type"] in ("Map", "Parallel"):
        raise invalid_state(NOT_ALONE)
    seen: Seen = {}
    result: dict[str, Any] = {}
    try:
        ended = await carried_out(call, tested, request, seen)
    except StateFailure as failure:
        result = failed(tested, request, failure, seen)
    else:
        assigned = ended.conclusion.assigned
        if assigned is not None:
            seen["variables"] = {**tested.evaluation.variables, **assigned}
        result = {"status": "SUCCEEDED", "output": output_of(tested, ended, mock)}
        if ended.following is not None:
            result["nextState"] = ended.following
    if request.get("inspectionLevel", "INFO") != "INFO":
        result["inspectionData"] = inspection(seen)
    return result  # type: ignore[return-value]


def output_of(tested: Tested, ended: Ended, mock: Any) -> str:
    """A Map's mocked result that is its output stays as it was written."""
    output = dumps(ended.conclusion.output)
    if tested.state["Type"] == "Map" and mock is not None and "result" in mock:
        text: str = mock["result"]
        return text if dumps(loads(text)) == output else output
    return output


def invalid_state(message: str) -> Exception:
    return invalid_definition(message)


# --- what is to be tested


def read(call: Call, request: TestStateInput) -> Tested:
    """Raises InvalidDefinition, InvalidExecutionInput, ValidationException."""
    name, state, machine = state_of(request)
    given = json_of(request.get("input", "{}"))
    variables = object_of(request.get("variables"), "variables")
    context = context_of(call, name, state["Type"], request, given)
    evaluation = Evaluation(name, None, context, variables, call.now, call.ids.uuid, call.ids.random)
    return Tested(name, state, machine, evaluation, given)


def state_of(request: TestStateInput) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """(name, state, the machine around it). Raises InvalidDefinition, ValidationException."""
    text = request["definition"]
    wanted = request.get("stateName")
    try:
        definition = loads(text)
    except ValueError:
        raise invalid_definition(f"INVALID_JSON_DESCRIPTION: {complaint(text)} at null") from None
    if isinstance(definition, dict) and "States" in definition:
        found = diagnose(text)
        if found:
            raise invalid_definition(described(found))
        if wanted is None:
            raise ValidationException("State name must be specified when a state machine definition is provided")
        states = every_state(definition)
        if wanted not in states:
            raise ValidationException("State not found in definition")
        return wanted, states[wanted], definition
    if wanted is not None:
        raise ValidationException("State not found in definition")
    problems = diagnose_state(definition)
    if problems:
        raise invalid_definition(described(problems))
    return DEFAULT_NAME, definition, {}


def every_state(holder: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All states of a machine by their names, those inside of others too."""
    found: dict[str, dict[str, Any]] = {}
    for name, state in holder["States"].items():
        found.setdefault(name, state)
        for inner, _ in graphs.scopes(state):
            for inner_name, inner_state in every_state(inner).items():
                found.setdefault(inner_name, inner_state)
    return found


def json_of(text: str) -> Any:
    """Raises InvalidExecutionInput."""
    try:
        return loads(text)
    except ValueError:
        raise InvalidExecutionInput(f"Invalid State Machine Execution Input: '{complaint(text)}'") from None


def object_of(text: str | None, member: str) -> dict[str, Any]:
    """Raises ValidationException."""
    if text is None:
        return {}
    try:
        found = loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValidationException(f"{member} must be a JSON object")
    return found


def context_of(call: Call, name: str, kind: str, request: TestStateInput, given: Any) -> dict[str, Any]:
    """The context object: what the request says, else one of an express workflow that has just begun."""
    told = object_of(request.get("context"), "context")
    if told:
        return told
    machine, execution = call.ids.uuid(), call.ids.uuid()
    where = f"arn:{call.partition}:states:{call.region}:{call.account_id}"
    entered = timestamps.written(call.now)
    state: dict[str, Any] = {"EnteredTime": entered, "Name": name}
    if kind in REPEATABLE:
        state["RetryCount"] = request.get("stateConfiguration", {}).get("retrierRetryCount", 0)
    return {
        "Execution": {
            "Id": f"{where}:express:{machine}:{execution}",
            "Input": given,
            "Name": execution,
            "RoleArn": request.get("roleArn", ""),
            "StartTime": entered,
        },
        "State": state,
        "StateMachine": {"Id": f"{where}:stateMachine:{machine}", "Name": machine},
    }


# --- carrying it out


async def carried_out(call: Call, tested: Tested, request: TestStateInput, seen: Seen) -> Ended:
    """Raises StateFailure."""
    state, evaluation, jsonata, given = tested.state, tested.evaluation, tested.jsonata, tested.given
    kind = state["Type"]
    if kind == "Fail":
        seen["input"] = given
        if not jsonata:
            seen["afterInputPath"] = given
        raise StateFailure(*steps.error_of(state, jsonata, evaluation, given))
    data = prepare(state, jsonata, evaluation, given, seen)
    if kind == "Pass":
        return Ended(steps.concluded_pass(state, jsonata, evaluation, given, data, seen), state.get("Next"))
    if kind == "Choice":
        rule, at = steps.chosen(state, jsonata, evaluation, data)
        if rule is None and "Default" not in state:
            raise steps.no_choice(evaluation)
        conclusion = steps.concluded_choice(state, rule, at, jsonata, evaluation, data)
        return Ended(conclusion, (rule or {}).get("Next") or state["Default"])
    if kind == "Wait":
        steps.wait_until(state, jsonata, evaluation, data, call.now)
    if kind in ("Wait", "Succeed"):
        return Ended(pass_on(state, jsonata, evaluation, given, data, seen), state.get("Next"))
    if kind == "Map":
        inspect_map(tested, request, data, seen)
    result = await result_of(call, tested, request, data)
    if kind == "Map":
        ended = Ended(conclude(state, jsonata, evaluation, given, result, seen), state.get("Next"))
        seen.pop("result", None)
        return ended
    return Ended(conclude(state, jsonata, evaluation, given, result, seen), state.get("Next"))


async def result_of(call: Call, tested: Tested, request: TestStateInput, data: Any) -> Any:
    """What the mock says, else what the service answers. Raises StateFailure, InvalidDefinition."""
    mock = request.get("mock")
    if mock is not None:
        if "errorOutput" in mock:
            raise StateFailure(mock["errorOutput"].get("error"), mock["errorOutput"].get("cause"))
        return loads(mock.get("result", "null"))
    target = parse(tested.state["Resource"])
    if target.pattern or target.kind == "activity":
        raise invalid_state(
            "TestState API supports Activity tasks, .sync and .waitForTaskToken integrations only when a mock is specified"
        )
    asked = Asked(target.kind, target.resource_type, target.resource, target.pattern, data, tested.name, None, ())
    outcome = await perform(call, asked)
    if "result" not in outcome:
        raise StateFailure(outcome.get("error"), outcome.get("cause"))
    return outcome["result"]


def inspect_map(tested: Tested, request: TestStateInput, data: Any, seen: Seen) -> None:
    """What a Map would iterate over, and its limits. Raises StateFailure."""
    state, evaluation, jsonata = tested.state, tested.evaluation, tested.jsonata
    source = request.get("stateConfiguration", {}).get("mapItemReaderData")
    items = None if source is None else json_of(source)
    if isinstance(items, list) or "ItemReader" not in state:
        seen.update(map_runs.inspected(state, jsonata, evaluation, data, items if isinstance(items, list) else None))
    failures = request.get("stateConfiguration", {}).get("mapIterationFailureCount")
    total = seen.pop("itemCount", 0)
    if failures is None:
        return
    if failures > total:
        raise ValidationException(
            "The value of mapIterationFailureCount must not exceed the number of items of the Map state"
        )
    limited = "toleratedFailureCount" in seen or "toleratedFailurePercentage" in seen
    tolerated = (seen.get("toleratedFailureCount", 0), seen.get("toleratedFailurePercentage", 0.0))
    if limited and map_runs.too_many(failures, total, int(tolerated[0]), float(tolerated[1])):
        raise StateFailure(TOO_MANY_FAILED, map_runs.TOLERATED)


# --- failures


def failed(tested: Tested, request: TestStateInput, failure: StateFailure, seen: Seen) -> dict[str, Any]:
    """What Retry and Catch make of a failure."""
    state = tested.state
    configured = request.get("stateConfiguration", {})
    result: dict[str, Any] = {"status": "FAILED"}
    if failure.error is not None:
        result["error"] = failure.error
    if failure.cause is not None:
        result["cause"] = failure.cause
    if failure.error in UNRETRIABLE:
        return result
    found = failing.retrier_of(state, failure.error)
    count = configured.get("retrierRetryCount", 0)
    if found is not None and count < found[1].get("MaxAttempts", failing.MOST_ATTEMPTS):
        seen["errorDetails"] = {
            "retryIndex": found[0],
            "retryBackoffIntervalSeconds": int(failing.backoff(found[1], count)),
        }
        return {**result, "status": "RETRIABLE"}
    for at, catcher in enumerate(state.get("Catch", ())):
        if matches(catcher["ErrorEquals"], failure.error):
            told = failing.error_output(failure)
            try:
                conclusion = caught(catcher, at, tested.jsonata, tested.evaluation, tested.given, told)
            except StateFailure as inner:
                return {"status": "FAILED", "error": inner.error, "cause": inner.cause}
            seen["errorDetails"] = {"catchIndex": at}
            if conclusion.assigned is not None:
                seen["variables"] = {**tested.evaluation.variables, **conclusion.assigned}
            output = dumps(conclusion.output)
            return {**result, "status": "CAUGHT_ERROR", "nextState": catcher["Next"], "output": output}
    return result


def inspection(seen: Seen) -> dict[str, Any]:
    found: dict[str, Any] = {name: dumps(seen[name]) for name in TEXTS if name in seen}
    found |= {name: seen[name] for name in (*NUMBERS, "errorDetails") if name in seen}
    return found
