"""CloudWatch: statistics, metric math, alarms that change their state and tell of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudlet.emulator.fallback.answers.cloudwatch import expressions, rules

Client = Callable[..., Any]
Unique = Callable[..., str]
START = 1_700_000_040  # a whole minute


def refused(act: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        act(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def put(cloudwatch: Any, namespace: str, *points: tuple[float, float], name: str = "m", **more: Any) -> None:
    data = [{"MetricName": name, "Timestamp": at(when), "Value": value, **more} for when, value in points]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)


def test_statistics_by_period_and_unit(client: Client, unique: Unique) -> None:
    cloudwatch, namespace = client("cloudwatch"), unique("ns")
    put(cloudwatch, namespace, (START, 1), (START + 10, 3), (START + 60, 5), Unit="Bytes")
    put(cloudwatch, namespace, (START, 7), Unit="Seconds")
    wanted = {
        "Namespace": namespace,
        "MetricName": "m",
        "StartTime": at(START),
        "EndTime": at(START + 120),
        "Period": 60,
    }
    found = cloudwatch.get_metric_statistics(Statistics=["Average", "SampleCount"], Unit="Bytes", **wanted)
    assert [(point["Timestamp"], point["Average"]) for point in found["Datapoints"]] == [
        (at(START), 2.0),
        (at(START + 60), 5.0),
    ]
    every = cloudwatch.get_metric_statistics(Statistics=["Maximum"], **wanted)["Datapoints"]
    assert sorted((point["Unit"], point["Maximum"]) for point in every) == [
        ("Bytes", 3.0),
        ("Bytes", 5.0),
        ("Seconds", 7.0),
    ]
    (first, _) = cloudwatch.get_metric_statistics(ExtendedStatistics=["p50"], Unit="Bytes", **wanted)["Datapoints"]
    assert first["ExtendedStatistics"] == {"p50": 2.0}
    assert refused(cloudwatch.get_metric_statistics, **wanted)[0] == "InvalidParameterCombination"


def test_metric_data_with_an_expression(client: Client, unique: Unique) -> None:
    cloudwatch, namespace = client("cloudwatch"), unique("ns")
    put(cloudwatch, namespace, (START, 10), (START + 60, 20), name="all")
    put(cloudwatch, namespace, (START, 1), name="bad")

    def query(name: str) -> dict[str, Any]:
        metric = {"Namespace": namespace, "MetricName": name}
        return {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False}

    rate = {"Id": "rate", "Expression": "100 * FILL(bad, 0) / all", "Label": "in percent"}
    times = {"StartTime": at(START), "EndTime": at(START + 120)}
    answer = cloudwatch.get_metric_data(MetricDataQueries=[rate, query("all"), query("bad")], **times)
    (result,) = answer["MetricDataResults"]
    assert answer["Messages"] == []
    assert (result["Label"], result["Timestamps"], result["Values"]) == ("in percent", [at(START)], [10.0])
    plain = {**query("all"), "ReturnData": True}
    (result,) = cloudwatch.get_metric_data(MetricDataQueries=[plain], **times)["MetricDataResults"]
    assert (result["Label"], result["Values"], result["StatusCode"]) == ("all", [20.0, 10.0], "Complete")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a + b * 2", {0.0: 5.0, 60.0: 8.0}),
        ("-(a - 1) ^ 2", {0.0: 0.0, 60.0: 1.0}),
        ("SUM(METRICS())", {0.0: 3.0, 60.0: 5.0}),
        ("MAX([a, b])", {0.0: 2.0, 60.0: 3.0}),
        ("AVG(b)", 2.5),
        ("IF(a > 1, b, 0)", {0.0: 0.0, 60.0: 3.0}),
        ("a >= 2 AND b >= 3", {0.0: 0.0, 60.0: 1.0}),
        ("RATE(a)", {60.0: 1 / 60}),
        ("RUNNING_SUM(b)", {0.0: 2.0, 60.0: 5.0}),
        ("a / 0", {}),
        ("PERIOD(a)", 60.0),
    ],
)
def test_metric_math(text: str, value: Any) -> None:
    series = {"a": {0.0: 1.0, 60.0: 2.0}, "b": {0.0: 2.0, 60.0: 3.0}}
    assert expressions.evaluate(text, series, 60) == value


@pytest.mark.parametrize("text", ["", "a +", "nothing", "SUM()", "a b", "FOO(a)", "(a"])
def test_what_is_no_expression(text: str) -> None:
    with pytest.raises(expressions.Malformed):
        expressions.evaluate(text, {"a": {0.0: 1.0}}, 60)


def test_metrics_are_listed_once(client: Client, unique: Unique) -> None:
    cloudwatch, namespace = client("cloudwatch"), unique("ns")
    dimensions = [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}]
    for _ in range(2):
        put(cloudwatch, namespace, (START, 1), Dimensions=dimensions)
    put(cloudwatch, namespace, (START, 1))
    assert len(cloudwatch.list_metrics(Namespace=namespace)["Metrics"]) == 2
    (found,) = cloudwatch.list_metrics(Namespace=namespace, Dimensions=[{"Name": "a"}])["Metrics"]
    assert sorted(entry["Name"] for entry in found["Dimensions"]) == ["a", "b"]


def alarm_for(namespace: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "Namespace": namespace,
        "MetricName": "m",
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 10.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **more,
    }


def described(cloudwatch: Any, name: str) -> dict[str, Any]:
    (found,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(found)


def receive(sqs: Any, url: str) -> dict[str, Any]:
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    told: dict[str, Any] = json.loads(json.loads(message["Body"])["Message"])
    return told


def test_a_new_alarm_knows_nothing(client: Client, unique: Unique) -> None:
    cloudwatch, name = client("cloudwatch"), unique("alarm")
    cloudwatch.put_metric_alarm(**alarm_for(unique("ns"), name))
    alarm = described(cloudwatch, name)
    assert (alarm["StateValue"], alarm["StateReason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    assert alarm["AlarmActions"] == alarm["Dimensions"] == []
    assert not {"Metrics", "StateReasonData", "TreatMissingData"} & set(alarm)


def test_data_change_the_state_and_a_topic_is_told(client: Client, unique: Unique) -> None:
    cloudwatch, sqs, name, namespace = client("cloudwatch"), client("sqs"), unique("alarm"), unique("ns")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    topic = client("sns").create_topic(Name=name)["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:000000000000:{name}")
    cloudwatch.put_metric_alarm(**alarm_for(namespace, name, AlarmActions=[topic], OKActions=[topic]))
    now = time.time()
    put(cloudwatch, namespace, (now, 20))
    told = receive(sqs, url)
    assert (told["AlarmName"], told["OldStateValue"], told["NewStateValue"]) == (name, "INSUFFICIENT_DATA", "ALARM")
    assert told["Trigger"]["Statistic"] == "AVERAGE"
    assert "was greater than the threshold (10.0)" in told["NewStateReason"]
    put(cloudwatch, namespace, (now, -100), (now, -100))
    assert receive(sqs, url)["NewStateValue"] == "OK"
    history = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert [entry["HistorySummary"] for entry in history] == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
    ]


@pytest.mark.parametrize(
    ("treatment", "state"), [("missing", "INSUFFICIENT_DATA"), ("breaching", "ALARM"), ("notBreaching", "OK")]
)
def test_missing_data_are_treated_as_asked(client: Client, unique: Unique, treatment: str, state: str) -> None:
    cloudwatch, name = client("cloudwatch"), unique("alarm")
    cloudwatch.put_metric_alarm(**alarm_for(unique("ns"), name, TreatMissingData=treatment))
    assert described(cloudwatch, name)["StateValue"] == state


def test_a_state_set_by_hand_holds_until_data_arrive(client: Client, unique: Unique) -> None:
    cloudwatch, name, namespace = client("cloudwatch"), unique("alarm"), unique("ns")
    cloudwatch.put_metric_alarm(**alarm_for(namespace, name))
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="by hand", StateReasonData='{"a": 1}')
    alarm = described(cloudwatch, name)
    assert (alarm["StateValue"], alarm["StateReason"], alarm["StateReasonData"]) == ("ALARM", "by hand", '{"a": 1}')
    put(cloudwatch, namespace, (time.time(), 1))
    assert described(cloudwatch, name)["StateValue"] == "OK"
    assert refused(cloudwatch.set_alarm_state, AlarmName=unique("none"), StateValue="OK", StateReason="x")[0] == (
        "ResourceNotFound"
    )


def test_composite_alarms_follow_their_parts(client: Client, unique: Unique) -> None:
    cloudwatch, one, two, both = client("cloudwatch"), unique("one"), unique("two"), unique("both")
    for name in (one, two):
        cloudwatch.put_metric_alarm(**alarm_for(unique("ns"), name))
    rule = f'ALARM("{one}") AND NOT ALARM({two})'
    cloudwatch.put_composite_alarm(AlarmName=both, AlarmRule=rule)

    def state() -> str:
        (found,) = cloudwatch.describe_alarms(AlarmNames=[both], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
        value: str = found["StateValue"]
        return value

    assert state() == "OK"
    cloudwatch.set_alarm_state(AlarmName=one, StateValue="ALARM", StateReason="x")
    assert state() == "ALARM"
    cloudwatch.set_alarm_state(AlarmName=two, StateValue="ALARM", StateReason="x")
    assert state() == "OK"
    children = cloudwatch.describe_alarms(ChildrenOfAlarmName=both)["MetricAlarms"]
    assert {child["AlarmName"] for child in children} == {one, two}
    assert cloudwatch.describe_alarms(AlarmNames=[both])["CompositeAlarms"] == []
    absent = unique("absent")
    assert refused(cloudwatch.put_composite_alarm, AlarmName=both, AlarmRule=f"OK({absent})")[1] == (
        f"Could not save the composite alarm as alarms [{absent}] in the alarm rule do not exist"
    )


@pytest.mark.parametrize("rule", ["", "ALARM", "ALARM(a) OR", "(ALARM(a)", "a AND b", "ALARM(a) ALARM(b)"])
def test_what_is_no_rule(rule: str) -> None:
    with pytest.raises(rules.Malformed):
        rules.alarms_in(rule)


def test_an_alarm_that_is_changed_keeps_its_state_and_tags(client: Client, unique: Unique) -> None:
    cloudwatch, name = client("cloudwatch"), unique("alarm")
    cloudwatch.put_metric_alarm(**alarm_for(unique("ns"), name, Tags=[{"Key": "a", "Value": "1"}]))
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="x")
    cloudwatch.put_metric_alarm(**alarm_for(unique("ns"), name, Threshold=5.0))
    alarm = described(cloudwatch, name)
    assert (alarm["Threshold"], alarm["StateReason"]) == (5.0, "x")
    tags = cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
    assert tags == [{"Key": "a", "Value": "1"}]
    cloudwatch.delete_alarms(AlarmNames=[name])
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


def test_alarms_on_metric_math(client: Client, unique: Unique) -> None:
    cloudwatch, name, namespace = client("cloudwatch"), unique("alarm"), unique("ns")
    metric = {"Metric": {"Namespace": namespace, "MetricName": "m"}, "Period": 60, "Stat": "Sum"}
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        EvaluationPeriods=1,
        Threshold=10,
        ComparisonOperator="GreaterThanThreshold",
        Metrics=[
            {"Id": "a", "MetricStat": metric, "ReturnData": False},
            {"Id": "e", "Expression": "a * 2", "ReturnData": True},
        ],
    )
    put(cloudwatch, namespace, (time.time(), 6))
    assert described(cloudwatch, name)["StateValue"] == "ALARM"


def test_names_of_dashboards(client: Client) -> None:
    assert refused(client("cloudwatch").put_dashboard, DashboardName="a b", DashboardBody="{}")[1].startswith(
        "The value for field DashboardName contains invalid characters."
    )


def test_metric_streams_are_kept(client: Client, unique: Unique) -> None:
    cloudwatch, name = client("cloudwatch"), unique("stream")
    arn = cloudwatch.put_metric_stream(
        Name=name,
        FirehoseArn="arn:aws:firehose:us-east-1:000000000000:deliverystream/x",
        RoleArn="arn:aws:iam::000000000000:role/x",
        OutputFormat="json",
    )["Arn"]
    cloudwatch.stop_metric_streams(Names=[name])
    found = cloudwatch.get_metric_stream(Name=name)
    assert (found["Arn"], found["State"]) == (arn, "stopped")
    assert name in [entry["Name"] for entry in cloudwatch.list_metric_streams()["Entries"]]
    cloudwatch.delete_metric_stream(Name=name)
    assert refused(cloudwatch.get_metric_stream, Name=name)[0] == "ResourceNotFoundException"
