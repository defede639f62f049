"""Map runs: distributed Maps that were started."""

from __future__ import annotations

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.stepfunctions.api import (
    DescribeMapRunInput,
    DescribeMapRunOutput,
    ListMapRunsInput,
    ListMapRunsOutput,
    UpdateMapRunInput,
    UpdateMapRunOutput,
    ValidationException,
)
from cloudlet.emulator.services.stepfunctions.engine.advance import continued
from cloudlet.emulator.services.stepfunctions.engine.map_runs import DISTRIBUTED_CONCURRENCY, start_children
from cloudlet.emulator.services.stepfunctions.errors import no_such_resource
from cloudlet.emulator.services.stepfunctions.lookup import execution_by_arn
from cloudlet.emulator.services.stepfunctions.names import read
from cloudlet.emulator.services.stepfunctions.paging import page
from cloudlet.emulator.services.stepfunctions.records import EXECUTIONS, MAP_RUNS, MapRun


def map_run_by_arn(call: Call, text: str) -> MapRun:
    """Raises InvalidArn, ResourceNotFound."""
    read(text, "mapRun")
    found = MAP_RUNS.get(call.tx, text)
    if found is None:
        raise no_such_resource(text)
    return found


@read_only
def describe_map_run(call: Call, request: DescribeMapRunInput) -> DescribeMapRunOutput:
    """Raises InvalidArn, ResourceNotFound."""
    found = map_run_by_arn(call, request["mapRunArn"])
    running = sum(one.status == "RUNNING" for one in EXECUTIONS.lookup(call.tx, "by_map_run", found.arn))
    more = {"failuresNotRedrivable": 0, "pendingRedrive": 0}
    counts = {**found.counts, "running": running, "pending": max(found.counts["pending"] - running, 0), **more}
    items = {**found.items, "running": min(running, found.items["pending"]), **more}
    items["pending"] = max(found.items["pending"] - items["running"], 0)
    result: DescribeMapRunOutput = {
        "mapRunArn": found.arn,
        "executionArn": found.execution_arn,
        "status": found.status,
        "startDate": found.started_at,
        "maxConcurrency": found.max_concurrency,
        "toleratedFailureCount": found.tolerated_count,
        "toleratedFailurePercentage": found.tolerated_percentage,
        "executionCounts": counts,  # type: ignore[typeddict-item]
        "itemCounts": items,  # type: ignore[typeddict-item]
        "redriveCount": found.redrive_count,
    }
    if found.stopped_at is not None:
        result["stopDate"] = found.stopped_at
    return result


@read_only
def list_map_runs(call: Call, request: ListMapRunsInput) -> ListMapRunsOutput:
    """Of one execution. Raises ExecutionDoesNotExist, InvalidArn, InvalidToken."""
    execution = execution_by_arn(call, request["executionArn"])
    chosen, following = page(list(MAP_RUNS.lookup(call.tx, "by_execution", execution.arn)), dict(request))
    result: ListMapRunsOutput = {
        "mapRuns": [
            {
                "executionArn": found.execution_arn,
                "mapRunArn": found.arn,
                "stateMachineArn": f"{found.machine_arn}/{found.arn.rpartition('/')[2].partition(':')[0]}",
                "startDate": found.started_at,
                **({} if found.stopped_at is None else {"stopDate": found.stopped_at}),  # type: ignore[typeddict-item]
            }
            for found in chosen
        ]
    }
    if following is not None:
        result["nextToken"] = following
    return result


@read_write
def update_map_run(call: Call, request: UpdateMapRunInput) -> UpdateMapRunOutput:
    """Change the limits of a Map run that is not over. Raises InvalidArn, ResourceNotFound, ValidationException."""
    found = map_run_by_arn(call, request["mapRunArn"])
    if found.status != "RUNNING":
        raise ValidationException(
            "Map Run is not running and cannot be updated", reason="CANNOT_UPDATE_COMPLETED_MAP_RUN"
        )
    concurrency = request.get("maxConcurrency", found.max_concurrency)
    found = replace(
        found,
        max_concurrency=concurrency,
        tolerated_count=request.get("toleratedFailureCount", found.tolerated_count),
        tolerated_percentage=request.get("toleratedFailurePercentage", found.tolerated_percentage),
    )
    MAP_RUNS.put(call.tx, found)
    with continued(call, found.execution_arn) as run:
        frame = None if run is None else run.find(found.frame_id)
        if run is not None and frame is not None and frame.group is not None:
            group = frame.group
            group.concurrency = min(concurrency or DISTRIBUTED_CONCURRENCY, DISTRIBUTED_CONCURRENCY)
            group.tolerated_count = found.tolerated_count
            group.tolerated_percentage = found.tolerated_percentage
            start_children(run, frame, group)
    return {}
