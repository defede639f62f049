"""Data points in, statistics out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.cloudwatch import watch
from cloudlet.emulator.fallback.answers.cloudwatch.expressions import Malformed, evaluate
from cloudlet.emulator.fallback.answers.cloudwatch.series import (
    STATISTICS,
    Wanted,
    buckets,
    chosen,
    dimensions_at,
    dimensions_of,
    is_statistic,
    statistic,
    unit_of,
)
from cloudlet.emulator.fallback.answers.paging import page
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError

MOST_POINTS = 1440
LISTED = 500


def refuse(code: str, message: str) -> UnmodelledError:
    return UnmodelledError(code, message)


def put_metric_data(asked: Asked) -> dict[str, Any]:
    try:
        answer = asked.proceed()
    except AwsError as error:
        if "mutually exclusive" in error.message:
            raise refuse("InvalidParameterCombination", error.message) from error
        raise
    namespace = asked.request["Namespace"]
    arrived = frozenset((namespace, datum["MetricName"]) for datum in asked.request.get("MetricData", ()))
    watch.evaluate_all(asked, arrived)
    return answer


def points_here(backend: Any) -> list[Any]:
    """Data points of users and of AWS's services that moto knows some of."""
    return [*backend.metric_data, *backend.aws_metric_data]


def check_times(request: dict[str, Any]) -> tuple[float, float]:
    start, end = float(request["StartTime"]), float(request["EndTime"])
    if start >= end:
        raise refuse(
            "ValidationError" if "MetricDataQueries" in request else "InvalidParameterCombination",
            "The parameter StartTime must be less than the parameter EndTime.",
        )
    return start, end


def get_metric_statistics(asked: Asked) -> dict[str, Any]:
    request = asked.request
    start, end = check_times(request)
    period = request["Period"]
    names, more = request.get("Statistics", ()), request.get("ExtendedStatistics", ())
    if not names and not more:
        raise refuse(
            "InvalidParameterCombination",
            "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
        )
    if period not in (1, 5, 10, 20, 30) and period % 60:
        raise refuse("InvalidParameterValue", "The parameter Period must be a multiple of 60.")
    if (end - start) / period > MOST_POINTS:
        raise refuse(
            "InvalidParameterCombination",
            f"You have requested up to {int((end - start) / period)} datapoints, which exceeds the limit of "
            f"{MOST_POINTS}. You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
        )
    wanted = Wanted(
        request["Namespace"], request["MetricName"], dimensions_of(request.get("Dimensions", ())), request.get("Unit")
    )
    with asked.state() as backend:
        points = list(chosen(points_here(backend), wanted))
    found = []
    for unit in sorted({unit_of(point) for point in points}):
        for bucket in buckets((point for point in points if unit_of(point) == unit), start, end, period):
            told: dict[str, Any] = {"Timestamp": bucket.start, "Unit": unit}
            told |= {name: statistic(bucket.points, name) for name in STATISTICS if name in names}
            if more:
                extended = {name: statistic(bucket.points, name) for name in more}
                told["ExtendedStatistics"] = {name: value for name, value in extended.items() if value is not None}
            found.append(told)
    return {"Label": request["MetricName"], "Datapoints": found}


# --- GetMetricData


def get_metric_data(asked: Asked) -> dict[str, Any]:
    request = asked.request
    start, end = check_times(request)
    queries = request["MetricDataQueries"]
    check_queries(queries)
    with asked.state() as backend:
        points = points_here(backend)
    results = [
        result_of(query, value, request)
        for query, value in computed(queries, points, start, end)
        if query.get("ReturnData", True)
    ]
    return {"MetricDataResults": results, "Messages": []}


def check_queries(queries: Sequence[dict[str, Any]]) -> None:
    ids = [query["Id"] for query in queries]
    for query in queries:
        name = query["Id"]
        if not name[:1].islower():
            raise refuse("ValidationError", f"The value {name} for parameter Id is invalid.")
        if ids.count(name) > 1:
            raise refuse("ValidationError", f"The values for parameter Id in MetricDataQueries are not unique: {name}.")
        if ("MetricStat" in query) == ("Expression" in query):
            raise refuse(
                "ValidationError",
                "The parameters MetricDataQueries.member.1.MetricStat and MetricDataQueries.member.1.Expression are "
                "mutually exclusive and one of them must be specified.",
            )
        stat = query.get("MetricStat", {}).get("Stat", "Average")
        if not is_statistic(stat):
            raise refuse("ValidationError", f"Value {stat} for parameter Stat is invalid.")


def computed(
    queries: Sequence[dict[str, Any]], points: Sequence[Any], start: float, end: float
) -> list[tuple[dict[str, Any], Any]]:
    """(query, series) of each query; those that are expressions after the ones that they may use."""
    series: dict[str, Any] = {}
    period = 60
    for query in queries:
        stat = query.get("MetricStat")
        if stat is not None:
            period = stat["Period"]
            series[query["Id"]] = series_of(stat, points, start, end)
    waiting, reason = [query for query in queries if "Expression" in query], ""
    for _ in range(len(waiting)):
        for query in tuple(waiting):
            try:
                series[query["Id"]] = evaluate(query["Expression"], series, query.get("Period") or period)
            except Malformed as error:
                reason = str(error)
                continue
            waiting.remove(query)
    if waiting:
        name = waiting[0]["Id"]
        raise refuse("ValidationError", f"Error in expression '{name}': {reason}")
    return [(query, series[query["Id"]]) for query in queries]


def series_of(stat: dict[str, Any], points: Sequence[Any], start: float, end: float) -> dict[float, float]:
    metric = stat["Metric"]
    wanted = Wanted(
        metric.get("Namespace", ""),
        metric.get("MetricName", ""),
        dimensions_of(metric.get("Dimensions", ())),
        stat.get("Unit"),
    )
    found = {}
    for bucket in buckets(chosen(points, wanted), start, end, stat["Period"]):
        value = statistic(bucket.points, stat["Stat"])
        if value is not None:
            found[bucket.start] = value
    return found


def result_of(query: dict[str, Any], value: Any, request: dict[str, Any]) -> dict[str, Any]:
    """A MetricDataResult; a number holds for the whole time, and has its end."""
    if isinstance(value, list):
        value = value[0] if value else {}
    if not isinstance(value, dict):
        value = {float(request["StartTime"]): float(value)}
    is_ascending = request.get("ScanBy") == "TimestampAscending"
    times = sorted(value, reverse=not is_ascending)
    label = query.get("Label") or query.get("MetricStat", {}).get("Metric", {}).get("MetricName") or query["Id"]
    return {
        "Id": query["Id"],
        "Label": label,
        "Timestamps": times,
        "Values": [value[at] for at in times],
        "StatusCode": "Complete",
    }


# --- what there is


def list_metrics(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        points = points_here(backend)
    seen = {(point.namespace, point.name, dimensions_at(point)) for point in points}
    found = [
        {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(dimensions)],
        }
        for namespace, name, dimensions in sorted(seen, key=lambda entry: (entry[0], entry[1], sorted(entry[2])))
        if request.get("Namespace") in (None, namespace)
        and request.get("MetricName") in (None, name)
        and all(has(dimensions, wanted) for wanted in request.get("Dimensions", ()))
    ]
    shown, following = page(
        found,
        LISTED,
        request.get("NextToken"),
        lambda: refuse("InvalidParameterValue", "Request parameter NextToken is invalid"),
    )
    return {"Metrics": list(shown)} | ({"NextToken": following} if following else {})


def has(dimensions: frozenset[tuple[str, str]], wanted: dict[str, Any]) -> bool:
    return any(name == wanted["Name"] and wanted.get("Value") in (None, value) for name, value in dimensions)


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "PutMetricData": put_metric_data,
        "GetMetricStatistics": get_metric_statistics,
        "GetMetricData": get_metric_data,
        "ListMetrics": list_metrics,
    }
)
