"""`/_aws/dynamodb/expired`: delete what has expired now, without waiting for the job that does it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from cloudlet.emulator.gateway.internal.answers import json_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.store.transact import run

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

FOLDER = "cloudlet.emulator.services.dynamodb"


async def delete_expired(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"ExpiredItems": n}`: how many items of all tables with a time to live were past it, and are deleted now."""
    dispatcher = emulator.dispatcher
    dispatcher.registry.load("dynamodb")
    records = importlib.import_module(f"{FOLDER}.records")  # lazy: a service that nobody has used has no code in memory
    jobs = importlib.import_module(f"{FOLDER}.jobs")  # lazy: the same
    tables = run(emulator.store, lambda tx: list(records.TABLES.scan(tx)), read_only=True)
    deleted = 0
    for table in tables:
        if table.ttl_attribute:
            call = dispatcher.service_call("dynamodb", table.account_id, table.region)
            end = int(call.now) + 1
            with call.transaction(read_only=True) as tx:
                deleted += sum(1 for _ in records.EXPIRIES.scan(tx, table.storage, to=(end,)))
            await jobs.expire(call, {"table": table.name})
    await dispatcher.durable()
    return json_answer({"ExpiredItems": deleted})
