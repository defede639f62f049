"""When an alarm changes its state, and why.

The newest period counts as soon as it has data. Missing data are treated as in "Configuring how CloudWatch alarms treat missing data".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers.cloudwatch import rules
from cloudlet.emulator.fallback.answers.cloudwatch.expressions import Malformed, evaluate
from cloudlet.emulator.fallback.answers.cloudwatch.series import Wanted, buckets, chosen, dimensions_of, statistic

ALARM, OK, UNKNOWN = "ALARM", "OK", "INSUFFICIENT_DATA"
LOOKED_BACK = 2  # further periods in which the newest data may be
HISTORY = 100
OPERATORS: Mapping[str, tuple[Callable[[float, float], bool], str]] = MappingProxyType(
    {
        "GreaterThanOrEqualToThreshold": (lambda value, limit: value >= limit, "greater than or equal to"),
        "GreaterThanThreshold": (lambda value, limit: value > limit, "greater than"),
        "LessThanThreshold": (lambda value, limit: value < limit, "less than"),
        "LessThanOrEqualToThreshold": (lambda value, limit: value <= limit, "less than or equal to"),
    }
)
Change = tuple[dict[str, Any], str]  # an alarm as it is told of, and the state that it had before
Alarm = dict[str, Any]  # in DescribeAlarms's member names


def alarms_of(backend: Any) -> dict[str, Alarm]:
    """Every alarm by name. Those that moto's own code made are taken over."""
    if not hasattr(backend, "kept"):
        backend.kept = {}
    kept: dict[str, Alarm] = backend.kept
    return kept


def changed(backend: Any, now: float) -> list[Change]:
    found: list[Change] = []
    alarms = alarms_of(backend)
    if not alarms:
        return found
    points = [*backend.metric_data]
    for alarm in alarms.values():
        if "AlarmRule" not in alarm and alarm.get("held_until", now) <= now:
            state, reason, data = assess(alarm, points, now)
            if state != alarm["StateValue"]:
                found.append((alarm, change(alarm, state, reason, data, now)))
    for _ in range(len(alarms)):  # composite alarms may be parts of others
        moved = [alarm for alarm in alarms.values() if is_free(alarm, now) and follow(alarm, alarms, now, found)]
        if not moved:
            break
    return found


def is_free(alarm: Alarm, now: float) -> bool:
    return "AlarmRule" in alarm and bool(alarm.get("held_until", now) <= now)


def follow(alarm: Alarm, alarms: dict[str, Alarm], now: float, found: list[Change]) -> bool:
    """Whether a composite alarm has changed."""

    def state_of(name: str) -> str | None:
        known = alarms.get(name.rpartition(":alarm:")[2])
        return known["StateValue"] if known is not None else None

    try:
        state = ALARM if rules.holds(alarm["AlarmRule"], state_of) else OK
    except rules.Malformed:
        return False
    if state == alarm["StateValue"]:
        return False
    reason = f"{alarm['AlarmArn']} transitioned to {state} because its rule is {str(state == ALARM).lower()}"
    found.append((alarm, change(alarm, state, reason, None, now)))
    return True


def change(alarm: Alarm, state: str, reason: str, data: str | None, now: float) -> str:
    """Returns the state before."""
    before: str = alarm["StateValue"]
    alarm["StateReason"], alarm["StateUpdatedTimestamp"] = reason, now
    alarm.pop("StateReasonData", None)
    if data is not None:
        alarm["StateReasonData"] = data
    if state != before:
        alarm["StateValue"], alarm["StateTransitionedTimestamp"] = state, now
        told = {
            "version": "1.0",
            "oldState": {"stateValue": before},
            "newState": {"stateValue": state, "stateReason": reason},
        }
        note(alarm, "StateUpdate", f"Alarm updated from {before} to {state}", json.dumps(told), now)
    return before


def note(alarm: Alarm, kind: str, summary: str, data: str, now: float) -> None:
    """Into the alarm's history."""
    entry = {
        "AlarmName": alarm["AlarmName"],
        "AlarmType": "CompositeAlarm" if "AlarmRule" in alarm else "MetricAlarm",
        "Timestamp": now,
        "HistoryItemType": kind,
        "HistorySummary": summary,
        "HistoryData": data,
    }
    alarm["history"] = [entry, *alarm.get("history", [])][:HISTORY]


# --- one metric alarm


def assess(alarm: Alarm, points: list[Any], now: float) -> tuple[str, str, str | None]:
    """(state, reason, reason as JSON)."""
    compare = OPERATORS.get(alarm["ComparisonOperator"])
    if compare is None or "Threshold" not in alarm:
        return alarm["StateValue"], alarm["StateReason"], None  # anomaly bands are not evaluated
    period, count = period_of(alarm), alarm["EvaluationPeriods"]
    end = now - now % period + period
    series = series_of(alarm, points, end - (count + LOOKED_BACK + 1) * period, end, period)
    newest = sorted(series.items(), reverse=True)[:count]
    limit, enough = float(alarm["Threshold"]), alarm.get("DatapointsToAlarm") or count
    breaching = [at for at, value in newest if compare[0](value, limit)]
    state = judged(alarm, len(newest), len(breaching), count, enough)
    if not newest and state == UNKNOWN:
        plural = "s were" if count > 1 else " was"
        return state, f"Insufficient Data: {count} datapoint{plural} unknown.", None
    return state, *reasons(alarm, newest, limit, compare[1], state, enough, period, now)


def judged(alarm: Alarm, real: int, breaching: int, count: int, enough: int) -> str:
    treat = alarm.get("TreatMissingData", "missing")
    missing = count - real
    if treat == "breaching":
        return ALARM if breaching + missing >= enough else OK
    if breaching >= enough:
        return ALARM
    if treat == "notBreaching" or real - breaching > count - enough:
        return OK
    if treat == "ignore":
        return str(alarm["StateValue"])
    if not real:
        return UNKNOWN
    return ALARM if breaching >= min(enough, real) else OK


def period_of(alarm: Alarm) -> int:
    if "Period" in alarm:
        return int(alarm["Period"])
    periods = [query["MetricStat"]["Period"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]
    periods += [query["Period"] for query in alarm.get("Metrics", ()) if query.get("Period")]
    return int(max(periods, default=60))


def series_of(alarm: Alarm, points: list[Any], start: float, end: float, period: int) -> dict[float, float]:
    if "MetricName" in alarm:
        name = alarm.get("Statistic") or alarm.get("ExtendedStatistic") or "Average"
        return of_metric(alarm, name, alarm.get("Unit"), points, start, end, period)
    values: dict[str, Any] = {}
    result: Any = {}
    queries = sorted(alarm.get("Metrics", ()), key=lambda query: "Expression" in query)
    for query in queries:
        stat = query.get("MetricStat")
        try:
            if stat is not None:
                value = of_metric(stat["Metric"], stat["Stat"], stat.get("Unit"), points, start, end, stat["Period"])
            else:
                value = evaluate(query["Expression"], values, period)
        except Malformed:
            return {}
        values[query["Id"]] = value
        if query.get("ReturnData", True):
            result = value
    return result if isinstance(result, dict) else {}


def of_metric(
    metric: dict[str, Any], name: str, unit: str | None, points: list[Any], start: float, end: float, period: int
) -> dict[float, float]:
    wanted = Wanted(
        metric.get("Namespace", ""), metric.get("MetricName", ""), dimensions_of(metric.get("Dimensions", ())), unit
    )
    found = {}
    for bucket in buckets(chosen(points, wanted), start, end, period):
        value = statistic(bucket.points, name)
        if value is not None:
            found[bucket.start] = value
    return found


def reasons(
    alarm: Alarm,
    newest: list[tuple[float, float]],
    limit: float,
    words: str,
    state: str,
    enough: int,
    period: int,
    now: float,
) -> tuple[str, str]:
    """Why, for people and as JSON."""
    shown = ", ".join(f"{value} ({datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S})" for at, value in newest)
    count, is_not = len(newest), "" if state == ALARM else "not "
    verb = "was" if count == 1 else "were"
    transition = "OK -> ALARM" if state == ALARM else "ALARM -> OK"
    plural = "" if enough == 1 else "s"
    reason = (
        f"Threshold Crossed: {count} out of the last {alarm['EvaluationPeriods']} datapoints [{shown}] {verb} "
        f"{is_not}{words} the threshold ({limit}) (minimum {enough} datapoint{plural} for {transition} transition)."
    )
    if not newest:
        reason = (
            "Threshold Crossed: no datapoints were received for the evaluation periods and missing datapoints were treated as "
            + ("[Breaching]." if state == ALARM else "[NonBreaching].")
        )
    data = {
        "version": "1.0",
        "queryDate": stamp(now),
        "startDate": stamp(newest[-1][0]) if newest else stamp(now),
        "statistic": alarm.get("Statistic") or alarm.get("ExtendedStatistic"),
        "period": period,
        "recentDatapoints": [value for _, value in reversed(newest)],
        "threshold": limit,
        "evaluatedDatapoints": [{"timestamp": stamp(at), "value": value} for at, value in newest],
    }
    return reason, json.dumps({name: value for name, value in data.items() if value is not None}, separators=(",", ":"))


def stamp(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}+0000"
