"""Events on their way: from PutEvents to targets, through patterns, transformers, buses and failures."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Unique = Callable[..., str]


class Wired:
    """A rule that listens to a source of its own, and a queue behind it."""

    def __init__(self, client: Client, unique: Unique, target: dict[str, Any] | None = None, **queue: str) -> None:
        self.client = client
        self.source = unique("source")
        self.rule = unique("rule")
        name = unique("queue") + (".fifo" if queue else "")
        sqs = client("sqs")
        self.url = sqs.create_queue(QueueName=name, Attributes=queue)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
        self.rule_arn = client("events").put_rule(Name=self.rule, EventPattern=json.dumps({"source": [self.source]}))[
            "RuleArn"
        ]
        self.add({"Id": "queue", "Arn": self.arn, **(target or {})})

    def add(self, target: dict[str, Any]) -> None:
        answer = self.client("events").put_targets(Rule=self.rule, Targets=[target])
        assert answer["FailedEntryCount"] == 0

    def put(self, detail: Any, **members: Any) -> dict[str, Any]:
        entry = {"Source": self.source, "DetailType": "Test", "Detail": json.dumps(detail), **members}
        answer: dict[str, Any] = self.client("events").put_events(Entries=[entry])["Entries"][0]
        return answer

    def messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (
            self.client("sqs")
            .receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
            )
            .get("Messages", [])
        )
        return found

    def bodies(self) -> list[Any]:
        return [json.loads(message["Body"]) for message in self.messages()]


def test_an_event_arrives_whole(client: Client, unique: Unique) -> None:
    wired = Wired(client, unique)
    put = wired.put({"n": 1}, Time=1_700_000_000, Resources=["arn:x"])
    assert wired.bodies() == [
        {
            "version": "0",
            "id": put["EventId"],
            "detail-type": "Test",
            "source": wired.source,
            "account": "000000000000",
            "time": "2023-11-14T22:13:20Z",
            "region": "us-east-1",
            "resources": ["arn:x"],
            "detail": {"n": 1},
        }
    ]


def test_entries_fail_one_by_one(client: Client, unique: Unique) -> None:
    wired = Wired(client, unique)
    good = {"Source": wired.source, "DetailType": "t", "Detail": "{}"}
    answer = client("events").put_events(
        Entries=[
            good,
            {name: value for name, value in good.items() if name != "Source"},
            {name: value for name, value in good.items() if name != "DetailType"},
            {name: value for name, value in good.items() if name != "Detail"},
            {**good, "Detail": "not json"},
            {**good, "Detail": "[]"},
            {**good, "Source": "aws.ec2"},
            {**good, "EventBusName": "not-there"},
        ]
    )
    assert answer["FailedEntryCount"] == 6
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [
        None,
        "InvalidArgument",
        "InvalidArgument",
        "InvalidArgument",
        "MalformedDetail",
        "MalformedDetail",
        "NotAuthorizedForSourceException",
        None,
    ]
    assert (
        answer["Entries"][1]["ErrorMessage"] == "Parameter Source is not valid. Reason: Source is a required argument."
    )
    assert len(wired.bodies()) == 1


def test_a_request_has_limits(client: Client) -> None:
    events = client("events")
    with pytest.raises(ClientError, match="Total size of the entries in the request is over the limit"):
        events.put_events(Entries=[{"Source": "s", "DetailType": "t", "Detail": json.dumps({"a": "x" * 256 * 1024})}])
    with pytest.raises(ClientError, match="ValidationException"):
        events.put_events(Entries=[{"Source": "s", "DetailType": "t", "Detail": "{}"}] * 11)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"Input": '{"fixed": true}'}, {"fixed": True}),
        ({"InputPath": "$.detail"}, {"who": "Ann", "items": [1, 2], "in": {"ner": "x"}}),
        ({"InputPath": "$.detail.items[1]"}, 2),
        ({"InputPath": "$.detail.none"}, None),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"who": "$.detail.who", "all": "$.detail.items", "gone": "$.detail.gone"},
                    "InputTemplate": '{"who": <who>, "say": "Hi <who>, <all>", "all": <all>, "gone": "<gone>"}',
                }
            },
            {"who": "Ann", "say": "Hi Ann, [1,2]", "all": [1, 2], "gone": ""},
        ),
        (
            {"InputTransformer": {"InputPathsMap": {"who": "$.detail.who"}, "InputTemplate": '"Hello <who>"'}},
            "Hello Ann",
        ),
    ],
)
def test_a_target_gets_what_it_asks_for(client: Client, unique: Unique, target: dict[str, Any], expected: Any) -> None:
    wired = Wired(client, unique, target)
    wired.put({"who": "Ann", "items": [1, 2], "in": {"ner": "x"}})
    assert wired.bodies() == [expected]


def test_a_transformer_knows_the_rule_and_the_event(client: Client, unique: Unique) -> None:
    template = '{"rule": "<aws.events.rule-name>", "arn": <aws.events.rule-arn>, "event": <aws.events.event.json>}'
    wired = Wired(client, unique, {"InputTransformer": {"InputTemplate": template}})
    put = wired.put({"n": 1})
    (body,) = wired.bodies()
    assert (body["rule"], body["arn"]) == (wired.rule, wired.rule_arn)
    assert (body["event"]["id"], body["event"]["detail"]) == (put["EventId"], {"n": 1})


def test_a_disabled_rule_hears_nothing(client: Client, unique: Unique) -> None:
    wired = Wired(client, unique)
    client("events").disable_rule(Name=wired.rule)
    wired.put({})
    assert wired.bodies() == []


def test_fifo_queues_get_their_group(client: Client, unique: Unique) -> None:
    wired = Wired(
        client, unique, {"SqsParameters": {"MessageGroupId": "g"}}, FifoQueue="true", ContentBasedDeduplication="true"
    )
    wired.put({})
    (message,) = wired.messages()
    assert message["Attributes"]["MessageGroupId"] == "g"


def test_an_event_goes_from_bus_to_bus(client: Client, unique: Unique) -> None:
    wired, bus, account = Wired(client, unique), unique("bus"), "111122223333"
    there = client("events", account=account, region_name="eu-west-1")
    arn = there.create_event_bus(Name=bus)["EventBusArn"]
    there.put_rule(Name="all", EventBusName=bus, EventPattern=json.dumps({"source": [wired.source]}))
    sqs = client("sqs", account=account, region_name="eu-west-1")
    url = sqs.create_queue(QueueName=unique("far"))["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    there.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "1", "Arn": queue}])
    wired.add({"Id": "bus", "Arn": arn})
    put = wired.put({"n": 1})
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    event = json.loads(message["Body"])
    assert (event["account"], event["region"], event["detail"]) == ("000000000000", "us-east-1", {"n": 1})
    assert event["id"] != put["EventId"]


def test_buses_in_a_ring_come_to_an_end(client: Client, unique: Unique) -> None:
    wired, events = Wired(client, unique), client("events")
    other = unique("bus")
    there = events.create_event_bus(Name=other)["EventBusArn"]
    pattern = json.dumps({"source": [wired.source]})
    events.put_rule(Name="back", EventBusName=other, EventPattern=pattern)
    home = events.describe_event_bus()["Arn"]
    events.put_targets(Rule="back", EventBusName=other, Targets=[{"Id": "1", "Arn": home}])
    wired.add({"Id": "ring", "Arn": there})
    wired.put({})
    assert 1 < len(wired.bodies()) < 10


def test_a_rule_does_not_answer_itself(client: Client, unique: Unique) -> None:
    wired = Wired(client, unique)
    wired.add({"Id": "self", "Arn": client("events").describe_event_bus()["Arn"]})
    wired.put({})
    assert len(wired.bodies()) == 1


def test_a_bus_is_named_by_its_arn(client: Client, unique: Unique) -> None:
    wired = Wired(client, unique)
    wired.put({"n": 1}, EventBusName="arn:aws:events:us-east-1:000000000000:event-bus/default")
    assert [body["detail"] for body in wired.bodies()] == [{"n": 1}]


def test_a_target_that_is_gone_writes_a_dead_letter(client: Client, unique: Unique) -> None:
    wired = Wired(client, unique)
    missing = "arn:aws:sqs:us-east-1:000000000000:not-there"
    client("events").remove_targets(Rule=wired.rule, Ids=["queue"])
    wired.add({"Id": "lost", "Arn": missing, "DeadLetterConfig": {"Arn": wired.arn}})
    put = wired.put({"n": 1})
    (letter,) = wired.messages()
    assert json.loads(letter["Body"])["id"] == put["EventId"]
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes.pop("ERROR_MESSAGE")
    assert attributes == {
        "ERROR_CODE": "NO_RESOURCE",
        "RETRY_ATTEMPTS": "0",
        "RULE_ARN": wired.rule_arn,
        "TARGET_ARN": missing,
    }


def test_log_groups_topics_and_streams_are_targets(client: Client, unique: Unique, emulator: Any) -> None:
    wired, group = Wired(client, unique), "/aws/events/" + unique("group")
    logs = client("logs")
    logs.create_log_group(logGroupName=group)
    wired.add({"Id": "logs", "Arn": f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"})
    topic = client("sns").create_topic(Name=unique("topic"))["TopicArn"]
    client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=wired.arn, Attributes={"RawMessageDelivery": "true"}
    )
    client("events").remove_targets(Rule=wired.rule, Ids=["queue"])
    wired.add({"Id": "topic", "Arn": topic, "InputPath": "$.detail"})
    wired.put({"n": 1})
    assert wired.bodies() == [{"n": 1}]

    def logged() -> list[str]:
        return [entry["message"] for entry in logs.filter_log_events(logGroupName=group)["events"]]

    assert emulator.wait_until(lambda: len(logged()) == 1)
    assert json.loads(logged()[0])["detail"] == {"n": 1}


def test_functions_are_targets(client: Client, unique: Unique, emulator: Any) -> None:
    wired, name = Wired(client, unique), unique("function")
    code = (
        "import boto3, json, os\n"
        "def handler(event, context):\n"
        "    sqs = boto3.client('sqs')\n"
        "    sqs.send_message(QueueUrl=os.environ['QUEUE'], MessageBody=json.dumps({'got': event['detail']}))\n"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", code)
    made = client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="app.handler",
        Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": {"QUEUE": wired.url}},
        Timeout=30,
    )
    client("events").remove_targets(Rule=wired.rule, Ids=["queue"])
    wired.add({"Id": "function", "Arn": made["FunctionArn"]})
    wired.put({"n": 1})
    found: list[Any] = []

    def called() -> bool:
        found.extend(wired.bodies())
        return bool(found)

    assert emulator.wait_until(called)
    assert found == [{"got": {"n": 1}}]


def test_state_machines_are_targets(client: Client, unique: Unique, emulator: Any) -> None:
    wired, name, machines = Wired(client, unique), unique("machine"), client("stepfunctions")
    role = "arn:aws:iam::000000000000:role/r"
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Pass", "End": True}}})
    arn = machines.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"]
    wired.add({"Id": "machine", "Arn": arn, "RoleArn": role, "InputPath": "$.detail"})
    wired.put({"n": 1})

    def started() -> list[Any]:
        found: list[Any] = machines.list_executions(stateMachineArn=arn)["executions"]
        return found

    assert emulator.wait_until(lambda: len(started()) == 1)
    execution = machines.describe_execution(executionArn=started()[0]["executionArn"])
    assert json.loads(execution["input"]) == {"n": 1}


def test_a_pattern_is_tried(client: Client) -> None:
    events = client("events")
    event = {
        "id": "1", "account": "000000000000", "source": "s", "time": "2026-01-01T00:00:00Z", "region": "us-east-1",
        "resources": [], "detail-type": "t", "detail": {"a": 1},
    }  # fmt: skip
    text = json.dumps(event)
    assert events.test_event_pattern(EventPattern='{"detail": {"a": [1]}}', Event=text)["Result"] is True
    assert events.test_event_pattern(EventPattern='{"detail": {"a": [2]}}', Event=text)["Result"] is False
    with pytest.raises(ClientError, match=r"InvalidEventPatternException.*Reason: Empty arrays are not allowed\n at"):
        events.test_event_pattern(EventPattern='{"detail": {"a": []}}', Event=text)
    for wrong in ('"text"', "no json", '{"id": "1"}'):
        with pytest.raises(ClientError, match=r"ValidationException.*Parameter Event is not valid\."):
            events.test_event_pattern(EventPattern='{"source": ["s"]}', Event=wrong)


def test_partner_events_reach_the_bus_of_the_account(client: Client, unique: Unique) -> None:
    name, customer = f"aws.partner/example.com/{unique('s')}", "111122223333"
    partner, mine = client("events"), client("events", account=customer)
    partner.create_partner_event_source(Name=name, Account=customer)
    assert mine.describe_event_source(Name=name)["State"] == "PENDING"
    mine.create_event_bus(Name=name, EventSourceName=name)
    assert mine.describe_event_source(Name=name)["State"] == "ACTIVE"
    mine.put_rule(Name="all", EventBusName=name, EventPattern=json.dumps({"source": [name]}))
    sqs = client("sqs", account=customer)
    url = sqs.create_queue(QueueName=unique("partner"))["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    mine.put_targets(Rule="all", EventBusName=name, Targets=[{"Id": "1", "Arn": queue}])
    entry = {"Source": name, "DetailType": "t", "Detail": "{}"}
    assert partner.put_partner_events(Entries=[entry])["FailedEntryCount"] == 0
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["source"] == name
    accounts = partner.list_partner_event_source_accounts(EventSourceName=name)["PartnerEventSourceAccounts"]
    assert [entry["Account"] for entry in accounts] == [customer]
    assert [entry["Name"] for entry in partner.list_partner_event_sources(NamePrefix=name)["PartnerEventSources"]] == [
        name
    ]
