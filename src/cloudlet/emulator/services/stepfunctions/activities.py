"""Activities, and the workers that ask for their tasks."""

from __future__ import annotations

from cloudlet.emulator.effects.clock import monotonic
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.stepfunctions.api import (
    CreateActivityInput,
    CreateActivityOutput,
    DeleteActivityInput,
    DeleteActivityOutput,
    DescribeActivityInput,
    DescribeActivityOutput,
    GetActivityTaskInput,
    GetActivityTaskOutput,
    ListActivitiesInput,
    ListActivitiesOutput,
)
from cloudlet.emulator.services.stepfunctions.engine import tasks
from cloudlet.emulator.services.stepfunctions.engine.advance import continued
from cloudlet.emulator.services.stepfunctions.lookup import activity_by_arn
from cloudlet.emulator.services.stepfunctions.names import activity_arn, check_name, read
from cloudlet.emulator.services.stepfunctions.paging import page
from cloudlet.emulator.services.stepfunctions.records import (
    ACTIVITIES,
    ACTIVITY_TASKS,
    TOKENS,
    Activity,
    ActivityTask,
)
from cloudlet.emulator.services.stepfunctions.tags import check_tags

POLL_SECONDS = 60.0  # how long GetActivityTask waits


@read_write
def create_activity(call: Call, request: CreateActivityInput) -> CreateActivityOutput:
    """Idempotent. Raises InvalidName, TooManyTags."""
    name = request["name"]
    check_name(name)
    activity = ACTIVITIES.get(call.tx, call.account_id, call.region, name)
    if activity is None:
        tags = check_tags({tag["key"]: tag.get("value", "") for tag in request.get("tags", ())})
        encryption = dict(request.get("encryptionConfiguration") or {})
        activity = Activity(call.account_id, call.region, name, call.now, encryption, tags)
        ACTIVITIES.put(call.tx, activity)
    return {"activityArn": activity_arn(call, name), "creationDate": activity.created_at}


@read_write
def delete_activity(call: Call, request: DeleteActivityInput) -> DeleteActivityOutput:
    """Deleting what is not there is fine. Raises InvalidArn."""
    arn = read(request["activityArn"], "activity")
    ACTIVITIES.delete(call.tx, arn.account_id, arn.region, arn.name)
    return {}


@read_only
def describe_activity(call: Call, request: DescribeActivityInput) -> DescribeActivityOutput:
    """Raises InvalidArn, ActivityDoesNotExist."""
    activity = activity_by_arn(call, request["activityArn"])
    result: DescribeActivityOutput = {
        "activityArn": request["activityArn"],
        "name": activity.name,
        "creationDate": activity.created_at,
    }
    if activity.encryption:
        result["encryptionConfiguration"] = activity.encryption  # type: ignore[typeddict-item]
    return result


@read_only
def list_activities(call: Call, request: ListActivitiesInput) -> ListActivitiesOutput:
    """Raises InvalidToken."""
    chosen, following = page(list(ACTIVITIES.scan(call.tx, call.account_id, call.region)), dict(request))
    result: ListActivitiesOutput = {
        "activities": [
            {
                "activityArn": activity_arn(call, activity.name),
                "name": activity.name,
                "creationDate": activity.created_at,
            }
            for activity in chosen
        ]
    }
    if following is not None:
        result["nextToken"] = following
    return result


async def get_activity_task(call: Call, request: GetActivityTaskInput) -> GetActivityTaskOutput:
    """Wait up to a minute for a task. Raises InvalidArn, ActivityDoesNotExist."""
    arn = request["activityArn"]
    with call.transaction(read_only=True):
        activity_by_arn(call, arn)
    end = monotonic() + POLL_SECONDS
    while True:
        with call.transaction():
            taken = take(call, arn, request.get("workerName"))
        if taken is not None:
            return {"taskToken": taken.token, "input": taken.input}
        left = end - monotonic()
        if left <= 0:
            return {}
        await call.changed(ACTIVITY_TASKS.prefix(arn), left)


def take(call: Call, arn: str, worker: str | None) -> ActivityTask | None:
    """The task that waits longest; the execution is told who took it."""
    for task in ACTIVITY_TASKS.scan(call.tx, arn, limit=1):
        ACTIVITY_TASKS.delete(call.tx, task.activity_arn, task.scheduled_at, task.token)
        token = TOKENS.get(call.tx, task.token)
        if token is None:
            continue
        with continued(call, token.arn) as run:
            frame = None if run is None else run.find(token.frame_id)
            if run is not None and frame is not None and frame.attempt == token.attempt:
                tasks.started(run, frame, worker)
        return task
    return None
