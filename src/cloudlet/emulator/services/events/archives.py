"""Archives: events of a bus, kept to be replayed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.events.api import (
    CreateArchiveRequest,
    CreateArchiveResponse,
    DeleteArchiveRequest,
    DeleteArchiveResponse,
    DescribeArchiveRequest,
    DescribeArchiveResponse,
    ListArchivesRequest,
    ListArchivesResponse,
    UpdateArchiveRequest,
    UpdateArchiveResponse,
)
from cloudlet.emulator.services.events.errors import exists, invalid, no_such_archive
from cloudlet.emulator.services.events.lookup import arn_of, bus_of, by_name, named
from cloudlet.emulator.services.events.paging import page
from cloudlet.emulator.services.events.records import ARCHIVED, ARCHIVES, Archive
from cloudlet.emulator.services.events.rules import checked_pattern

CHANGEABLE = ("EventPattern", "RetentionDays", "Description", "KmsKeyIdentifier")


@read_write
def create_archive(call: Call, request: CreateArchiveRequest) -> CreateArchiveResponse:
    """Raises InvalidEventPatternException, ResourceAlreadyExistsException, ResourceNotFoundException for the bus."""
    name = request["ArchiveName"]
    if ARCHIVES.exists(call.tx, call.account_id, call.region, name):
        raise exists(f"Archive {name}")
    bus = bus_of(call, request["EventSourceArn"])
    pattern = request.get("EventPattern", "")
    if pattern:
        checked_pattern(pattern)
    archive = Archive(
        call.account_id,
        call.region,
        name,
        request["EventSourceArn"],
        bus.name,
        call.now,
        request.get("Description", ""),
        pattern,
        request.get("RetentionDays", 0),
        request.get("KmsKeyIdentifier", ""),
    )
    ARCHIVES.put(call.tx, archive)
    return outcome(call, archive)  # type: ignore[return-value]


def outcome(call: Call, archive: Archive) -> dict[str, Any]:
    return {"ArchiveArn": archive_arn(call, archive), "State": "ENABLED", "CreationTime": archive.created}


@read_write
def update_archive(call: Call, request: UpdateArchiveRequest) -> UpdateArchiveResponse:
    """What is not given stays. Raises InvalidEventPatternException, ResourceNotFoundException, ValidationException."""
    if not any(name in request for name in CHANGEABLE):
        raise invalid("At least one of EventPattern, RetentionDays or Description must be provided.")
    archive = archive_of(call, request["ArchiveName"])
    if request.get("EventPattern"):
        checked_pattern(request["EventPattern"])
    changed = replace(
        archive,
        pattern=request.get("EventPattern", archive.pattern),
        retention_days=request.get("RetentionDays", archive.retention_days),
        description=request.get("Description", archive.description),
        kms_key=request.get("KmsKeyIdentifier", archive.kms_key),
    )
    ARCHIVES.put(call.tx, changed)
    return outcome(call, changed)  # type: ignore[return-value]


@read_write
def delete_archive(call: Call, request: DeleteArchiveRequest) -> DeleteArchiveResponse:
    """Raises ResourceNotFoundException."""
    archive = archive_of(call, request["ArchiveName"])
    key = (archive.account_id, archive.region, archive.name)
    for entry in list(ARCHIVED.scan(call.tx, *key)):
        ARCHIVED.delete(call.tx, *key, entry.moment, entry.event_id)
    ARCHIVES.delete(call.tx, *key)
    return {}


@read_only
def describe_archive(call: Call, request: DescribeArchiveRequest) -> DescribeArchiveResponse:
    """Raises ResourceNotFoundException."""
    archive = archive_of(call, request["ArchiveName"])
    more = {
        "ArchiveArn": archive_arn(call, archive),
        "Description": archive.description,
        "EventPattern": archive.pattern,
        "KmsKeyIdentifier": archive.kms_key,
    }
    return {**summary(archive), **{name: value for name, value in more.items() if value}}  # type: ignore[typeddict-item]


@read_only
def list_archives(call: Call, request: ListArchivesRequest) -> ListArchivesResponse:
    """By name, narrowed down in one way. Raises ResourceNotFoundException for a bus, ValidationException."""
    check_filters(request, "ListArchives")
    source = request.get("EventSourceArn")
    if source is not None:
        bus_of(call, source)
    scanned = by_name(call, ARCHIVES, request)
    wanted = (
        (archive.name, summary(archive))
        for archive in scanned
        if source in (None, archive.source_arn) and request.get("State", "ENABLED") == "ENABLED"
    )
    found, token = page(wanted, request)
    return {"Archives": found, **token}  # type: ignore[typeddict-item]


def check_filters(request: Mapping[str, Any], operation: str) -> None:
    """Raises ValidationException."""
    if sum(name in request for name in ("State", "EventSourceArn", "NamePrefix")) > 1:
        raise invalid(
            f"At most one filter is allowed for {operation}. Use either : State, EventSourceArn, or NamePrefix."
        )


def archive_of(call: Call, name: str) -> Archive:
    """Raises ResourceNotFoundException."""
    return named(call, ARCHIVES, name, no_such_archive)


def archive_arn(call: Call, archive: Archive) -> str:
    return arn_of(call, archive.account_id, archive.region, f"archive/{archive.name}")


def summary(archive: Archive) -> dict[str, Any]:
    return {
        "ArchiveName": archive.name,
        "EventSourceArn": archive.source_arn,
        "State": "ENABLED",
        "RetentionDays": archive.retention_days,
        "SizeBytes": archive.size_bytes,
        "EventCount": archive.event_count,
        "CreationTime": archive.created,
    }
