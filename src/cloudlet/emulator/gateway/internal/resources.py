"""`/_localstack/resources`: what exists, one line of JSON for each type."""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.store.transact import run

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator
    from cloudlet.emulator.store.kv import Transaction


class Kind(NamedTuple):
    """A type of native resources: CloudFormation's name, the service's folder, its table, and what a record is called."""

    type: str
    folder: str
    table: str
    name: Callable[[Any], str]


KINDS = (
    Kind("AWS::S3::Bucket", "s3", "BUCKETS", lambda record: record.name),
    Kind("AWS::SQS::Queue", "sqs", "QUEUES", lambda record: record.name),
    Kind("AWS::SNS::Topic", "sns", "TOPICS", lambda record: record.arn),
    Kind("AWS::DynamoDB::Table", "dynamodb", "TABLES", lambda record: record.name),
    Kind("AWS::Events::ApiDestination", "events", "DESTINATIONS", lambda record: record.name),
    Kind("AWS::Events::Archive", "events", "ARCHIVES", lambda record: record.name),
    Kind("AWS::Events::Connection", "events", "CONNECTIONS", lambda record: record.name),
    Kind("AWS::Events::EventBus", "events", "BUSES", lambda record: record.name),
    Kind("AWS::Events::Rule", "events", "RULES", lambda record: record.name),
    Kind("AWS::Pipes::Pipe", "pipes", "PIPES", lambda record: record.name),
    Kind("AWS::Scheduler::Schedule", "scheduler", "SCHEDULES", lambda record: record.name),
    Kind("AWS::Scheduler::ScheduleGroup", "scheduler", "GROUPS", lambda record: record.name),
)


async def get_resources(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """Lines `{"AWS::S3::Bucket": [{"region_name", "account_id", "id"}]}`; nothing for types that have none."""
    found = await existing(emulator)
    body = b"".join(orjson.dumps({kind: entries}) + b"\n" for kind, entries in sorted(found.items()))
    return HttpResponse(200, {"Content-Type": "application/x-ndjson"}, body)


async def existing(emulator: Emulator) -> dict[str, list[dict[str, str]]]:
    """CloudFormation's name of each type of which something exists -> what exists."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for kind, account, region, name in run(emulator.store, lambda tx: list(native(emulator, tx)), read_only=True):
        found[kind].append({"region_name": region, "account_id": account, "id": name})
    for kind, account, region, name in await emulator.dispatcher.fallback.resources():
        found[kind].append({"region_name": region, "account_id": account, "id": name})
    return found


def native(emulator: Emulator, tx: Transaction) -> Iterator[tuple[str, str, str, str]]:
    """(type, account, region, name) of every native resource."""
    for kind in KINDS:
        if emulator.registry.is_native(kind.folder):
            records = importlib.import_module(  # lazy: a service that nobody has used has no code in memory
                f"cloudlet.emulator.services.{kind.folder}.records"
            )
            for record in getattr(records, kind.table).scan(tx):
                account, region = owner(record)
                yield kind.type, account, region, kind.name(record)


def owner(record: Any) -> tuple[str, str]:
    """Account and region, which some records have in their ARN only."""
    if hasattr(record, "account_id"):
        return record.account_id, record.region
    parts = record.arn.split(":")
    return parts[4], parts[3]
