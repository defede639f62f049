"""Batches: which records pass the filters, how the function is called with them, and what it says of each."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.lambda_.execution import Outcome, run
from cloudlet.emulator.services.lambda_.filters import passes_pattern
from cloudlet.emulator.services.lambda_.names import Named
from cloudlet.emulator.services.lambda_.records import Mapping
from cloudlet.emulator.services.lambda_.runtimes import CannotRun
from cloudlet.emulator.services.lambda_.targets import find_target

Record = dict[str, Any]


class Verdict(NamedTuple):
    """`failed` names the items that failed, None for all of them. `outcome` is None when the function was not called."""

    failed: frozenset[str] | None
    outcome: Outcome | None
    request_id: str
    version: str = ""

    @property
    def is_success(self) -> bool:
        return self.failed is not None and not self.failed


def named_of(mapping: Mapping) -> Named:
    parts = mapping.function_arn.split(":")
    return Named(parts[4], parts[3], parts[6], parts[7] if len(parts) > 7 else "")


def passes(mapping: Mapping, view: Any) -> bool:
    """Whether a record passes one of the mapping's filters. `view`: the record with its data decoded."""
    filters = (mapping.value.get("FilterCriteria") or {}).get("Filters") or ()
    return not filters or any(passes_pattern(entry["Pattern"], view) for entry in filters)


def decoded(data: Any) -> Any:
    """JSON as what it stands for, anything else as it is."""
    if isinstance(data, str | bytes):
        try:
            return orjson.loads(data)
        except ValueError:
            return data
    return data


def as_text(value: Any) -> str:
    """How bytes stand in an event."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} in an event")


async def call_function(
    call: Call, mapping: Mapping, records: list[Record], name_of: Callable[[Record], str]
) -> Verdict:
    """Call the mapping's function with `records`. A function that is gone or throttled fails all of them."""
    request_id = call.ids.uuid()
    event = json.dumps({"Records": records}, default=as_text, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        with call.transaction(read_only=True):
            target = find_target(call, named_of(mapping))
        outcome = await run(call, target, event, request_id)
    except (AwsError, CannotRun):
        return Verdict(None, None, request_id)
    if outcome.error:
        return Verdict(None, outcome, request_id, target.version)
    failed: frozenset[str] | None = frozenset()
    if "ReportBatchItemFailures" in mapping.value.get("FunctionResponseTypes", ()):
        failed = failures_of(outcome.payload, frozenset(map(name_of, records)))
    return Verdict(failed, outcome, request_id, target.version)


def failures_of(payload: bytes, known: frozenset[str]) -> frozenset[str] | None:
    """What `batchItemFailures` names; None when it cannot be understood, then everything has failed."""
    answer = decoded(payload)
    if answer is None or answer == "" or answer == {}:
        return frozenset()
    if not isinstance(answer, dict):
        return frozenset()
    listed = answer.get("batchItemFailures")
    if listed is None or listed == []:
        return frozenset()
    if not isinstance(listed, list):
        return None
    names = set()
    for entry in listed:
        name = entry.get("itemIdentifier") if isinstance(entry, dict) else None
        if not isinstance(name, str) or name not in known:
            return None
        names.add(name)
    return frozenset(names)
