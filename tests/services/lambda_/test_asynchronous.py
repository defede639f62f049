"""Events: retries, destinations, dead letters, and what is left of them after a crash."""

from __future__ import annotations

import gzip
import json
import time
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import RunningEmulator
from tests.services.lambda_.conftest import TELL, Functions, Told, move_clock

FAILING = """
def handler(event, context):
    raise ValueError("boom")
"""


def send(functions: Functions, name: str, event: Any) -> None:
    answer = functions.aws.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event))
    assert answer["StatusCode"] == 202


def telling(functions: Functions, told: Told, **options: Any) -> str:
    return functions.make(TELL, Environment={"Variables": {"TOLD": told.url}}, **options)


def test_an_event_is_handled_later(functions: Functions, told: Told) -> None:
    send(functions, telling(functions, told), {"number": 17})
    assert told.take() == {"number": 17}


def test_the_old_form_of_an_event(functions: Functions, told: Told) -> None:
    assert functions.aws.invoke_async(FunctionName=telling(functions, told), InvokeArgs=b'{"a": 1}')["Status"] == 202
    assert told.take() == {"a": 1}


@pytest.fixture
def own(start_emulator: Callable[..., RunningEmulator], unique: Callable[..., str]) -> Functions:
    """Functions of an emulator of the test's own, whose clock may be moved."""
    return Functions(start_emulator(), unique)


def test_a_failed_event_is_tried_again_after_one_and_two_minutes(own: Functions) -> None:
    told = Told(own.emulator, "told")
    dead = Told(own.emulator, "dead")
    name = telling(own, told, DeadLetterConfig={"TargetArn": dead.arn})
    send(own, name, {"boom": 1})
    for pause in (60, 120):
        assert told.take() == {"boom": 1}
        move_clock(own.emulator, pause + 1)  # waits for the attempt that has told
    assert told.take() == {"boom": 1}
    message = dead.message()
    assert json.loads(message["Body"]) == {"boom": 1}
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "boom"
    assert message["MessageAttributes"]["ErrorCode"] == {"DataType": "Number", "StringValue": "200"}


def test_a_destination_learns_of_success(functions: Functions, told: Told) -> None:
    name = functions.make()
    destination = {"OnSuccess": {"Destination": told.arn}}
    functions.aws.put_function_event_invoke_config(FunctionName=name, DestinationConfig=destination)
    send(functions, name, {"a": 1})
    record = told.take()
    assert (record["version"], record["requestPayload"], record["responsePayload"]) == ("1.0", {"a": 1}, {"a": 1})
    assert record["requestContext"]["condition"] == "Success"
    assert record["requestContext"]["functionArn"].endswith(f":function:{name}:$LATEST")
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}


def test_a_destination_learns_of_failure_when_nothing_is_tried_again(functions: Functions, told: Told) -> None:
    name = functions.make(FAILING)
    functions.aws.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": told.arn}}
    )
    send(functions, name, {})
    record = told.take()
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "boom"


def test_a_function_may_be_the_destination_of_another(functions: Functions, told: Told) -> None:
    first, second = functions.make(), telling(functions, told)
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{second}"
    functions.aws.put_function_event_invoke_config(
        FunctionName=first, DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    send(functions, first, {"a": 1})
    assert told.take()["responsePayload"] == {"a": 1}


def test_an_event_bus_may_be_a_destination(functions: Functions, told: Told, client: Any) -> None:
    bus, name = functions.unique("bus"), functions.make()
    events = client("events")
    arn = events.create_event_bus(Name=bus)["EventBusArn"]
    events.put_rule(Name="all", EventBusName=bus, EventPattern='{"source": ["lambda"]}')
    events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "1", "Arn": told.arn}])
    functions.aws.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    send(functions, name, {"a": 1})
    event = told.take()
    assert event["detail-type"] == "Lambda Function Invocation Result - Success"
    assert event["detail"]["responsePayload"] == {"a": 1}


def test_a_function_without_concurrency_gives_its_events_up(functions: Functions, told: Told) -> None:
    name = functions.make(DeadLetterConfig={"TargetArn": told.arn})
    functions.aws.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    send(functions, name, {"a": 1})
    assert told.take() == {"a": 1}


def test_an_event_survives_a_crash(start_emulator: Callable[..., RunningEmulator], unique: Callable[..., str]) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    functions, told = Functions(emulator, unique), Told(emulator, "told")
    source = "import time\ntime.sleep(1)\n" + TELL
    name = functions.make(source, Environment={"Variables": {"TOLD": told.url}})
    send(functions, name, {"number": 17})
    emulator.kill()
    emulator.restart()
    assert told.take() == {"number": 17}
    assert functions.aws.get_function(FunctionName=name)["Configuration"]["FunctionName"] == name


def test_a_topic_calls_a_function(functions: Functions, told: Told, client: Any) -> None:
    name, sns = telling(functions, told), client("sns")
    topic = sns.create_topic(Name=functions.unique("topic"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=f"arn:aws:lambda:us-east-1:000000000000:function:{name}")
    sns.publish(TopicArn=topic, Message="m", MessageAttributes={"x": {"DataType": "String", "StringValue": "1"}})
    record = told.take()["Records"][0]
    assert (record["EventSource"], record["EventVersion"]) == ("aws:sns", "1.0")
    assert (record["Sns"]["Message"], record["Sns"]["Subject"], record["Sns"]["TopicArn"]) == ("m", None, topic)
    assert record["Sns"]["MessageAttributes"] == {"x": {"Type": "String", "Value": "1"}}
    assert {"SigningCertUrl", "UnsubscribeUrl"} <= set(record["Sns"])


def test_a_bucket_calls_a_function(functions: Functions, told: Told, client: Any) -> None:
    name, bucket, s3 = telling(functions, told), functions.unique("bucket"), client("s3")
    s3.create_bucket(Bucket=bucket)
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    wanted = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [wanted]}
    )
    s3.put_object(Bucket=bucket, Key="a b", Body=b"1")
    record = told.take()["Records"][0]
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Put", "a+b")


def test_an_event_rule_calls_a_function(functions: Functions, told: Told, client: Any) -> None:
    name, rule, events = telling(functions, told), functions.unique("rule"), client("events")
    source = functions.unique("source")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}))
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn}])
    events.put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": '{"a": 1}'}])
    event = told.take()
    assert (event["source"], event["detail"]) == (source, {"a": 1})


def test_a_log_group_calls_a_function(functions: Functions, told: Told, client: Any) -> None:
    name, logs, group = telling(functions, told), client("logs"), functions.unique("group")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="stream")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    logs.put_subscription_filter(logGroupName=group, filterName="f", filterPattern="", destinationArn=arn)
    events = [{"timestamp": int(time.time() * 1000), "message": "hello"}]
    logs.put_log_events(logGroupName=group, logStreamName="stream", logEvents=events)
    data = json.loads(gzip.decompress(b64decode(told.take()["awslogs"]["data"])))
    assert (data["logGroup"], data["subscriptionFilters"]) == (group, ["f"])
    assert [event["message"] for event in data["logEvents"]] == ["hello"]
