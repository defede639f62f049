"""Buses, rules, targets, their tags, and who may send."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Unique = Callable[..., str]
PATTERN = json.dumps({"source": ["nobody"]})
QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"
ROLE = "arn:aws:iam::000000000000:role/r"


def refused(code: str, message: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\).*{message}")


def test_a_bus_is_made_described_changed_and_deleted(client: Client, unique: Unique) -> None:
    events, name = client("events"), unique("bus")
    made = events.create_event_bus(Name=name, Description="one")
    arn = f"arn:aws:events:us-east-1:000000000000:event-bus/{name}"
    assert (made["EventBusArn"], made["Description"]) == (arn, "one")
    found = events.describe_event_bus(Name=arn)
    assert (found["Name"], found["Arn"], found["Description"]) == (name, arn, "one")
    events.update_event_bus(Name=name, Description="two")
    assert events.describe_event_bus(Name=name)["Description"] == "two"
    assert [bus["Name"] for bus in events.list_event_buses(NamePrefix=name)["EventBuses"]] == [name]
    with refused("ResourceAlreadyExistsException", f"Event bus {name} already exists."):
        events.create_event_bus(Name=name)
    events.put_rule(Name="keeps", EventBusName=name, EventPattern=PATTERN)
    with refused("ValidationException", "it has rules"):
        events.delete_event_bus(Name=name)
    events.delete_rule(Name="keeps", EventBusName=name)
    events.delete_event_bus(Name=name)
    events.delete_event_bus(Name=name)
    with refused("ResourceNotFoundException", f"Event bus {name} does not exist."):
        events.describe_event_bus(Name=name)


def test_the_default_bus_is_always_there(client: Client) -> None:
    events = client("events")
    assert events.describe_event_bus()["Name"] == "default"
    assert "default" in [bus["Name"] for bus in events.list_event_buses()["EventBuses"]]
    with refused("ValidationException", "Cannot delete event bus default."):
        events.delete_event_bus(Name="default")
    with refused("ResourceAlreadyExistsException", "default already exists"):
        events.create_event_bus(Name="default")
    with refused("ValidationException", "Event bus name must not contain '/'."):
        events.create_event_bus(Name="a/b")


def test_a_rule_is_what_was_put_last(client: Client, unique: Unique) -> None:
    events, name = client("events"), unique("rule")
    arn = events.put_rule(Name=name, EventPattern=PATTERN, Description="d", Tags=[{"Key": "a", "Value": "1"}])[
        "RuleArn"
    ]
    assert arn == f"arn:aws:events:us-east-1:000000000000:rule/{name}"
    events.put_rule(Name=name, ScheduleExpression="rate(1 hour)", State="DISABLED")
    found = events.describe_rule(Name=name)
    del found["ResponseMetadata"]
    assert found == {
        "Name": name,
        "Arn": arn,
        "ScheduleExpression": "rate(1 hour)",
        "State": "DISABLED",
        "EventBusName": "default",
        "CreatedBy": "000000000000",
    }
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    events.enable_rule(Name=name)
    assert events.describe_rule(Name=name)["State"] == "ENABLED"
    events.disable_rule(Name=name)
    assert events.describe_rule(Name=name)["State"] == "DISABLED"


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({}, "ValidationException", "EventPattern or ScheduleExpression must be specified"),
        (
            {"ScheduleExpression": "rate(1 minutes)"},
            "ValidationException",
            "Parameter ScheduleExpression is not valid.",
        ),
        ({"ScheduleExpression": "cron(7 20 * * NOT *)"}, "ValidationException", "ScheduleExpression is not valid."),
        ({"ScheduleExpression": "at(2030-01-01T00:00:00)"}, "ValidationException", "ScheduleExpression is not valid."),
        ({"EventPattern": "{}"}, "InvalidEventPatternException", "Event pattern is not valid. Reason: Empty objects"),
        ({"EventPattern": PATTERN, "EventBusName": "no-bus"}, "ResourceNotFoundException", "Event bus no-bus does not"),
    ],
)
def test_a_wrong_rule_is_refused(
    client: Client, unique: Unique, members: dict[str, Any], code: str, message: str
) -> None:
    with refused(code, message):
        client("events").put_rule(Name=unique("wrong"), **members)


def test_schedules_are_for_the_default_bus(client: Client, unique: Unique) -> None:
    events, bus = client("events"), unique("bus")
    events.create_event_bus(Name=bus)
    with refused("ValidationException", "ScheduleExpression is supported only on the default event bus."):
        events.put_rule(Name="r", EventBusName=bus, ScheduleExpression="rate(1 hour)")


def test_a_rule_with_targets_stays(client: Client, unique: Unique) -> None:
    events, name = client("events"), unique("rule")
    events.put_rule(Name=name, EventPattern=PATTERN)
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": QUEUE}])
    with refused("ValidationException", "Rule can't be deleted since it has targets."):
        events.delete_rule(Name=name)
    gone = events.remove_targets(Rule=name, Ids=["1", "2"])
    assert gone["FailedEntryCount"] == 1
    assert gone["FailedEntries"][0]["TargetId"] == "2"
    events.delete_rule(Name=name)
    events.delete_rule(Name=name)
    with refused("ResourceNotFoundException", f"Rule {name} does not exist on EventBus default."):
        events.describe_rule(Name=name)


def test_rules_are_listed_in_pages_and_by_target(client: Client, unique: Unique) -> None:
    events, bus, queue = client("events"), unique("bus"), f"{QUEUE}-{unique('t')}"
    events.create_event_bus(Name=bus)
    for number in range(5):
        events.put_rule(Name=f"r{number}", EventBusName=bus, EventPattern=PATTERN)
        events.put_targets(Rule=f"r{number}", EventBusName=bus, Targets=[{"Id": "1", "Arn": queue}])
    first = events.list_rules(EventBusName=bus, Limit=2)
    assert [rule["Name"] for rule in first["Rules"]] == ["r0", "r1"]
    rest = events.list_rules(EventBusName=bus, NextToken=first["NextToken"])
    assert [rule["Name"] for rule in rest["Rules"]] == ["r2", "r3", "r4"]
    first = events.list_rule_names_by_target(EventBusName=bus, TargetArn=queue, Limit=3)
    assert first["RuleNames"] == ["r0", "r1", "r2"]
    rest = events.list_rule_names_by_target(EventBusName=bus, TargetArn=queue, NextToken=first["NextToken"])
    assert rest["RuleNames"] == ["r3", "r4"]
    assert "NextToken" not in rest
    with refused("ValidationException", "nextToken"):
        events.list_rules(EventBusName=bus, NextToken="\u00e9")
    with refused("ResourceNotFoundException", "Event bus none does not exist."):
        events.list_rules(EventBusName="none")


def test_targets_are_listed_as_they_were_put(client: Client, unique: Unique) -> None:
    events, name = client("events"), unique("rule")
    events.put_rule(Name=name, EventPattern=PATTERN)
    target = {
        "Id": "a",
        "Arn": QUEUE,
        "InputTransformer": {"InputPathsMap": {"x": "$.detail.x"}, "InputTemplate": '{"x": <x>}'},
        "DeadLetterConfig": {"Arn": QUEUE},
        "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60},
    }
    events.put_targets(Rule=name, Targets=[{"Id": "b", "Arn": QUEUE}, target])
    assert events.list_targets_by_rule(Rule=name)["Targets"] == [target, {"Id": "b", "Arn": QUEUE}]
    page = events.list_targets_by_rule(Rule=name, Limit=1)
    assert [
        entry["Id"] for entry in events.list_targets_by_rule(Rule=name, NextToken=page["NextToken"])["Targets"]
    ] == ["b"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"Arn": "queue"}, "Parameter queue is not valid. Reason: Provided Arn is not in correct format."),
        ({"Arn": QUEUE + ".fifo"}, "SqsParameters must be specified for target: 1."),
        ({"Arn": "arn:aws:states:us-east-1:000000000000:stateMachine:m"}, "RoleArn is required for target"),
        ({"Arn": QUEUE, "Input": "{}", "InputPath": "$"}, "Only one of Input, InputPath, or InputTransformer"),
        ({"Arn": QUEUE, "InputPath": "detail"}, "Invalid JsonPath for target 1"),
        (
            {"Arn": QUEUE, "InputTransformer": {"InputTemplate": "<none>"}},
            "InputTemplate for target 1 contains invalid placeholder none.",
        ),
    ],
)
def test_a_wrong_target_is_refused(client: Client, unique: Unique, target: dict[str, Any], message: str) -> None:
    events, name = client("events"), unique("rule")
    events.put_rule(Name=name, EventPattern=PATTERN)
    with refused("ValidationException", message):
        events.put_targets(Rule=name, Targets=[{"Id": "1", **target}])


def test_a_rule_has_five_targets_at_most(client: Client, unique: Unique) -> None:
    events, name = client("events"), unique("rule")
    events.put_rule(Name=name, EventPattern=PATTERN)
    events.put_targets(Rule=name, Targets=[{"Id": str(n), "Arn": QUEUE} for n in range(5)])
    with refused("LimitExceededException", "The requested resource exceeds the maximum number allowed."):
        events.put_targets(Rule=name, Targets=[{"Id": "6", "Arn": QUEUE}])
    with refused("ResourceNotFoundException", "Rule none does not exist on EventBus default."):
        events.put_targets(Rule="none", Targets=[{"Id": "6", "Arn": QUEUE}])


def test_tags_of_what_is_gone(client: Client, unique: Unique) -> None:
    events, name = client("events"), unique("bus")
    arn = events.create_event_bus(Name=name, Tags=[{"Key": "a", "Value": "1"}])["EventBusArn"]
    events.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    events.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    events.delete_event_bus(Name=name)
    with refused("ResourceNotFoundException", f"Event bus {name} does not exist."):
        events.list_tags_for_resource(ResourceARN=arn)
    with refused("ResourceNotFoundException", "Rule none does not exist on EventBus default."):
        events.list_tags_for_resource(ResourceARN="arn:aws:events:us-east-1:000000000000:rule/none")


def test_statements_say_who_may_send(client: Client, unique: Unique) -> None:
    events, name = client("events"), unique("bus")
    arn = events.create_event_bus(Name=name)["EventBusArn"]
    events.put_permission(EventBusName=name, Action="events:PutEvents", Principal="111122223333", StatementId="one")
    events.put_permission(EventBusName=name, Action="events:PutEvents", Principal="*", StatementId="two")
    policy = json.loads(events.describe_event_bus(Name=name)["Policy"])
    assert policy["Statement"][0] == {
        "Sid": "one",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "events:PutEvents",
        "Resource": arn,
    }
    with refused("ResourceNotFoundException", "Statement with the provided id does not exist."):
        events.remove_permission(EventBusName=name, StatementId="none")
    events.remove_permission(EventBusName=name, StatementId="one")
    events.remove_permission(EventBusName=name, RemoveAllPermissions=True)
    assert "Policy" not in events.describe_event_bus(Name=name)
    with refused("ResourceNotFoundException", "EventBus does not have a policy."):
        events.remove_permission(EventBusName=name, StatementId="one")
    events.put_permission(EventBusName=name, Policy=json.dumps(policy))
    assert json.loads(events.describe_event_bus(Name=name)["Policy"]) == policy
    with refused("ValidationException", "Provided value in parameter 'action' is not supported."):
        events.put_permission(EventBusName=name, Action="events:ListRules", Principal="*", StatementId="x")


def test_an_endpoint_spans_two_regions(client: Client, unique: Unique) -> None:
    events, name = client("events"), unique("endpoint")
    buses = [
        {"EventBusArn": f"arn:aws:events:{region}:000000000000:event-bus/b"} for region in ("us-east-1", "eu-west-1")
    ]
    routing = {
        "FailoverConfig": {
            "Primary": {"HealthCheck": "arn:aws:route53:::healthcheck/abc"},
            "Secondary": {"Route": "eu-west-1"},
        }
    }
    made = events.create_endpoint(Name=name, RoutingConfig=routing, EventBuses=buses)
    assert made["State"] == "CREATING"
    found = events.describe_endpoint(Name=name)
    assert (found["State"], found["EventBuses"]) == ("ACTIVE", buses)
    assert [entry["Name"] for entry in events.list_endpoints(NamePrefix=name)["Endpoints"]] == [name]
    with refused("ValidationException", "same name in different Regions"):
        events.update_endpoint(Name=name, EventBuses=[buses[0], buses[0]])
    events.delete_endpoint(Name=name)
    with refused("ResourceNotFoundException", name):
        events.describe_endpoint(Name=name)
