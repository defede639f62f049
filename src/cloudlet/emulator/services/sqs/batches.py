"""What the batch operations have in common: checks of the batch as a whole, and entries that fail one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.sqs.api import (
    BatchEntryIdsNotDistinct,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    TooManyEntriesInBatchRequest,
)

MOST_ENTRIES = 10
ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}\Z")


def check_entries(entries: Sequence[Any], entry_type: str) -> None:
    """Raises EmptyBatchRequest, TooManyEntriesInBatchRequest, InvalidBatchEntryId, BatchEntryIdsNotDistinct."""
    if not entries:
        raise EmptyBatchRequest(f"There should be at least one {entry_type} in the request.")
    if len(entries) > MOST_ENTRIES:
        raise TooManyEntriesInBatchRequest(
            f"Maximum number of entries per request are {MOST_ENTRIES}. You have sent {len(entries)}."
        )
    seen: set[str] = set()
    for entry in entries:
        if ENTRY_ID.match(entry["Id"]) is None:
            raise InvalidBatchEntryId(
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                "It can be at most 80 letters long."
            )
        if entry["Id"] in seen:
            raise BatchEntryIdsNotDistinct(f"Id {entry['Id']} repeated.")
        seen.add(entry["Id"])


def run_entries(entries: Sequence[Any], run: Callable[[Any], dict[str, Any] | None]) -> dict[str, Any]:
    """`run` on each entry: its members go to Successful, its error to Failed."""
    successful: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for entry in entries:
        try:
            members = run(entry) or {}
        except AwsError as error:
            failed.append(
                {
                    "Id": entry["Id"],
                    "SenderFault": error.sender_fault,
                    "Code": error.query_code or error.code,
                    "Message": error.message,
                }
            )
        else:
            successful.append({"Id": entry["Id"], **members})
    result: dict[str, Any] = {}
    if successful:
        result["Successful"] = successful
    if failed:
        result["Failed"] = failed
    return result
