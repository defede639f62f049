"""What Step Functions keeps, and where.

MACHINES, VERSIONS, ALIASES      definitions
ACTIVITIES, ACTIVITY_TASKS       activities, and the tasks that wait for a worker
EXECUTIONS                       what was started: its input, definition and outcome
PROGRESS                         how far an execution is: changes with every step, so it is apart
EVENTS                           the history
FRAMES                           where an execution stands: one for itself, one for each branch and iteration that runs
ITEMS                            inputs and results of a Map's or Parallel's parts
TOKENS                           task tokens -> the task that waits
MAP_RUNS                         distributed Maps
"""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.store.table import Index, Record, Table


class Machine(Record, frozen=True):
    """A state machine. `revision_id` is empty until its first change. `logging`, `tracing`, `encryption` are AWS's."""

    account_id: str
    region: str
    name: str
    definition: str
    role_arn: str
    type: str
    created_at: float
    updated_at: float
    revision_id: str
    logging: dict[str, Any]
    tracing: dict[str, Any]
    encryption: dict[str, Any]
    tags: dict[str, str]
    next_version: int = 1


class Version(Record, frozen=True):
    """A published version: what the machine was at that time."""

    account_id: str
    region: str
    name: str
    number: int
    definition: str
    role_arn: str
    revision_id: str
    description: str | None
    created_at: float
    logging: dict[str, Any]
    tracing: dict[str, Any]
    encryption: dict[str, Any]


class Alias(Record, frozen=True):
    """`routing` is AWS's list of stateMachineVersionArn and weight."""

    account_id: str
    region: str
    name: str
    alias: str
    description: str | None
    routing: list[dict[str, Any]]
    created_at: float
    updated_at: float


class Activity(Record, frozen=True):
    account_id: str
    region: str
    name: str
    created_at: float
    encryption: dict[str, Any]
    tags: dict[str, str]


class ActivityTask(Record, frozen=True):
    """A task of an activity that no worker has taken yet."""

    activity_arn: str
    scheduled_at: float
    token: str
    input: str


class Execution(Record, frozen=True):
    """An execution. `waiter` is the task ([execution ARN, frame, attempt]) or, with an item's index behind, the Map run
    that waits for its end. `map_item` is the context object's `Map` of a Map run's child."""

    arn: str
    account_id: str
    region: str
    machine: str
    name: str
    type: str
    machine_arn: str
    version_arn: str | None
    alias_arn: str | None
    definition: str
    role_arn: str
    revision_id: str
    input: str
    started_at: float
    trace_header: str | None = None
    status: str = "RUNNING"
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    stopped_at: float | None = None
    map_run_arn: str | None = None
    map_item: dict[str, Any] | None = None
    item_count: int | None = None
    redrive_count: int = 0
    redriven_at: float | None = None
    waiter: list[Any] | None = None
    logging: dict[str, Any] | None = None

    @property
    def order(self) -> float:
        """Newest first."""
        return -self.started_at


class Progress(Record, frozen=True):
    """The ids that come next."""

    arn: str
    next_event: int
    next_frame: int


class Event(Record, frozen=True):
    """One event of the history. `details` are the members of AWS's details object; None: it has none."""

    arn: str
    event_id: int
    previous_id: int
    type: str
    timestamp: float
    details: dict[str, Any] | None


class FrameRecord(Record, frozen=True):
    """An `engine.frames.Frame` in its stored form."""

    arn: str
    frame_id: int
    content: bytes


class Item(Record, frozen=True):
    """One part of a Map or Parallel. `status`: waiting, running, done, failed."""

    arn: str
    frame_id: int
    index: int
    status: str
    value: Any
    error: str | None = None
    cause: str | None = None
    child: str | None = None


class Token(Record, frozen=True):
    """A task that waits for SendTaskSuccess or SendTaskFailure."""

    token: str
    arn: str
    frame_id: int
    attempt: int


class MapRun(Record, frozen=True):
    """A distributed Map that was started. `counts` are those of its children by status, `items` those of its items."""

    arn: str
    account_id: str
    region: str
    machine: str
    execution_arn: str
    machine_arn: str
    frame_id: int
    status: str
    started_at: float
    stopped_at: float | None
    max_concurrency: int
    tolerated_count: int
    tolerated_percentage: float
    counts: dict[str, int]
    items: dict[str, int]
    redrive_count: int = 0
    redriven_at: float | None = None


MACHINES = Table("stepfunctions.machines", Machine, version=1, key=("account_id", "region", "name"))
VERSIONS = Table("stepfunctions.versions", Version, version=1, key=("account_id", "region", "name", "number"))
ALIASES = Table("stepfunctions.aliases", Alias, version=1, key=("account_id", "region", "name", "alias"))
ACTIVITIES = Table("stepfunctions.activities", Activity, version=1, key=("account_id", "region", "name"))
ACTIVITY_TASKS = Table(
    "stepfunctions.activity_tasks",
    ActivityTask,
    version=1,
    key=("activity_arn", "scheduled_at", "token"),
    indexes={"by_token": Index(("token",), unique=True)},
)
EXECUTIONS = Table(
    "stepfunctions.executions",
    Execution,
    version=1,
    key=("arn",),
    indexes={
        "by_machine": ("account_id", "region", "machine", "order"),
        "by_map_run": Index(("map_run_arn", "order"), sparse=True),
    },
)
PROGRESS = Table("stepfunctions.progress", Progress, version=1, key=("arn",))
EVENTS = Table("stepfunctions.events", Event, version=1, key=("arn", "event_id"))
FRAMES = Table("stepfunctions.frames", FrameRecord, version=1, key=("arn", "frame_id"))
ITEMS = Table("stepfunctions.items", Item, version=1, key=("arn", "frame_id", "index"))
TOKENS = Table("stepfunctions.tokens", Token, version=1, key=("token",))
MAP_RUNS = Table(
    "stepfunctions.map_runs",
    MapRun,
    version=1,
    key=("arn",),
    indexes={"by_execution": ("execution_arn", "started_at")},
)
