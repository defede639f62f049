"""Amazon DynamoDB."""

from __future__ import annotations

from cloudlet.emulator.kernel.service import Service
from cloudlet.emulator.services.dynamodb import (
    alterations,
    backups,
    batches,
    insights,
    items,
    policies,
    queries,
    recovery,
    statements,
    streams,
    tables,
    tags,
    transactions,
    ttl,
)
from cloudlet.emulator.services.dynamodb.jobs import JOBS

SERVICE = Service(
    "dynamodb",
    modules=(
        items,
        queries,
        batches,
        transactions,
        tables,
        alterations,
        tags,
        ttl,
        backups,
        recovery,
        insights,
        policies,
        statements,
        streams,
    ),
    jobs=JOBS,
)
