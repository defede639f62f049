"""Metric alarms and composite alarms: kept, described, enabled, set by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.cloudwatch import rules, states, watch
from cloudlet.emulator.fallback.answers.cloudwatch.series import dimensions_of
from cloudlet.emulator.fallback.answers.cloudwatch.states import Alarm, alarms_of
from cloudlet.emulator.fallback.answers.paging import page
from cloudlet.emulator.kernel.errors import UnmodelledError

INTERNAL = frozenset({"history", "held_until"})
INITIAL = "Unchecked: Initial alarm creation"
LISTS = ("OKActions", "AlarmActions", "InsufficientDataActions")
TREATMENTS = frozenset({"breaching", "notBreaching", "ignore", "missing"})
NOT_KEPT = frozenset({"Tags", "ActionsEnabled"})


def refuse(code: str, message: str, status: int = 400) -> UnmodelledError:
    return UnmodelledError(code, message, status)


def arn_of(asked: Asked, name: str) -> str:
    call = asked.call
    return f"arn:{call.partition}:cloudwatch:{call.region}:{call.account_id}:alarm:{name}"


def told(alarm: Alarm) -> Alarm:
    return {name: value for name, value in alarm.items() if name not in INTERNAL}


def put_metric_alarm(asked: Asked) -> dict[str, Any]:
    request = asked.request
    check(request)
    keep(asked, {name: [] for name in (*LISTS, *(() if "Metrics" in request else ("Dimensions",)))})
    watch.evaluate_all(asked)
    return {}


def check(request: dict[str, Any]) -> None:
    """Raises ValidationError for what is no alarm."""
    is_math = bool(request.get("Metrics"))
    if is_math and request.get("MetricName"):
        raise refuse("ValidationError", "MetricName and Metrics list cannot both be specified.")
    if not is_math and not request.get("MetricName"):
        raise refuse("ValidationError", "Either Metrics list or MetricName must be specified.")
    if not is_math and not (request.get("Statistic") or request.get("ExtendedStatistic")):
        raise refuse("ValidationError", "Either Statistic or ExtendedStatistic must be specified.")
    if request.get("Statistic") and request.get("ExtendedStatistic"):
        raise refuse("ValidationError", "Statistic and ExtendedStatistic cannot both be specified.")
    period = request.get("Period", 60)
    if period not in (10, 20, 30) and period % 60:
        raise refuse("ValidationError", "Metric alarm period must be 10, 20, 30, or a multiple of 60")
    if not is_math and period * request["EvaluationPeriods"] > 7 * 86400:
        raise refuse(
            "ValidationError", "Metrics cannot be checked across more than 7 days (EvaluationPeriods * Period)."
        )
    if request.get("DatapointsToAlarm", 1) > request["EvaluationPeriods"]:
        raise refuse("ValidationError", "DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    treat = request.get("TreatMissingData")
    if treat is not None and treat not in TREATMENTS:
        raise refuse("ValidationError", f"The value {treat} is unsupported for parameter TreatMissingData.")


def keep(asked: Asked, empty: Mapping[str, Any]) -> None:
    """Make the alarm of the request, or change it; a changed one keeps its state."""
    request, now = asked.request, asked.call.now
    name = request["AlarmName"]
    arn = arn_of(asked, name)
    with asked.state() as backend:
        alarms = alarms_of(backend)
        before = alarms.get(name)
        alarm: Alarm = {"AlarmName": name, "AlarmArn": arn, "AlarmConfigurationUpdatedTimestamp": now}
        alarm["ActionsEnabled"] = request.get("ActionsEnabled", True)
        alarm |= empty
        alarm |= {member: value for member, value in request.items() if member not in NOT_KEPT}
        if before is not None and ("AlarmRule" in before) == ("AlarmRule" in alarm):
            for member in (
                "StateValue",
                "StateReason",
                "StateReasonData",
                "StateUpdatedTimestamp",
                "history",
                "held_until",
            ):
                if member in before:
                    alarm[member] = before[member]
            alarm["StateTransitionedTimestamp"] = before["StateTransitionedTimestamp"]
        else:
            alarm |= {"StateValue": states.UNKNOWN, "StateReason": INITIAL}
            alarm |= {"StateUpdatedTimestamp": now, "StateTransitionedTimestamp": now}
        what = "created" if before is None else "updated"
        states.note(alarm, "ConfigurationUpdate", f'Alarm "{name}" {what}', json.dumps({"version": "1.0"}), now)
        alarms[name] = alarm
        backend.tagger.tag_resource(arn, request.get("Tags", []))


def put_composite_alarm(asked: Asked) -> dict[str, Any]:
    rule = asked.request["AlarmRule"]
    if rule != rule.strip():
        raise refuse("ValidationError", "AlarmRule must not contain leading or trailing whitespace or be null")
    try:
        names = rules.alarms_in(rule)
    except rules.Malformed as error:
        raise refuse("ValidationError", f"Invalid AlarmRule expression near {error}") from error
    with asked.state() as backend:
        alarms = alarms_of(backend)
        absent = [name for name in names if name.rpartition(":alarm:")[2] not in alarms]
    if absent:
        raise refuse(
            "ValidationError",
            f"Could not save the composite alarm as alarms [{', '.join(absent)}] in the alarm rule do not exist",
        )
    keep(asked, {name: [] for name in LISTS})
    watch.evaluate_all(asked)
    return {}


# --- what there is


def describe_alarms(asked: Asked) -> dict[str, Any]:
    watch.evaluate_all(asked)
    request = asked.request
    kinds = request.get("AlarmTypes") or ["MetricAlarm"]
    with asked.state() as backend:
        alarms = alarms_of(backend)
        others = asked.proceed().get("MetricAlarms", []) if backend.alarms else []
        everything = [*alarms.values(), *(alarm for alarm in others if alarm["AlarmName"] not in alarms)]
        related = relatives(alarms, request)
    found = [
        alarm
        for alarm in sorted(everything, key=lambda alarm: str(alarm["AlarmName"]))
        if ("CompositeAlarm" if "AlarmRule" in alarm else "MetricAlarm") in kinds
        and is_wanted(alarm, request)
        and (related is None or alarm["AlarmName"] in related)
    ]
    shown, following = page(
        found,
        request.get("MaxRecords", 100),
        request.get("NextToken"),
        lambda: refuse("InvalidNextToken", "The next token specified is invalid."),
    )
    answer: dict[str, Any] = {
        "CompositeAlarms": [told(alarm) for alarm in shown if "AlarmRule" in alarm],
        "MetricAlarms": [told(alarm) for alarm in shown if "AlarmRule" not in alarm],
    }
    return answer | ({"NextToken": following} if following else {})


def is_wanted(alarm: Alarm, request: dict[str, Any]) -> bool:
    name, prefix = alarm["AlarmName"], request.get("ActionPrefix")
    if request.get("AlarmNames") and name not in request["AlarmNames"]:
        return False
    if not name.startswith(request.get("AlarmNamePrefix", "")):
        return False
    if request.get("StateValue") not in (None, alarm["StateValue"]):
        return False
    actions: Iterable[str] = (action for member in LISTS for action in alarm.get(member, ()))
    return prefix is None or any(action.startswith(prefix) for action in actions)


def relatives(alarms: dict[str, Alarm], request: dict[str, Any]) -> set[str] | None:
    """Names of the children or the parents that were asked for; None where nobody asked."""
    parent, child = request.get("ChildrenOfAlarmName"), request.get("ParentsOfAlarmName")
    if parent is not None:
        rule = alarms.get(parent, {}).get("AlarmRule")
        return {name.rpartition(":alarm:")[2] for name in rules.alarms_in(rule)} if rule else set()
    if child is None:
        return None
    composite = [alarm for alarm in alarms.values() if "AlarmRule" in alarm]
    return {
        alarm["AlarmName"]
        for alarm in composite
        if child in (name.rpartition(":alarm:")[2] for name in rules.alarms_in(alarm["AlarmRule"]))
    }


def describe_alarms_for_metric(asked: Asked) -> dict[str, Any]:
    watch.evaluate_all(asked)
    request = asked.request
    with asked.state() as backend:
        found = [
            told(alarm)
            for alarm in alarms_of(backend).values()
            if alarm.get("MetricName") == request["MetricName"]
            and alarm.get("Namespace") == request["Namespace"]
            and dimensions_of(alarm.get("Dimensions", ())) == dimensions_of(request.get("Dimensions", ()))
            and all(
                request.get(member) in (None, alarm.get(member))
                for member in ("Statistic", "ExtendedStatistic", "Period", "Unit")
            )
        ]
    return {"MetricAlarms": found}


def describe_alarm_history(asked: Asked) -> dict[str, Any]:
    watch.evaluate_all(asked)
    request = asked.request
    kinds = request.get("AlarmTypes") or ["MetricAlarm"]
    start, end = request.get("StartDate"), request.get("EndDate")
    with asked.state() as backend:
        entries = [entry for alarm in alarms_of(backend).values() for entry in alarm.get("history", ())]
    found = [
        entry
        for entry in sorted(
            entries, key=lambda entry: float(entry["Timestamp"]), reverse=request.get("ScanBy") != "TimestampAscending"
        )
        if request.get("AlarmName") in (None, entry["AlarmName"])
        and request.get("HistoryItemType") in (None, entry["HistoryItemType"])
        and entry["AlarmType"] in kinds
        and (start is None or entry["Timestamp"] >= start)
        and (end is None or entry["Timestamp"] <= end)
    ]
    shown, following = page(
        found,
        request.get("MaxRecords", 100),
        request.get("NextToken"),
        lambda: refuse("InvalidNextToken", "The next token specified is invalid."),
    )
    return {"AlarmHistoryItems": list(shown)} | ({"NextToken": following} if following else {})


# --- by hand


def set_alarm_state(asked: Asked) -> dict[str, Any]:
    """Holds until the next period, or until data arrive."""
    request, now = asked.request, asked.call.now
    data = request.get("StateReasonData")
    if data is not None:
        try:
            json.loads(data)
        except ValueError as error:
            raise refuse("InvalidFormat", "StateReasonData is not valid JSON") from error
    with asked.state() as backend:
        alarm = alarms_of(backend).get(request["AlarmName"])
        if alarm is None:
            raise refuse("ResourceNotFound", "", 404)
        before = states.change(alarm, request["StateValue"], request["StateReason"], data, now)
        alarm["held_until"] = now + max(60, states.period_of(alarm))
    if before != request["StateValue"]:
        watch.tell(asked, [(alarm, before)])
    watch.evaluate_all(asked)
    return {}


def enabled(value: bool) -> Answer:
    def answer(asked: Asked) -> dict[str, Any]:
        with asked.state() as backend:
            for name in asked.request["AlarmNames"]:
                if name in alarms_of(backend):
                    alarms_of(backend)[name]["ActionsEnabled"] = value
            return asked.proceed()

    return answer


def delete_alarms(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        for name in asked.request["AlarmNames"]:
            gone = alarms_of(backend).pop(name, None)
            if gone is not None:
                backend.tagger.delete_all_tags_for_resource(gone["AlarmArn"])
            backend.alarms.pop(name, None)
    return {}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "PutMetricAlarm": put_metric_alarm,
        "PutCompositeAlarm": put_composite_alarm,
        "DescribeAlarms": describe_alarms,
        "DescribeAlarmsForMetric": describe_alarms_for_metric,
        "DescribeAlarmHistory": describe_alarm_history,
        "SetAlarmState": set_alarm_state,
        "EnableAlarmActions": enabled(True),
        "DisableAlarmActions": enabled(False),
        "DeleteAlarms": delete_alarms,
    }
)
