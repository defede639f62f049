"""Events in, and those that match out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.logs import filters
from cloudlet.emulator.fallback.answers.logs.groups import group_of, name_of, named, paged, refuse
from cloudlet.emulator.fallback.answers.logs.patterns import Malformed, Matches, compiled

MOST = 10_000


def put_log_events(asked: Asked) -> dict[str, Any]:
    """What was refused (too old, too new, expired) goes to no filter."""
    request = asked.request
    with asked.state() as backend:
        group = group_of(backend, request["logGroupName"])
        stream = group.streams.get(request["logStreamName"])
        before = len(stream.events) if stream is not None else 0
        answer = asked.proceed()
        stream = group.streams[request["logStreamName"]]
        new = list(stream.events[before:])
        hooks = filters.hooks_of(group)
    filters.carry_out(asked, group, request["logStreamName"], new, hooks)
    return answer


def pattern_of(text: str | None) -> Matches:
    try:
        return compiled(text or "")
    except Malformed as error:
        raise refuse("InvalidParameterException", f"Invalid character(s) in term '{error}'") from error


def filter_log_events(asked: Asked) -> dict[str, Any]:
    asked = named(asked)
    request = asked.request
    name = request.get("logGroupName")
    if name is None:
        raise refuse("InvalidParameterException", "Please provide either LogGroup name or LogGroup ARN.")
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix")
    if names and prefix is not None:
        raise refuse(
            "InvalidParameterException", "LogStream names and LogStream name prefix are mutually exclusive parameters."
        )
    matches = pattern_of(request.get("filterPattern"))
    start, end = request.get("startTime"), request.get("endTime")
    with asked.state() as backend:
        group = group_of(backend, name)
        for wanted in names or ():
            if wanted not in group.streams:
                raise refuse("ResourceNotFoundException", "The specified log stream does not exist.")
        found = [
            told(stream, event)
            for stream, event in events_of(group)
            if (not names or stream in names)
            and stream.startswith(prefix or "")
            and (start is None or event.timestamp >= start)
            and (end is None or event.timestamp <= end)
            and matches(event.message) is not None
        ]
    found.sort(key=lambda entry: (int(entry["timestamp"]), str(entry["eventId"])))
    return paged(asked, "events", found, MOST) | {"searchedLogStreams": []}


def events_of(group: Any) -> Iterator[tuple[str, Any]]:
    for name, stream in tuple(group.streams.items()):
        for event in tuple(stream.events):
            yield name, event


def told(stream: str, event: Any) -> dict[str, Any]:
    return {
        "logStreamName": stream,
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.ingestion_time,
        "eventId": filters.event_id(event),
    }


def get_log_group_fields(asked: Asked) -> dict[str, Any]:
    """Fields of the newest events, and how many of a hundred have them."""
    asked = named(asked)
    with asked.state() as backend:
        group = group_of(backend, name_of(asked.request.get("logGroupName", "")))
        messages = [event.message for _, event in events_of(group)][-1000:]
    counts: dict[str, int] = dict.fromkeys(
        ("@message", "@timestamp", "@logStream", "@ingestionTime", "@log"), len(messages)
    )
    for message in messages:
        try:
            document = json.loads(message)
        except ValueError:
            continue
        for field in document if isinstance(document, dict) else ():
            counts[field] = counts.get(field, 0) + 1
    fields = [
        {"name": name, "percent": round(100 * count / len(messages))} for name, count in counts.items() if messages
    ]
    return {"logGroupFields": sorted(fields, key=lambda field: (-int(field["percent"]), str(field["name"])))}


def get_log_record(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        for group in backend.groups.values():
            for name, event in events_of(group):
                if filters.event_id(event) == asked.request["logRecordPointer"]:
                    record = {"@message": event.message, "@timestamp": str(event.timestamp), "@logStream": name}
                    return {"logRecord": record | {"@ingestionTime": str(event.ingestion_time)}}
    raise refuse("InvalidParameterException", "The log record pointer is not valid.")


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "PutLogEvents": put_log_events,
        "FilterLogEvents": filter_log_events,
        "GetLogGroupFields": get_log_group_fields,
        "GetLogRecord": get_log_record,
    }
)
