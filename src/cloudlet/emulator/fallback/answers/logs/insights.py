"""Queries of Logs Insights. A query is done when it is started; its results are kept with it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.logs.events import events_of
from cloudlet.emulator.fallback.answers.logs.filters import event_id
from cloudlet.emulator.fallback.answers.logs.groups import group_of, name_of, paged, refuse
from cloudlet.emulator.fallback.answers.logs.language import Malformed, Row, run, shown, value_of

MOST_KEPT = 1000


def rows_of(group: Any, start: int, end: int) -> Iterator[Row]:
    for stream, event in events_of(group):
        if start <= event.timestamp / 1000 <= end:
            row: Row = {
                "@timestamp": event.timestamp,
                "@message": event.message,
                "@logStream": stream,
                "@log": f"{group.account_id}:{group.name}",
                "@ingestionTime": event.ingestion_time,
                "@ptr": event_id(event),
            }
            try:
                document = json.loads(event.message)
            except ValueError:
                document = None
            if isinstance(document, dict):
                row["document"] = document
            yield row


def queries_of(backend: Any) -> dict[str, dict[str, Any]]:
    if not hasattr(backend, "insights"):
        backend.insights = {}
    kept: dict[str, dict[str, Any]] = backend.insights
    return kept


def start_query(asked: Asked) -> dict[str, Any]:
    request = asked.request
    given = [request.get("logGroupName"), *request.get("logGroupNames", ()), *request.get("logGroupIdentifiers", ())]
    names = [name_of(name) for name in given if name]
    if not names:
        raise refuse("InvalidParameterException", "At least one log group has to be named.")
    if request["startTime"] > request["endTime"]:
        raise refuse("MalformedQueryException", "end time is before start time")
    with asked.state() as backend:
        groups = [group_of(backend, name) for name in names]
        rows = list(itertools.chain.from_iterable(rows_of(g, request["startTime"], request["endTime"]) for g in groups))
        scanned = len(rows)
        rows.sort(key=lambda row: -int(row["@timestamp"]))
        text = request["queryString"] + (f" | limit {request['limit']}" if "limit" in request else "")
        try:
            found, columns = run(text, rows)
        except Malformed as error:
            raise refuse("MalformedQueryException", f"unexpected symbol found {error}") from error
        query_id = asked.call.ids.uuid()
        kept = queries_of(backend)
        kept[query_id] = {
            "queryId": query_id,
            "queryString": request["queryString"],
            "status": "Complete",
            "createTime": int(asked.call.now * 1000),
            "logGroupName": names[0],
            "results": [result(row, columns) for row in found],
            "statistics": {
                "recordsMatched": float(len(found)),
                "recordsScanned": float(scanned),
                "bytesScanned": float(sum(len(row["@message"]) for row in rows)),
            },
        }
        while len(kept) > MOST_KEPT:
            del kept[next(iter(kept))]
    return {"queryId": query_id}


def result(row: Row, columns: list[str]) -> list[dict[str, str]]:
    values = [(name, value_of(row, name)) for name in columns]
    told = [{"field": name, "value": shown(name, value)} for name, value in values if value is not None]
    return [*told, {"field": "@ptr", "value": row["@ptr"]}] if "@ptr" in row else told


def query_of(asked: Asked, backend: Any) -> dict[str, Any]:
    found = queries_of(backend).get(asked.request["queryId"])
    if found is None:
        raise refuse("ResourceNotFoundException", "The specified query does not exist.")
    return found


def get_query_results(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        query = query_of(asked, backend)
        return {
            "queryLanguage": "CWLI",
            "results": query["results"],
            "statistics": query["statistics"],
            "status": query["status"],
        }


def stop_query(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        query_of(asked, backend)
    raise refuse("InvalidParameterException", "Query is not running, thus cannot be stopped")


def describe_queries(asked: Asked) -> dict[str, Any]:
    request = asked.request
    members = ("queryId", "queryString", "status", "createTime", "logGroupName")
    with asked.state() as backend:
        found = [
            {member: query[member] for member in members}
            for query in reversed(queries_of(backend).values())
            if request.get("logGroupName") in (None, query["logGroupName"])
            and request.get("status") in (None, query["status"])
        ]
    renamed = Asked(asked.fallback, asked.call, {**request, "limit": request.get("maxResults", 1000)})
    return paged(renamed, "queries", found, 1000)


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "StartQuery": start_query,
        "GetQueryResults": get_query_results,
        "StopQuery": stop_query,
        "DescribeQueries": describe_queries,
    }
)
