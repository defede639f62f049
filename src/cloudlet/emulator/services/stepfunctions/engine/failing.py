"""Failures of states: Retry, Catch, and what happens when neither takes them."""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.services.stepfunctions.asl.failures import UNRETRIABLE, StateFailure, matches
from cloudlet.emulator.services.stepfunctions.asl.processing import caught
from cloudlet.emulator.services.stepfunctions.engine import groups
from cloudlet.emulator.services.stepfunctions.engine.endings import fail
from cloudlet.emulator.services.stepfunctions.engine.frames import FAILED, RETRY, Frame
from cloudlet.emulator.services.stepfunctions.engine.run import Run
from cloudlet.emulator.services.stepfunctions.engine.steps import leave, wake_later

MOST_ATTEMPTS = 3
INTERVAL_SECONDS = 1
BACKOFF_RATE = 2.0


def handle(run: Run, frame: Frame, failure: StateFailure) -> None:
    """A state failed. Raises StateFailure when its Catch fails in turn."""
    error, cause = failure.error, failure.cause
    if failure.field is not None:
        evaluation_failed(run, frame, failure)
        if run.state_of(frame)["Type"] == "Map" and failure.field in ("", "Items"):
            run.note(frame, "MapStateFailed")
    frame.attempt += 1
    if error in UNRETRIABLE:
        fail(run, frame, error, cause)
        return
    state = run.state_of(frame)
    delay = retry_delay(state, frame, error, run)
    if delay is not None:
        groups.clear(run, frame)
        frame.phase = RETRY
        frame.task = None
        wake_later(run, frame, run.now + delay)
        return
    for at, catcher in enumerate(state.get("Catch", ())):
        if matches(catcher["ErrorEquals"], error):
            groups.clear(run, frame)
            catch(run, frame, state, at, catcher, failure)
            return
    frame.phase = FAILED
    run.do("scope_failed", frame, (error, cause))


def evaluation_failed(run: Run, frame: Frame, failure: StateFailure) -> None:
    told = {"error": failure.error, "cause": failure.cause, "location": failure.field, "state": frame.state}
    run.note(frame, "EvaluationFailed", {name: value for name, value in told.items() if value})


def retry_delay(state: dict[str, Any], frame: Frame, error: str | None, run: Run) -> float | None:
    """Seconds until the state is carried out again; None when no Retry takes the error (any more)."""
    found = retrier_of(state, error)
    if found is None:
        return None
    at, retrier = found
    count = frame.retries.get(str(at), 0)
    if count >= retrier.get("MaxAttempts", MOST_ATTEMPTS):
        return None
    frame.retries[str(at)] = count + 1
    frame.retry_count += 1
    delay = backoff(retrier, count)
    return run.call.ids.random() * delay if retrier.get("JitterStrategy") == "FULL" else delay


def retrier_of(state: dict[str, Any], error: str | None) -> tuple[int, dict[str, Any]] | None:
    """The first Retry that names the error, with its place."""
    for at, retrier in enumerate(state.get("Retry", ())):
        if matches(retrier["ErrorEquals"], error):
            return at, retrier
    return None


def backoff(retrier: dict[str, Any], count: int) -> float:
    """Seconds before attempt `count` + 1, without jitter."""
    delay: float = retrier.get("IntervalSeconds", INTERVAL_SECONDS) * retrier.get("BackoffRate", BACKOFF_RATE) ** count
    longest: float = retrier.get("MaxDelaySeconds", delay)
    return min(delay, longest)


def error_output(failure: StateFailure) -> dict[str, Any]:
    found = {"Error": failure.error, "Cause": failure.cause}
    return found if failure.blank else {name: value for name, value in found.items() if value is not None}


def catch(
    run: Run, frame: Frame, state: dict[str, Any], at: int, catcher: dict[str, Any], failure: StateFailure
) -> None:
    output = error_output(failure)
    jsonata = run.jsonata(state)
    try:
        conclusion = caught(catcher, at, jsonata, run.evaluation(frame), frame.input, output)
    except StateFailure as inner:
        if inner.field is not None:
            evaluation_failed(run, frame, inner)
        fail(run, frame, inner.error, inner.cause)
        return
    leave(run, frame, conclusion, catcher["Next"])
