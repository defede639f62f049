"""Amazon SQS."""

from cloudlet.emulator.effects.jobs import JobHandler
from cloudlet.emulator.kernel.service import Service
from cloudlet.emulator.services.sqs import (
    answers,
    browsing,
    in_flight,
    jobs,
    messages,
    move_tasks,
    permissions,
    queue_attributes,
    queues,
    receiving,
    tags,
)

SERVICE = Service(
    "sqs",
    modules=(queues, queue_attributes, messages, receiving, in_flight, tags, permissions, move_tasks, browsing),
    jobs=(
        JobHandler(jobs.SWEEP, jobs.sweep),
        JobHandler(jobs.EXPIRE, jobs.expire),
        JobHandler(move_tasks.MOVE, move_tasks.run_move_task),
    ),
    finish=answers.finish,
)
