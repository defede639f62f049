"""CloudWatch Logs: patterns, filters that deliver and count, queries, groups by name and ARN."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudlet.emulator.fallback.answers.logs import language, patterns

Client = Callable[..., Any]
Unique = Callable[..., str]


def refused(act: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        act(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def make(logs: Any, name: str, *messages: str) -> None:
    """A group with a stream `s` and these events, a millisecond apart."""
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    write(logs, name, *messages)


def write(logs: Any, name: str, *messages: str) -> None:
    start = int(time.time() * 1000) - len(messages)
    events = [{"timestamp": start + at, "message": message} for at, message in enumerate(messages)]
    if events:
        logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=events)


ACCESS = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /x HTTP/1.0" 404 1534'


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR here", True),
        ("error", "an ERROR here", False),
        ("ERROR memory", "ERROR out of memory", True),
        ("ERROR memory", "ERROR", False),
        ('"out of"', "out of memory", True),
        ("ERROR -memory", "ERROR out of memory", False),
        ("?ERROR ?WARN", "WARN x", True),
        ("?ERROR ?WARN", "INFO x", False),
        ("%ERR.R%", "ERRAR", True),
        ("{ $.a = 1 }", '{"a": 1}', True),
        ("{ $.a = 1 }", "a = 1", False),
        ('{ $.a.b[0] = "x*" }', '{"a": {"b": ["xyz"]}}', True),
        ('{ $.a > 5 && $.b != "c" }', '{"a": 6, "b": "d"}', True),
        ('{ ($.a > 5) || ($.b = "c") }', '{"a": 1, "b": "c"}', True),
        ("{ $.a IS NULL }", '{"a": null}', True),
        ("{ $.a NOT EXISTS }", '{"b": 1}', True),
        ("{ $.a IS TRUE }", '{"a": false}', False),
        ("[ip, id, user, time, request, status = 4*, size]", ACCESS, True),
        ("[ip, id, user, time, request, status = 5*, size]", ACCESS, False),
        ("[..., size > 1000]", ACCESS, True),
        ("[ip, size]", ACCESS, False),
    ],
)
def test_patterns(pattern: str, message: str, matches: bool) -> None:
    assert (patterns.compiled(pattern)(message) is not None) == matches


@pytest.mark.parametrize("pattern", ["{ $.a }", "{ a = 1 }", "{ $.a = 1 &&}", "[a b c]", "[a > x]", "{ ($.a = 1 }"])
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(patterns.Malformed):
        patterns.compiled(pattern)


def test_events_that_match_in_the_order_of_time(client: Client, unique: Unique) -> None:
    logs, name = client("logs"), unique("group")
    make(logs, name, '{"level": "a", "n": 1}', '{"level": "b", "n": 2}', "plain")
    found = logs.filter_log_events(logGroupName=name, filterPattern="{ $.n >= 1 }")["events"]
    assert [json.loads(event["message"])["n"] for event in found] == [1, 2]
    assert len(found[0]["eventId"]) == 56
    arn = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]["logGroupArn"]
    first = logs.filter_log_events(logGroupIdentifier=arn, limit=2)
    rest = logs.filter_log_events(logGroupIdentifier=arn, limit=2, nextToken=first["nextToken"])
    assert [len(first["events"]), len(rest["events"]), "nextToken" in rest] == [2, 1, False]
    assert refused(logs.filter_log_events, logGroupName=name, logGroupIdentifier=arn) == (
        "InvalidParameterException",
        "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
    )
    assert refused(logs.filter_log_events, logGroupName=name, filterPattern="{ a }")[0] == "InvalidParameterException"


def test_groups_by_pattern_and_class(client: Client, unique: Unique) -> None:
    logs, name = client("logs"), unique("Group")
    logs.create_log_group(logGroupName=name)
    (group,) = logs.describe_log_groups(logGroupNamePattern=name.lower())["logGroups"]
    assert (group["logGroupName"], group["logGroupClass"]) == (name, "STANDARD")
    assert refused(logs.describe_log_streams)[1] == "Please provide either LogGroup name or LogGroup ARN."
    assert logs.describe_log_streams(logGroupIdentifier=group["logGroupArn"])["logStreams"] == []
    assert name in [entry["logGroupName"] for entry in logs.list_log_groups(logGroupNamePattern=name)["logGroups"]]


def test_a_metric_filter_counts_events(client: Client, unique: Unique) -> None:
    logs, cloudwatch, name = client("logs"), client("cloudwatch"), unique("group")
    make(logs, name)
    made = {"metricName": "Sizes", "metricNamespace": name, "metricValue": "$.size", "unit": "Bytes"}
    logs.put_metric_filter(
        logGroupName=name, filterName="f", filterPattern="{ $.size > 1 }", metricTransformations=[made]
    )
    write(logs, name, '{"size": 1}', '{"size": 5}', '{"size": 7}')
    now = time.time()
    (point,) = cloudwatch.get_metric_statistics(
        Namespace=name,
        MetricName="Sizes",
        StartTime=now - 3600,
        EndTime=now + 60,
        Period=7200,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    assert (point["Sum"], point["SampleCount"], point["Unit"]) == (12.0, 2.0, "Bytes")
    (listed,) = logs.describe_metric_filters(logGroupName=name)["metricFilters"]
    assert (listed["filterName"], listed["filterPattern"]) == ("f", "{ $.size > 1 }")
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]["metricFilterCount"] == 1
    logs.delete_metric_filter(logGroupName=name, filterName="f")
    assert refused(logs.delete_metric_filter, logGroupName=name, filterName="f")[0] == "ResourceNotFoundException"


def test_a_subscription_delivers_what_matches(client: Client, unique: Unique) -> None:
    logs, kinesis, name = client("logs"), client("kinesis"), unique("group")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    make(logs, name)
    subscribe = {
        "logGroupName": name,
        "filterName": "f",
        "filterPattern": "ERROR",
        "roleArn": "arn:aws:iam::000000000000:role/x",
    }
    assert refused(logs.put_subscription_filter, destinationArn=arn + "x", **subscribe) == (
        "InvalidParameterException",
        "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE state.",
    )
    logs.put_subscription_filter(destinationArn=arn, **subscribe)
    write(logs, name, "fine", "ERROR 1")
    shard = kinesis.list_shards(StreamName=name)["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    (record,) = kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    told = json.loads(gzip.decompress(record["Data"]))
    assert [event["message"] for event in told["logEvents"]] == ["ERROR 1"]
    assert (told["logGroup"], told["subscriptionFilters"], told["messageType"]) == (name, ["f"], "DATA_MESSAGE")
    (listed,) = logs.describe_subscription_filters(logGroupName=name)["subscriptionFilters"]
    assert (listed["destinationArn"], listed["distribution"]) == (arn, "ByLogStream")
    logs.delete_subscription_filter(logGroupName=name, filterName="f")


def test_a_pattern_is_tried(client: Client) -> None:
    answer = client("logs").test_metric_filter(filterPattern="[a, b]", logEventMessages=["1 2", "1 2 3"])
    (match,) = answer["matches"]
    assert (match["eventNumber"], match["extractedValues"]) == (1, {"$a": "1", "$b": "2"})


def ask(logs: Any, name: str, query: str) -> list[dict[str, str]]:
    now = int(time.time())
    started = logs.start_query(logGroupName=name, startTime=now - 3600, endTime=now + 60, queryString=query)
    answer = logs.get_query_results(queryId=started["queryId"])
    assert answer["status"] == "Complete"
    return [{entry["field"]: entry["value"] for entry in row if entry["field"] != "@ptr"} for row in answer["results"]]


def test_queries(client: Client, unique: Unique) -> None:
    logs, name = client("logs"), unique("group")
    make(logs, name, '{"level": "warn", "ms": 10}', '{"level": "warn", "ms": 30}', '{"level": "info", "ms": 5}')
    assert ask(logs, name, "fields level, ms | filter ms > 6 and level like /wa/ | sort ms desc | limit 1") == [
        {"level": "warn", "ms": "30"}
    ]
    assert ask(logs, name, "stats count(*) as n, avg(ms) as mean by level | sort level") == [
        {"level": "info", "n": "1", "mean": "5"},
        {"level": "warn", "n": "2", "mean": "20"},
    ]
    assert len(ask(logs, name, "fields @message | filter not ispresent(other)")) == 3
    assert ask(logs, name, 'parse @message "*level*" as a, b | filter level in ["info"] | display level') == [
        {"level": "info"}
    ]
    assert refused(logs.start_query, logGroupName=name, startTime=0, endTime=1, queryString="nonsense x")[0] == (
        "MalformedQueryException"
    )


@pytest.mark.parametrize("text", ["a =", "(a = 1", "a = 1 and", "= 1", "a ? 1"])
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(language.Malformed):
        language.Conditions(text).all()


def test_queries_are_saved(client: Client, unique: Unique) -> None:
    logs, name = client("logs"), unique("query")
    made = logs.put_query_definition(name=name, queryString="fields @message")["queryDefinitionId"]
    (found,) = logs.describe_query_definitions(queryDefinitionNamePrefix=name)["queryDefinitions"]
    assert (found["queryDefinitionId"], found["queryString"]) == (made, "fields @message")
    assert logs.delete_query_definition(queryDefinitionId=made)["success"] is True
    assert refused(logs.delete_query_definition, queryDefinitionId=made)[0] == "ResourceNotFoundException"
