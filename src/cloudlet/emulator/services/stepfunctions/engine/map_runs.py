"""Distributed Map: its items become executions of their own.

begin          MapStateStarted, MapRunStarted; items are read by a job where an ItemReader names an S3 object
items_read     batches are made, the first children start
child_ended    counts, starts more, decides whether too many have failed
finish         results are collected, or written to S3 by a job (ResultWriter), then the state ends
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.services.stepfunctions.asl.evaluation import Evaluation
from cloudlet.emulator.services.stepfunctions.asl.failures import (
    ITEM_READER,
    RESULT_WRITER,
    TOO_MANY_FAILED,
    StateFailure,
)
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps, loads, size
from cloudlet.emulator.services.stepfunctions.asl.processing import conclude, prepare
from cloudlet.emulator.services.stepfunctions.engine import details, groups
from cloudlet.emulator.services.stepfunctions.engine.frames import PARTS, Frame, Group
from cloudlet.emulator.services.stepfunctions.engine.run import Run
from cloudlet.emulator.services.stepfunctions.engine.steps import leave
from cloudlet.emulator.services.stepfunctions.records import EXECUTIONS, ITEMS, MAP_RUNS, Execution, Item, MapRun

START = "stepfunctions.start_child"
READ = "stepfunctions.read_items"
WRITE = "stepfunctions.write_results"
ABORT = "stepfunctions.abort_child"
DISTRIBUTED_CONCURRENCY = 1000  # AWS allows 10,000; so many child executions at a time are plenty here
MOST_BATCH_BYTES = 262_144
TOLERATED = "The specified tolerated failure threshold was exceeded"
LIMITS = (
    ("ToleratedFailureCount", "toleratedFailureCount"),
    ("ToleratedFailurePercentage", "toleratedFailurePercentage"),
    ("MaxConcurrency", "maxConcurrency"),
)
STATUSES = ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten")


def is_distributed(state: dict[str, Any]) -> bool:
    processor = state[groups.processor_of(state)]
    return bool(processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED")


def begin(run: Run, frame: Frame) -> None:
    """Raises StateFailure."""
    state = run.state_of(frame)
    jsonata = run.jsonata(state)
    evaluation = run.evaluation(frame)
    frame.attempt += 1
    data = prepare(state, jsonata, evaluation, frame.input, {})
    groups.clear(run, frame)
    frame.data = data
    reader = state.get("ItemReader")
    items = None if reader else groups.items_of(state, jsonata, evaluation, data)
    started = run.note(frame, "MapStateStarted", {"length": len(items or ())})
    concurrency = groups.concurrency_of(state, jsonata, evaluation, data)
    tolerated = (
        groups.number_of(state, "ToleratedFailureCount", jsonata, evaluation, data) or 0,
        groups.number_of(state, "ToleratedFailurePercentage", jsonata, evaluation, data) or 0,
    )
    frame.group = Group(
        "run", 0, min(concurrency or DISTRIBUTED_CONCURRENCY, DISTRIBUTED_CONCURRENCY), started, started, started
    )
    frame.group.tolerated_count, frame.group.tolerated_percentage = int(tolerated[0]), float(tolerated[1])
    frame.phase = PARTS
    record(run, frame, frame.group, state, concurrency)
    frame.group.last_event = run.note(frame, "MapRunStarted", {"mapRunArn": frame.group.map_run_arn})
    if reader:
        arguments = reader.get("Arguments" if jsonata else "Parameters", {})
        if jsonata:
            arguments = evaluation.expressions("ItemReader/Arguments", arguments, {"input": data})
        else:
            arguments = evaluation.template(arguments, data)
        config = reader_config(reader, evaluation, jsonata, data)
        if config.get("MaxItems", 1) < 1:
            items_read(run, frame, {"error": ITEM_READER, "cause": "field MaxItems must be positive"})
            return
        asked = {
            "resource": reader.get("Resource", ""),
            "arguments": arguments,
            "config": config,
        }
        run.later_job(READ, {**address(run, frame), "asked": asked}, run.now)
        return
    items_read(run, frame, {"items": items})


def reader_config(reader: dict[str, Any], evaluation: Evaluation, jsonata: bool, data: Any) -> dict[str, Any]:
    config = dict(reader.get("ReaderConfig", {}))
    given = config.get("MaxItems")
    if isinstance(given, int) and given < 1:
        return config
    if "MaxItemsPath" in config:
        given = evaluation.named_path("MaxItemsPath", config["MaxItemsPath"], data)
        if isinstance(given, int) and not isinstance(given, bool) and given < 0:
            return {**config, "MaxItems": given}
    limit = groups.number_of(config, "MaxItems", jsonata, evaluation, data)
    if limit:
        config["MaxItems"] = int(limit)
    return config


def address(run: Run, frame: Frame) -> dict[str, Any]:
    return {"arn": run.arn, "frame": frame.frame_id, "attempt": frame.attempt}


def record(run: Run, frame: Frame, group: Group, state: dict[str, Any], concurrency: int) -> None:
    """The Map run's record."""
    execution, ids = run.execution, run.call.ids
    label = state.get("Label") or ids.uuid()
    prefix = run.arn.rpartition(":execution:")[0]
    group.map_run_arn = f"{prefix}:mapRun:{execution.machine}/{label}:{ids.uuid()}"
    group.map_name = label
    none = dict.fromkeys(STATUSES, 0)
    MAP_RUNS.put(
        run.tx,
        MapRun(
            group.map_run_arn,
            execution.account_id,
            execution.region,
            execution.machine,
            run.arn,
            execution.machine_arn,
            frame.frame_id,
            "RUNNING",
            run.now,
            None,
            concurrency,
            group.tolerated_count,
            group.tolerated_percentage,
            none,
            dict(none),
        ),
    )


# --- items


def items_read(run: Run, frame: Frame, outcome: dict[str, Any]) -> None:
    """The items are known. Raises StateFailure."""
    group = frame.group
    if group is None:
        return
    if "error" in outcome:
        end_run(run, frame, "FAILED", outcome.get("error", ITEM_READER), outcome.get("cause"))
        raise StateFailure(outcome.get("error", ITEM_READER), outcome.get("cause"))
    state = run.state_of(frame)
    jsonata = run.jsonata(state)
    inputs = []
    for index, item in enumerate(outcome["items"]):
        given, told = groups.item_input(state, jsonata, run.evaluation(frame), frame.data, index, item)
        inputs.append((given, told))
    batcher = state.get("ItemBatcher")
    if batcher is None:
        children = [(given, told, 1) for given, told in inputs]
    else:
        children = batched(run, frame, batcher, jsonata, [given for given, _ in inputs])
    group.total = len(children)
    count(run, group, items=len(inputs), children=len(children))
    for index, (given, told, number) in enumerate(children):
        value = {"input": given, "item": told, "count": number}
        ITEMS.put(run.tx, Item(run.arn, frame.frame_id, index, "waiting", value))
    start_children(run, frame, group)
    if not children:
        finish(run, frame)


def batched(
    run: Run, frame: Frame, batcher: dict[str, Any], jsonata: bool, items: list[Any]
) -> list[tuple[Any, dict[str, Any], int]]:
    """`ItemBatcher`: several items are the input of one child. Raises StateFailure."""
    evaluation = run.evaluation(frame)
    most = groups.number_of(batcher, "MaxItemsPerBatch", jsonata, evaluation, frame.data)
    most_bytes = groups.number_of(batcher, "MaxInputBytesPerBatch", jsonata, evaluation, frame.data) or MOST_BATCH_BYTES
    shared = batcher.get("BatchInput")
    base: dict[str, Any] = {}
    if shared is not None:
        told = (
            evaluation.expressions("ItemBatcher/BatchInput", shared, {"input": frame.data})
            if jsonata
            else evaluation.template(shared, frame.data)
        )
        base["BatchInput"] = told
    empty = size(dumps({"Items": [], **base}))
    batches: list[list[Any]] = []
    used = 0
    for item in items:
        needed = size(dumps(item)) + 1
        if not batches or (most and len(batches[-1]) >= most) or used + needed > most_bytes:
            batches.append([])
            used = empty
        batches[-1].append(item)
        used += needed
    return [
        ({"Items": batch, **base}, {"Index": index, "Value": batch}, len(batch)) for index, batch in enumerate(batches)
    ]


# --- children


def start_children(run: Run, frame: Frame, group: Group) -> None:
    """As many as may run at a time; each is started by a job."""
    running = group.following - group.done - group.failed
    while group.following < group.total and running < group.concurrency:
        run.later_job(START, {**address(run, frame), "index": group.following}, run.now)
        group.following += 1
        running += 1


def child_of(run: Run, frame: Frame, index: int) -> Execution | None:
    """The record of a child that is to be started; None when it was started before."""
    item = ITEMS.get(run.tx, run.arn, frame.frame_id, index)
    group = frame.group
    if item is None or group is None or item.status != "waiting":
        return None
    state = run.state_of(frame)
    processor = state[groups.processor_of(state)]
    execution, ids = run.execution, run.call.ids
    name = ids.uuid()
    prefix, _, _ = run.arn.rpartition(":execution:")
    definition = {key: value for key, value in processor.items() if key != "ProcessorConfig"}
    definition.setdefault("QueryLanguage", run.machine.get("QueryLanguage", "JSONPath"))
    kind = processor.get("ProcessorConfig", {}).get("ExecutionType", "STANDARD")
    arn = f"{prefix}:{'execution' if kind == 'STANDARD' else 'express'}:{execution.machine}/{group.map_name}:{name}"
    if kind == "EXPRESS":
        arn += f":{ids.uuid()}"
    ITEMS.put(run.tx, replace(item, status="running", child=arn))
    return Execution(
        arn=arn,
        account_id=execution.account_id,
        region=execution.region,
        machine=execution.machine,
        name=name,
        type=kind,
        machine_arn=f"{execution.machine_arn}/{group.map_name}",
        version_arn=None,
        alias_arn=None,
        definition=dumps(definition),
        role_arn=execution.role_arn,
        revision_id=execution.revision_id,
        input=dumps(item.value["input"]),
        started_at=run.now,
        map_run_arn=group.map_run_arn,
        map_item=item.value["item"],
        item_count=item.value["count"] if "ItemBatcher" in state else None,
        waiter=[run.arn, frame.frame_id, frame.attempt, index],
    )


def child_ended(run: Run, frame: Frame, ended: dict[str, Any]) -> None:
    """A child has ended: `index`, `arn`. Raises StateFailure."""
    group = frame.group
    child = EXECUTIONS.get(run.tx, ended["arn"])
    item = ITEMS.get(run.tx, run.arn, frame.frame_id, ended["index"])
    if group is None or child is None or item is None or item.status != "running":
        return
    good = child.status == "SUCCEEDED"
    value = loads(child.output or "null") if good else item.value
    ITEMS.put(
        run.tx,
        replace(item, status="done" if good else "failed", value=value, error=child.error, cause=child.cause),
    )
    if good:
        group.done += 1
    else:
        group.failed += 1
    number = item.value.get("count", 1) if isinstance(item.value, dict) else 1
    count_end(run, group, child.status, number)
    if not good and exceeded(group):
        end_run(run, frame, "FAILED", TOO_MANY_FAILED, TOLERATED)
        raise StateFailure(TOO_MANY_FAILED, TOLERATED)
    if group.done + group.failed == group.total:
        finish(run, frame)
    else:
        start_children(run, frame, group)


def exceeded(group: Group) -> bool:
    return too_many(group.failed, group.total, group.tolerated_count, group.tolerated_percentage)


def too_many(failed: int, total: int, tolerated_count: int, tolerated_percentage: float) -> bool:
    """Whether more children have failed than are tolerated; either threshold decides where both are given."""
    if tolerated_count and failed > tolerated_count:
        return True
    if tolerated_percentage:
        return failed * 100 > tolerated_percentage * total
    return not tolerated_count and failed > 0


def inspected(
    state: dict[str, Any], jsonata: bool, evaluation: Evaluation, data: Any, items: list[Any] | None
) -> dict[str, Any]:
    """What TestState shows of a Map: its items before and after selection, and its limits. Raises StateFailure."""
    found: dict[str, Any] = {}
    if items is None:
        items = groups.items_of(state, jsonata, evaluation, data)
    if not jsonata:
        found["afterItemsPath"] = items
    inputs = []
    context = evaluation.context
    for index, item in enumerate(items):
        evaluation.context = context
        inputs.append(groups.item_input(state, jsonata, evaluation, data, index, item)[0])
    evaluation.context = context
    if "ItemSelector" in state or "Parameters" in state:
        found["afterItemSelector"] = inputs
    found["itemCount"] = len(items)
    found["maxConcurrency"] = 0
    for field, member in LIMITS:
        value = groups.number_of(state, field, jsonata, evaluation, data)
        if value is not None:
            found[member] = float(value) if field.endswith("Percentage") else int(value)
    return found


# --- the end


def finish(run: Run, frame: Frame) -> None:
    """All children have ended. Raises StateFailure."""
    state = run.state_of(frame)
    writer = state.get("ResultWriter")
    if writer and (writer.get("Resource") or writer.get("Arguments") or writer.get("Parameters")):
        jsonata = run.jsonata(state)
        evaluation = run.evaluation(frame)
        arguments = writer.get("Arguments" if jsonata else "Parameters", {})
        if jsonata:
            arguments = evaluation.expressions("ResultWriter/Arguments", arguments, {"input": frame.data})
        else:
            arguments = evaluation.template(arguments, frame.data)
        run.later_job(WRITE, {**address(run, frame), "arguments": arguments}, run.now)
        return
    results = [item.value for item in ITEMS.scan(run.tx, run.arn, frame.frame_id) if item.status == "done"]
    conclude_run(run, frame, results)


def results_written(run: Run, frame: Frame, outcome: dict[str, Any]) -> None:
    """A job has written the results to S3. Raises StateFailure."""
    if frame.group is None:
        return
    if "error" in outcome:
        end_run(run, frame, "FAILED", RESULT_WRITER, outcome.get("cause"))
        raise StateFailure(RESULT_WRITER, outcome.get("cause"))
    found = MAP_RUNS.get(run.tx, frame.group.map_run_arn)
    if found is not None:
        counts = {**found.counts, "resultsWritten": found.counts["total"]}
        items = {**found.items, "resultsWritten": found.items["total"]}
        MAP_RUNS.put(run.tx, replace(found, counts=counts, items=items))
    conclude_run(run, frame, outcome["result"])


def conclude_run(run: Run, frame: Frame, result: Any) -> None:
    end_run(run, frame, "SUCCEEDED")
    succeeded = frame.last_event
    run.note(frame, "MapStateSucceeded")
    frame.last_event = succeeded  # AWS's events of leaving the state follow the Map run's, too
    state = run.state_of(frame)
    conclusion = conclude(state, run.jsonata(state), run.evaluation(frame), frame.input, result, {})
    groups.clear(run, frame)
    leave(run, frame, conclusion)


def end_run(run: Run, frame: Frame, status: str, error: str | None = None, cause: str | None = None) -> None:
    group = frame.group
    if group is None:
        return
    if status == "SUCCEEDED":
        run.note(frame, "MapRunSucceeded")
    else:
        run.note(frame, "MapRunFailed", details.failure(error, cause))
        run.note(frame, "MapStateFailed")
    stop(run, group, status)


def stop(run: Run, group: Group, status: str) -> None:
    """The Map run is over; what still runs of it is aborted."""
    found = MAP_RUNS.get(run.tx, group.map_run_arn)
    if found is None or found.status != "RUNNING":
        return
    MAP_RUNS.put(run.tx, replace(found, status=status, stopped_at=run.now))
    if status != "SUCCEEDED":
        for item in ITEMS.scan(run.tx, run.arn, found.frame_id):
            if item.status == "running" and item.child:
                run.later_job(ABORT, {"arn": item.child}, run.now)


def count(run: Run, group: Group, items: int, children: int) -> None:
    found = MAP_RUNS.get(run.tx, group.map_run_arn)
    if found is not None:
        counts = {**found.counts, "total": children, "pending": children}
        of_items = {**found.items, "total": items, "pending": items}
        MAP_RUNS.put(run.tx, replace(found, counts=counts, items=of_items))


def count_end(run: Run, group: Group, status: str, items: int) -> None:
    member = {"SUCCEEDED": "succeeded", "FAILED": "failed", "TIMED_OUT": "timedOut"}.get(status, "aborted")
    found = MAP_RUNS.get(run.tx, group.map_run_arn)
    if found is not None:
        MAP_RUNS.put(
            run.tx, replace(found, counts=moved(found.counts, member, 1), items=moved(found.items, member, items))
        )


def moved(counts: dict[str, int], member: str, number: int) -> dict[str, int]:
    changed = {**counts, "pending": counts["pending"] - number, member: counts[member] + number}
    if member == "succeeded":
        changed["resultsWritten"] = counts["resultsWritten"] + number
    return changed
