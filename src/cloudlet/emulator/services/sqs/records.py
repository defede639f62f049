"""What SQS keeps, and where.

    QUEUES        a queue's settings; `storage_id` names the ranges below that hold its messages
    MESSAGES      messages of standard queues, ordered by when they become visible, then by arrival
    PLACES        where a message of MESSAGES is now, if not where its first receipt handle says
    FIFO_MESSAGES messages of FIFO queues, by group, then by arrival
    GROUPS        one record for each group of FIFO_MESSAGES that is not empty; `ready_at` is when its head may be received
    DEDUPLICATIONS, ATTEMPTS   what FIFO queues remember for five minutes
    ARRIVALS      how many messages a storage has got in all: their sequence, and what long polls watch
    DEPARTURES    how many of them are gone; the difference is the queue's length
    MOVE_TASKS    message move tasks; DELETIONS when queues were deleted

Receiving takes the head of a range whose order is the time, so its cost does not depend on the queue's length; an
in-flight message lies further back in the same range. Purging gives the queue a new storage; a job sweeps the old one.
All times are whole milliseconds since the epoch except where a name says seconds.
"""

from __future__ import annotations

from cloudlet.emulator.services.sqs.message_attributes import Attribute
from cloudlet.emulator.store.table import Index, Record, Table

GENERATION_BITS = 16  # of a storage id: how often the queue was purged; the bits above are the queue's own


class Queue(Record, frozen=True):
    """`attributes` holds what was set, in AWS's words; the other fields are read on each message."""

    account_id: str
    region: str
    name: str
    storage_id: int
    arn: str
    fifo: bool
    attributes: dict[str, str]
    tags: dict[str, str]
    created_seconds: int
    modified_seconds: int
    visibility_timeout_seconds: int
    delay_seconds: int
    wait_seconds: int
    maximum_bytes: int
    retention_seconds: int
    dead_letter_arn: str | None
    max_receive_count: int
    content_based_deduplication: bool
    deduplicates_by_group: bool
    purged_at: int


class Message(Record, frozen=True):
    """A message of either kind of queue.

    `visible_at` is the key of a standard queue's message; `group_id` that of a FIFO queue's. `receive_count` counts what
    the redrive policy of its queue is about: the receives here.
    `moved` says that PLACES has a record of it.
    """

    storage_id: int
    visible_at: int
    sequence: int
    message_id: str
    body: str
    body_md5: str
    sender_id: str
    sent_at: int
    receive_count: int = 0
    first_received_at: int = 0
    attributes: dict[str, Attribute] | None = None
    trace_header: str = ""
    group_id: str = ""
    deduplication_id: str = ""
    dead_letter_source: str = ""
    moved: bool = False
    received_elsewhere: int = 0  # before it came here as a dead letter; AWS goes on counting


class Place(Record, frozen=True):
    storage_id: int
    sequence: int
    visible_at: int


class Group(Record, frozen=True):
    """`ready_at`: when the group's first message is visible. None is invisible from
    `busy_until` on."""

    storage_id: int
    group_id: str
    ready_at: int
    head_sequence: int
    busy_until: int


class Deduplication(Record, frozen=True):
    storage_id: int
    scope: str  # the message group, or empty where the whole queue is one scope
    deduplication_id: str
    message_id: str
    sequence: int
    expires_at: int


class Attempt(Record, frozen=True):
    """What a ReceiveMessage with a ReceiveRequestAttemptId returned: (group, sequence, receive count) of each message."""

    storage_id: int
    attempt_id: str
    expires_at: int
    messages: list[tuple[str, int, int]]


class Count(Record, frozen=True):
    storage_id: int
    count: int


class MoveTask(Record, frozen=True):
    source_arn: str
    started_at: int
    task_id: str
    destination_arn: str  # empty: each message goes back to its source
    status: str  # RUNNING, COMPLETED, CANCELLING, CANCELLED, FAILED
    messages_per_second: int  # 0: as fast as possible
    moved: int
    to_move: int
    failure: str = ""


class Deletion(Record, frozen=True):
    account_id: str
    region: str
    name: str
    deleted_at: int


QUEUES = Table(
    "sqs.queues",
    Queue,
    version=1,
    key=("account_id", "region", "name"),
    indexes={"by_dead_letter_queue": Index(("dead_letter_arn",), sparse=True)},
    cached=True,
)
MESSAGES = Table("sqs.messages", Message, version=1, key=("storage_id", "visible_at", "sequence"))
PLACES = Table("sqs.places", Place, version=1, key=("storage_id", "sequence"))
FIFO_MESSAGES = Table("sqs.fifo_messages", Message, version=1, key=("storage_id", "group_id", "sequence"))
GROUPS = Table(
    "sqs.groups",
    Group,
    version=1,
    key=("storage_id", "group_id"),
    indexes={
        "by_readiness": ("storage_id", "ready_at", "head_sequence"),
        "by_business": ("storage_id", "busy_until"),
    },
)
DEDUPLICATIONS = Table(
    "sqs.deduplications",
    Deduplication,
    version=1,
    key=("storage_id", "scope", "deduplication_id"),
    indexes={"by_expiry": ("storage_id", "expires_at")},
)
ATTEMPTS = Table(
    "sqs.attempts",
    Attempt,
    version=1,
    key=("storage_id", "attempt_id"),
    indexes={"by_expiry": ("storage_id", "expires_at")},
)
ARRIVALS = Table("sqs.arrivals", Count, version=1, key=("storage_id",))
DEPARTURES = Table("sqs.departures", Count, version=1, key=("storage_id",))
MOVE_TASKS = Table("sqs.move_tasks", MoveTask, version=1, key=("source_arn", "started_at", "task_id"))
DELETIONS = Table("sqs.deletions", Deletion, version=1, key=("account_id", "region", "name"))


def queue_identity(storage_id: int) -> int:
    """What all storages of one queue have in common."""
    return storage_id >> GENERATION_BITS
