"""Parallel and inline Map: starting their parts, and going on when a part has ended."""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.services.stepfunctions.asl.evaluation import Evaluation
from cloudlet.emulator.services.stepfunctions.asl.failures import QUERY_EVALUATION, StateFailure
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps
from cloudlet.emulator.services.stepfunctions.asl.processing import conclude, prepare
from cloudlet.emulator.services.stepfunctions.engine import tasks
from cloudlet.emulator.services.stepfunctions.engine.frames import FAILED, PARTS, Frame, Group
from cloudlet.emulator.services.stepfunctions.engine.run import Run
from cloudlet.emulator.services.stepfunctions.engine.steps import leave
from cloudlet.emulator.services.stepfunctions.records import ITEMS, Item

INLINE_CONCURRENCY = 40  # "Map state concurrency": at most about 40 iterations of an inline Map at a time
ABORTED = frozenset({"Task", "Wait", "Parallel", "Map"})  # kinds of states with an event for being aborted


# --- Parallel


def begin_parallel(run: Run, frame: Frame) -> None:
    """Raises StateFailure."""
    state = run.state_of(frame)
    frame.attempt += 1
    data = prepare(state, run.jsonata(state), run.evaluation(frame), frame.input, {})
    clear(run, frame)
    started = run.note(frame, "ParallelStateStarted")
    total = len(state["Branches"])
    frame.group = Group("parallel", total, total, started, started, started)
    frame.phase = PARTS
    for index in range(total):
        ITEMS.put(run.tx, Item(run.arn, frame.frame_id, index, "waiting", data))
    begin_parts(run, frame)


# --- Map


def begin_map(run: Run, frame: Frame) -> None:
    """An inline Map. Raises StateFailure."""
    state = run.state_of(frame)
    jsonata = run.jsonata(state)
    evaluation = run.evaluation(frame)
    frame.attempt += 1
    data = prepare(state, jsonata, evaluation, frame.input, {})
    items = items_of(state, jsonata, evaluation, data)
    wanted = concurrency_of(state, jsonata, evaluation, data)
    clear(run, frame)
    frame.data = data
    started = run.note(frame, "MapStateStarted", {"length": len(items)})
    concurrency = min(wanted or INLINE_CONCURRENCY, INLINE_CONCURRENCY)
    frame.group = Group("map", len(items), concurrency, started, started, started)
    frame.phase = PARTS
    for index, item in enumerate(items):
        ITEMS.put(run.tx, Item(run.arn, frame.frame_id, index, "waiting", item))
    begin_parts(run, frame)
    if not items:
        finish(run, frame)


def items_of(state: dict[str, Any], jsonata: bool, evaluation: Evaluation, data: Any) -> list[Any]:
    """What is iterated over. Raises StateFailure."""
    if jsonata and "Items" not in state:
        if not isinstance(data, list):
            words = f"Map state input must be an array but was: {dumps(data)}"
            raise evaluation.failure(words, QUERY_EVALUATION, "")
        return data
    if jsonata:
        items: list[Any] = evaluation.typed("Items", state["Items"], "array", {"input": data})
        return items
    path = state.get("ItemsPath", "$")
    found = evaluation.whole_path(path, data)
    if not isinstance(found, list):
        raise evaluation.failure(f'Reference path "{path}" must point to array.')
    return found


def concurrency_of(state: dict[str, Any], jsonata: bool, evaluation: Evaluation, data: Any) -> int:
    """0: no limit. Raises StateFailure."""
    return int(number_of(state, "MaxConcurrency", jsonata, evaluation, data) or 0)


def number_of(state: dict[str, Any], field: str, jsonata: bool, evaluation: Evaluation, data: Any) -> float | None:
    """A number in a field, behind a path or in an expression. Raises StateFailure."""
    value = evaluation.number(state, field, jsonata, data)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        text, place = value if isinstance(value, str) else dumps(value), state.get(f"{field}Path", field)
        raise evaluation.failure(
            f'The {field}Path field refers to value "{text}" which is not a valid integer: {place}'
        )
    if value < 0:
        raise evaluation.failure(f"{field} cannot be negative.")
    if field.endswith("Percentage") and value > 100:
        raise evaluation.failure(f"{field} must be between 0 and 100.")
    return value


def item_input(
    state: dict[str, Any], jsonata: bool, evaluation: Evaluation, data: Any, index: int, item: Any
) -> tuple[Any, dict[str, Any]]:
    """(the input of an iteration, the context object's Map.Item). Raises StateFailure."""
    told: dict[str, Any] = {"Index": index, "Value": item}
    selector = state.get("ItemSelector", state.get("Parameters"))
    evaluation.context = {**evaluation.context, "Map": {"Item": told}}
    if selector is None:
        return item, told
    if jsonata:
        return evaluation.expressions("ItemSelector", selector, {"input": data}), told
    return evaluation.template(selector, data), told


# --- parts of both


def processor_of(state: dict[str, Any]) -> str:
    """`Iterator` is the older name."""
    return "ItemProcessor" if "ItemProcessor" in state else "Iterator"


def begin_parts(run: Run, frame: Frame) -> None:
    """As many as may run at a time."""
    group = frame.group
    assert group is not None
    room = group.concurrency - len(group.active)
    for _ in range(min(room, group.total - group.following)):
        begin_part(run, frame, group)


def begin_part(run: Run, frame: Frame, group: Group) -> None:
    index = group.following
    group.following += 1
    state = run.state_of(frame)
    item = ITEMS.get(run.tx, run.arn, frame.frame_id, index)
    value = None if item is None else item.value
    here = [*frame.scope, "States", frame.state]
    if group.kind == "parallel":
        child = run.new_frame(frame, index, [*here, "Branches", index], value, group.started_event)
    else:
        evaluation = run.evaluation(frame)
        try:
            given, told = item_input(state, run.jsonata(state), evaluation, frame.data, index, value)
        except StateFailure as failure:
            run.do_after("failed", frame, failure)
            return
        child = run.new_frame(frame, index, [*here, processor_of(state)], given, group.last_event, told)
    group.active.append(child.frame_id)
    run.do_after("begin_part", child)


def entered(run: Run, child: Frame) -> None:
    """A part begins."""
    parent = run.frame(child.parent or 0)
    if parent.group is not None and parent.group.kind == "map":
        previous = parent.group.following_event
        run.note(child, "MapIterationStarted", {"name": parent.state, "index": child.index}, previous)
    run.do("enter", child)


def part_done(run: Run, child: Frame, output: Any) -> None:
    """A part has ended well. Raises StateFailure."""
    parent = run.frame(child.parent or 0)
    group = parent.group
    if group is None or child.frame_id not in group.active:
        return
    group.following_event = group.last_event = child.last_event
    if group.kind == "map":
        group.last_event = run.note(child, "MapIterationSucceeded", {"name": parent.state, "index": child.index})
    group.active.remove(child.frame_id)
    group.done += 1
    ITEMS.put(run.tx, Item(run.arn, parent.frame_id, child.index, "done", output))
    run.drop(child)
    if group.done == group.total:
        finish(run, parent)
    else:
        begin_parts(run, parent)


def finish(run: Run, frame: Frame) -> None:
    """Every part has ended. Raises StateFailure."""
    group = frame.group
    assert group is not None
    kind = "ParallelStateSucceeded" if group.kind == "parallel" else "MapStateSucceeded"
    results = [item.value for item in ITEMS.scan(run.tx, run.arn, frame.frame_id)]
    run.note(frame, kind, None, group.last_event)
    frame.last_event = group.last_event  # AWS's events of leaving the state follow the last part's, too
    state = run.state_of(frame)
    conclusion = conclude(state, run.jsonata(state), run.evaluation(frame), frame.input, results, {})
    clear(run, frame)
    leave(run, frame, conclusion)


def part_failed(run: Run, child: Frame, error: str | None, cause: str | None) -> None:
    """A part has failed, and so has the whole; what else runs is aborted. Raises StateFailure."""
    parent = run.frame(child.parent or 0)
    group = parent.group
    if group is None or child.frame_id not in group.active:
        return
    child.phase = FAILED
    before = child.last_event
    if group.kind == "map":
        run.note(child, "MapIterationFailed", {"name": parent.state, "index": child.index})
    for number in [number for number in group.active if number != child.frame_id]:
        abort(run, run.frame(number), group.kind == "map")
    parent.last_event = before
    run.note(parent, "ParallelStateFailed" if group.kind == "parallel" else "MapStateFailed")
    state = run.state_of(parent)
    if group.kind == "parallel" and (state.get("Catch") or state.get("Retry")):
        abort_state(run, child)
    raise StateFailure(error, cause)


def abort(run: Run, frame: Frame, iteration: bool) -> None:
    """A part does not go on, because another one failed. It stays where it is, for RedriveExecution."""
    if frame.phase == FAILED:
        return
    if frame.group is not None:
        for number in frame.group.active:
            part = run.find(number)
            if part is not None:
                abort(run, part, frame.group.kind == "map")
    abort_state(run, frame)
    if iteration and frame.parent is not None:
        name = run.frame(frame.parent).state
        run.note(frame, "MapIterationAborted", {"name": name, "index": frame.index})
    if frame.task is not None:
        tasks.forget(run, frame.task)
    frame.phase = FAILED
    frame.attempt += 1


def abort_state(run: Run, frame: Frame) -> None:
    """The event of a state that was entered and will not be left."""
    state = run.state_of(frame)
    if state["Type"] in ABORTED and frame.entered_event:
        run.note(frame, f"{state['Type']}StateAborted")


def clear(run: Run, frame: Frame) -> None:
    """Forget the parts of an earlier attempt, or of a state that is over."""
    group = frame.group
    if group is None:
        return
    for number in group.active:
        part = run.find(number)
        if part is not None:
            clear(run, part)
            if part.task is not None:
                tasks.forget(run, part.task)
            run.drop(part)
    for item in list(ITEMS.scan(run.tx, run.arn, frame.frame_id)):
        ITEMS.delete(run.tx, run.arn, frame.frame_id, item.index)
    frame.group = None
