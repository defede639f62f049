"""Dashboards, metric streams and anomaly detectors: kept and described. Streams deliver nothing, detectors learn nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.paging import page
from cloudlet.emulator.kernel.errors import UnmodelledError

DASHBOARD_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")
STREAM_SHOWN = ("Arn", "Name", "FirehoseArn", "State", "CreationDate", "LastUpdateDate", "OutputFormat")
KEY_OF_DETECTOR = (
    "SingleMetricAnomalyDetector",
    "MetricMathAnomalyDetector",
    "Namespace",
    "MetricName",
    "Dimensions",
    "Stat",
)


def refuse(code: str, message: str, status: int = 400) -> UnmodelledError:
    return UnmodelledError(code, message, status)


def put_dashboard(asked: Asked) -> dict[str, Any]:
    name, body = asked.request["DashboardName"], asked.request["DashboardBody"]
    if not DASHBOARD_NAME.match(name):
        raise refuse(
            "InvalidParameterValue",
            "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, "
            "dash (-) and underscore (_).\n",
        )
    try:
        json.loads(body)
    except ValueError as error:
        raise refuse("InvalidParameterInput", "The field DashboardBody must be a valid JSON object") from error
    asked.proceed()
    return {"DashboardValidationMessages": []}


# --- metric streams


def streams_of(backend: Any) -> dict[str, dict[str, Any]]:
    if not hasattr(backend, "metric_streams"):
        backend.metric_streams = {}
    kept: dict[str, dict[str, Any]] = backend.metric_streams
    return kept


def put_metric_stream(asked: Asked) -> dict[str, Any]:
    request, call = asked.request, asked.call
    name = request["Name"]
    if request.get("IncludeFilters") and request.get("ExcludeFilters"):
        raise refuse("InvalidParameterCombination", "IncludeFilters and ExcludeFilters cannot both be specified.")
    arn = f"arn:{call.partition}:cloudwatch:{call.region}:{call.account_id}:metric-stream/{name}"
    with asked.state() as backend:
        before = streams_of(backend).get(name, {})
        stream = {key: value for key, value in request.items() if key != "Tags"}
        streams_of(backend)[name] = stream | {
            "Arn": arn,
            "State": before.get("State", "running"),
            "CreationDate": before.get("CreationDate", call.now),
            "LastUpdateDate": call.now,
        }
        backend.tagger.tag_resource(arn, request.get("Tags", []))
    return {"Arn": arn}


def get_metric_stream(asked: Asked) -> dict[str, Any]:
    name = asked.request["Name"]
    with asked.state() as backend:
        stream = streams_of(backend).get(name)
        if stream is None:
            raise refuse("ResourceNotFoundException", f"MetricStream {name} does not exist", 404)
        return {"IncludeLinkedAccountsMetrics": False, **stream}


def delete_metric_stream(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        gone = streams_of(backend).pop(asked.request["Name"], None)
        if gone is not None:
            backend.tagger.delete_all_tags_for_resource(gone["Arn"])
    return {}


def list_metric_streams(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        every = sorted(streams_of(backend).values(), key=lambda stream: str(stream["Name"]))
    shown, following = page(
        every,
        asked.request.get("MaxResults", 500),
        asked.request.get("NextToken"),
        lambda: refuse("InvalidNextToken", "The next token specified is invalid."),
    )
    entries = [{member: stream[member] for member in STREAM_SHOWN} for stream in shown]
    return {"Entries": entries} | ({"NextToken": following} if following else {})


def switched(state: str) -> Answer:
    """StartMetricStreams and StopMetricStreams."""

    def answer(asked: Asked) -> dict[str, Any]:
        with asked.state() as backend:
            for name in asked.request["Names"]:
                if name in streams_of(backend):
                    streams_of(backend)[name]["State"] = state
        return {}

    return answer


# --- anomaly detectors


def detectors_of(backend: Any) -> dict[str, dict[str, Any]]:
    if not hasattr(backend, "anomaly_detectors"):
        backend.anomaly_detectors = {}
    kept: dict[str, dict[str, Any]] = backend.anomaly_detectors
    return kept


def key_of(request: dict[str, Any]) -> str:
    return json.dumps({member: request.get(member) for member in KEY_OF_DETECTOR}, sort_keys=True)


def put_anomaly_detector(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        detectors_of(backend)[key_of(asked.request)] = asked.request | {"StateValue": "PENDING_TRAINING"}
    return {}


def delete_anomaly_detector(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        if detectors_of(backend).pop(key_of(asked.request), None) is None:
            raise refuse("ResourceNotFoundException", "The anomaly detector does not exist.", 404)
    return {}


def describe_anomaly_detectors(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        every = list(detectors_of(backend).values())
    found = []
    for detector in every:
        metric = detector.get("SingleMetricAnomalyDetector") or detector
        if request.get("Namespace") in (None, metric.get("Namespace")) and request.get("MetricName") in (
            None,
            metric.get("MetricName"),
        ):
            found.append(detector)
    shown, following = page(
        found,
        request.get("MaxResults", 100),
        request.get("NextToken"),
        lambda: refuse("InvalidNextToken", "The next token specified is invalid."),
    )
    return {"AnomalyDetectors": list(shown)} | ({"NextToken": following} if following else {})


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "PutDashboard": put_dashboard,
        "PutMetricStream": put_metric_stream,
        "GetMetricStream": get_metric_stream,
        "DeleteMetricStream": delete_metric_stream,
        "ListMetricStreams": list_metric_streams,
        "StartMetricStreams": switched("running"),
        "StopMetricStreams": switched("stopped"),
        "PutAnomalyDetector": put_anomaly_detector,
        "DeleteAnomalyDetector": delete_anomaly_detector,
        "DescribeAnomalyDetectors": describe_anomaly_detectors,
    }
)
