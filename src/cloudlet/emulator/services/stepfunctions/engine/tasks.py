"""Task states: scheduling what they ask for, and going on with what came of it.

An outcome is one of `{"result": value}`, `{"submitted": value}`, `{"error": …, "cause": …}`, `{"timeout": error}`.
"""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.services.stepfunctions.asl.evaluation import Evaluation
from cloudlet.emulator.services.stepfunctions.asl.failures import DATA_LIMIT, HEARTBEAT_TIMEOUT, TIMEOUT, StateFailure
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps, size
from cloudlet.emulator.services.stepfunctions.asl.processing import MOST_BYTES, conclude, prepare, too_large
from cloudlet.emulator.services.stepfunctions.engine import details
from cloudlet.emulator.services.stepfunctions.engine.frames import ACTIVITY, CALLBACK, TASK, Frame, Task
from cloudlet.emulator.services.stepfunctions.engine.run import Run
from cloudlet.emulator.services.stepfunctions.engine.steps import leave
from cloudlet.emulator.services.stepfunctions.integrations.resources import Target, parse
from cloudlet.emulator.services.stepfunctions.records import ACTIVITIES, ACTIVITY_TASKS, TOKENS, ActivityTask, Token

CALL = "stepfunctions.call"
EXPIRE_TASK = "stepfunctions.expire_task"
TOKEN_CHARACTERS = 256
Outcome = dict[str, Any]


def begin(run: Run, frame: Frame) -> None:
    """Ask for the task. Raises StateFailure."""
    state = run.state_of(frame)
    jsonata = run.jsonata(state)
    target = parse(state["Resource"])
    frame.attempt += 1
    frame.token = run.call.ids.alphanumeric(TOKEN_CHARACTERS) if target.pattern == "token" else ""
    evaluation = run.evaluation(frame)
    arguments = prepare(state, jsonata, evaluation, frame.input, {})
    timeout = seconds(state, "TimeoutSeconds", jsonata, evaluation, frame.input)
    heartbeat = seconds(state, "HeartbeatSeconds", jsonata, evaluation, frame.input)
    frame.task = Task(target.kind, target.resource_type, target.resource, target.pattern, arguments, frame.token)
    frame.task.heartbeat_seconds = heartbeat
    limits: dict[str, Any] = {"timeoutInSeconds": timeout, "heartbeatInSeconds": heartbeat}
    if "Credentials" in state:
        limits["taskCredentials"] = credentials_of(state["Credentials"], jsonata, evaluation, frame.input)
        frame.task.role_arn = limits["taskCredentials"]["roleArn"]
    if target.kind == "activity":
        schedule_activity(run, frame, target, limits)
    else:
        schedule_call(run, frame, target, limits)
    if timeout is not None:
        expire_later(run, frame, TIMEOUT, timeout)
    if heartbeat is not None and target.kind != "activity":
        expire_later(run, frame, HEARTBEAT_TIMEOUT, heartbeat)


def credentials_of(given: dict[str, Any], jsonata: bool, evaluation: Evaluation, data: Any) -> dict[str, Any]:
    """The role that the task is to run as; here every role may do everything. Raises StateFailure."""
    if jsonata:
        found = evaluation.expressions("Credentials", given, {"input": data})
    else:
        found = evaluation.template(given, data)
    return {"roleArn": found.get("RoleArn", "")}


def seconds(state: dict[str, Any], field: str, jsonata: bool, evaluation: Evaluation, data: Any) -> int | None:
    """`TimeoutSeconds` or `HeartbeatSeconds`. Raises StateFailure."""
    value = evaluation.number(state, field, jsonata, data)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise evaluation.failure(f"The {field} parameter is not a positive integer: {dumps(value)}")
    return value


def schedule_call(run: Run, frame: Frame, target: Target, limits: dict[str, Any]) -> None:
    task = frame.task
    assert task is not None
    given = {name: value for name, value in limits.items() if value is not None}
    if target.kind == "lambda":
        scheduled = {"resource": target.arn, "input": dumps(task.arguments), "inputDetails": dict([details.WHOLE])}
        run.note(frame, "LambdaFunctionScheduled", scheduled | given)
        run.note(frame, "LambdaFunctionStarted")
    else:
        named = names(task)
        scheduled = {**named, "region": run.execution.region, "parameters": dumps(task.arguments)}
        run.note(frame, "TaskScheduled", scheduled | given)
        run.note(frame, "TaskStarted", named)
    if task.token:
        TOKENS.put(run.tx, Token(task.token, run.arn, frame.frame_id, frame.attempt))
    frame.phase = TASK
    run.later_job(CALL, {"arn": run.arn, "frame": frame.frame_id, "attempt": frame.attempt}, run.now)


def schedule_activity(run: Run, frame: Frame, target: Target, limits: dict[str, Any]) -> None:
    task = frame.task
    assert task is not None
    task.token = frame.token = run.call.ids.alphanumeric(TOKEN_CHARACTERS)
    given = {name: value for name, value in limits.items() if value is not None}
    parts = target.arn.split(":")
    if not ACTIVITIES.exists(run.tx, parts[4], parts[3], parts[6]):
        raise run.evaluation(frame).failure(f"The activity {target.arn} does not exist.")
    text = dumps(task.arguments)
    scheduled = {"resource": target.arn, "input": text, "inputDetails": dict([details.WHOLE])}
    run.note(frame, "ActivityScheduled", scheduled | given)
    TOKENS.put(run.tx, Token(task.token, run.arn, frame.frame_id, frame.attempt))
    ACTIVITY_TASKS.put(run.tx, ActivityTask(target.arn, run.now, task.token, text))
    frame.phase = ACTIVITY


def expire_later(run: Run, frame: Frame, error: str, after_seconds: float) -> None:
    """Whichever ends first; AWS calls a missed heartbeat States.Timeout, too."""
    payload = {"arn": run.arn, "frame": frame.frame_id, "attempt": frame.attempt, "error": TIMEOUT}
    run.later_job(EXPIRE_TASK, payload, run.now + after_seconds, key=f"{run.arn}/{frame.frame_id}/{error}")


def names(task: Task) -> dict[str, str]:
    return {"resourceType": task.resource_type, "resource": task.resource}


# --- what came of it


def started(run: Run, frame: Frame, worker: str | None) -> None:
    """A worker took the task of an activity."""
    if frame.task is None:
        return
    frame.task.started = True
    run.note(frame, "ActivityStarted", {"workerName": worker} if worker else {})
    if frame.task.heartbeat_seconds is not None:
        expire_later(run, frame, HEARTBEAT_TIMEOUT, frame.task.heartbeat_seconds)


def alive(run: Run, frame: Frame) -> None:
    """SendTaskHeartbeat."""
    if frame.task is not None and frame.task.heartbeat_seconds is not None:
        expire_later(run, frame, HEARTBEAT_TIMEOUT, frame.task.heartbeat_seconds)


def settle(run: Run, frame: Frame, outcome: Outcome) -> None:
    """Go on with an outcome of the frame's current attempt. Raises StateFailure."""
    task = frame.task
    if task is None:
        return
    if "submitted" in outcome:
        run.note(frame, "TaskSubmitted", {**names(task), **details.output(outcome["submitted"])})
        frame.phase, task.submitted = CALLBACK, True
        if task.early is not None:
            settle(run, frame, task.early)
        return
    if task.pattern and frame.phase == TASK and "result" in outcome:
        task.early = outcome  # the callback was faster than the answer of the call
        return
    if "result" in outcome:
        succeed(run, frame, task, outcome["result"])
        return
    forget(run, task)
    if "timeout" in outcome:
        kind, error, cause = "TimedOut", outcome["timeout"], None
    else:
        kind, error, cause = "Failed", outcome.get("error"), outcome.get("cause")
        if task.pattern and frame.phase == TASK and outcome.get("submitting"):
            kind = "SubmitFailed"
    note_failure(run, frame, task, kind, error, cause)
    raise StateFailure(error, cause, blank=bool(outcome.get("blank")))


def note_failure(run: Run, frame: Frame, task: Task, kind: str, error: str | None, cause: str | None) -> None:
    told = details.failure(error, cause)
    if task.kind == "lambda":
        run.note(frame, f"LambdaFunction{kind}", told)
    elif task.kind == "activity":
        run.note(frame, f"Activity{kind}", told)
    else:
        run.note(frame, f"Task{kind}", {**names(task), **told})


def succeed(run: Run, frame: Frame, task: Task, result: Any) -> None:
    forget(run, task)
    if size(dumps(result)) > MOST_BYTES:
        cause = too_large(task.resource if task.kind == "lambda" else task.resource_type)
        note_failure(run, frame, task, "Failed", DATA_LIMIT, cause)
        raise StateFailure(DATA_LIMIT, cause)
    if task.kind == "lambda":
        run.note(frame, "LambdaFunctionSucceeded", details.output(result))
    elif task.kind == "activity":
        run.note(frame, "ActivitySucceeded", details.output(result))
    else:
        run.note(frame, "TaskSucceeded", {**names(task), **details.output(result)})
    state = run.state_of(frame)
    leave(run, frame, conclude(state, run.jsonata(state), run.evaluation(frame), frame.input, result, {}))


def forget(run: Run, task: Task) -> None:
    """The token is used up."""
    if task.token:
        TOKENS.delete(run.tx, task.token)
        waiting = ACTIVITY_TASKS.find(run.tx, "by_token", task.token)
        if waiting is not None:
            ACTIVITY_TASKS.delete(run.tx, waiting.activity_arn, waiting.scheduled_at, waiting.token)
