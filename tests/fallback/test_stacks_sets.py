"""Stack sets: their stacks in other accounts and regions, operations and what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cloudlet.emulator.fallback import pickling
from cloudlet.emulator.fallback.answers.cloudformation.targets import accounts_of
from cloudlet.emulator.fallback.stacks.records import Instance, Operation, Result, Shelf, Stack, StackSet
from tests.fallback.stacks import LIMIT_SECONDS, body, outputs, parameter, refusal, resource, settled

Client = Callable[..., Any]
Unique = Callable[..., str]
ONE, OTHER = "111122223333", "444455556666"


def queue_template(name: str) -> str:
    return body(
        {"Q": resource("SQS::Queue", QueueName={"Fn::Sub": f"{name}-${{Word}}"}), "P": parameter(name)},
        Parameters={"Word": {"Type": "String", "Default": "first"}},
        Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Q", "Arn"]}}},
    )


def ended(cloudformation: Any, name: str, operation_id: str) -> dict[str, Any]:
    """The operation once it is over."""
    end = time.monotonic() + LIMIT_SECONDS
    while True:
        answer = cloudformation.describe_stack_set_operation(StackSetName=name, OperationId=operation_id)
        operation: dict[str, Any] = answer["StackSetOperation"]
        if operation["Status"] not in ("RUNNING", "STOPPING") or time.monotonic() > end:
            return operation
        time.sleep(0.1)


def make(cloudformation: Any, name: str, accounts: list[str], regions: list[str], **options: Any) -> dict[str, Any]:
    made = cloudformation.create_stack_instances(StackSetName=name, Accounts=accounts, Regions=regions, **options)
    return ended(cloudformation, name, made["OperationId"])


def instances(cloudformation: Any, name: str, **filters: Any) -> dict[tuple[str, str], dict[str, Any]]:
    found = cloudformation.list_stack_instances(StackSetName=name, **filters)["Summaries"]
    return {(entry["Account"], entry["Region"]): entry for entry in found}


def results(cloudformation: Any, name: str, operation: dict[str, Any]) -> list[tuple[str, str, str]]:
    request = {"StackSetName": name, "OperationId": operation["OperationId"]}
    found = cloudformation.list_stack_set_operation_results(**request)["Summaries"]
    return [(entry["Account"], entry["Region"], entry["Status"]) for entry in found]


def test_a_stack_set_is_described_and_listed(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("set"), client("cloudformation")
    text = queue_template(name)
    tags = [{"Key": "team", "Value": "a"}]
    made = cloudformation.create_stack_set(StackSetName=name, TemplateBody=text, Description="Queues.", Tags=tags)
    types = cloudformation.get_template_summary(StackSetName=name)["ResourceTypes"]
    assert types == ["AWS::SQS::Queue", "AWS::SSM::Parameter"]
    assert made["StackSetId"].startswith(f"{name}:")
    found = cloudformation.describe_stack_set(StackSetName=name)["StackSet"]
    assert (found["StackSetName"], found["Status"], found["TemplateBody"]) == (name, "ACTIVE", text)
    assert cloudformation.describe_stack_set(StackSetName=made["StackSetId"])["StackSet"] == found
    assert found["StackSetARN"] == f"arn:aws:cloudformation:us-east-1:000000000000:stackset/{made['StackSetId']}"
    assert (found["Description"], found["Tags"], found["PermissionModel"]) == ("Queues.", tags, "SELF_MANAGED")
    assert found["Parameters"] == [{"ParameterKey": "Word", "ParameterValue": "first"}]
    assert found["ExecutionRoleName"] == "AWSCloudFormationStackSetExecutionRole"
    assert name in [one["StackSetName"] for one in cloudformation.list_stack_sets(Status="ACTIVE")["Summaries"]]
    cloudformation.delete_stack_set(StackSetName=name)
    assert name in [one["StackSetName"] for one in cloudformation.list_stack_sets(Status="DELETED")["Summaries"]]
    said = refusal(cloudformation.describe_stack_set, StackSetName=name)
    assert said == f"StackSetNotFoundException: StackSet {name} not found"


def test_instances_are_stacks_of_their_account_and_region(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("set"), client("cloudformation")
    cloudformation.create_stack_set(
        StackSetName=name, TemplateBody=queue_template(name), Tags=[{"Key": "team", "Value": "a"}]
    )
    operation = make(cloudformation, name, [ONE, OTHER], ["eu-west-1", "us-east-2"])
    assert (operation["Status"], operation["Action"]) == ("SUCCEEDED", "CREATE")
    assert operation["StatusDetails"] == {"FailedStackInstancesCount": 0}
    assert results(cloudformation, name, operation) == [
        (ONE, "eu-west-1", "SUCCEEDED"),
        (OTHER, "eu-west-1", "SUCCEEDED"),
        (ONE, "us-east-2", "SUCCEEDED"),
        (OTHER, "us-east-2", "SUCCEEDED"),
    ]
    found = instances(cloudformation, name)
    assert {entry["Status"] for entry in found.values()} == {"CURRENT"}
    theirs = client("cloudformation", account=OTHER, region_name="us-east-2")
    stack = settled(theirs, found[OTHER, "us-east-2"]["StackId"])
    assert stack["StackName"].startswith(f"StackSet-{name}-")
    assert (stack["StackStatus"], stack["Tags"]) == ("CREATE_COMPLETE", [{"Key": "team", "Value": "a"}])
    assert outputs(stack) == {"Arn": f"arn:aws:sqs:us-east-2:{OTHER}:{name}-first"}
    assert client("sqs", account=OTHER, region_name="us-east-2").get_queue_url(QueueName=f"{name}-first")
    assert client("ssm", account=ONE, region_name="eu-west-1").get_parameter(Name=name)
    assert list(instances(cloudformation, name, StackInstanceAccount=ONE, StackInstanceRegion="eu-west-1")) == [
        (ONE, "eu-west-1")
    ]
    assert cloudformation.describe_stack_set(StackSetName=name)["StackSet"]["Regions"] == ["eu-west-1", "us-east-2"]


def test_updates_reach_the_instances_and_overrides_stay(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("set"), client("cloudformation")
    cloudformation.create_stack_set(StackSetName=name, TemplateBody=queue_template(name))
    own = [{"ParameterKey": "Word", "ParameterValue": "own"}]
    make(cloudformation, name, [ONE], ["us-east-1"])
    make(cloudformation, name, [OTHER], ["us-east-1"], ParameterOverrides=own)
    described = {"StackSetName": name, "StackInstanceAccount": OTHER, "StackInstanceRegion": "us-east-1"}
    assert cloudformation.describe_stack_instance(**described)["StackInstance"]["ParameterOverrides"] == own
    second = [{"ParameterKey": "Word", "ParameterValue": "second"}]
    begun = cloudformation.update_stack_set(
        StackSetName=name, UsePreviousTemplate=True, Parameters=second, OperationId="op-1"
    )
    assert begun["OperationId"] == "op-1"
    assert ended(cloudformation, name, "op-1")["Status"] == "SUCCEEDED"
    assert client("sqs", account=ONE).get_queue_url(QueueName=f"{name}-second")
    assert client("sqs", account=OTHER).get_queue_url(QueueName=f"{name}-own")
    request = {"StackSetName": name, "Accounts": [OTHER], "Regions": ["us-east-1"]}
    begun = cloudformation.update_stack_instances(**request, ParameterOverrides=[])
    assert ended(cloudformation, name, begun["OperationId"])["Status"] == "SUCCEEDED"
    assert client("sqs", account=OTHER).get_queue_url(QueueName=f"{name}-second")
    said = refusal(cloudformation.update_stack_set, StackSetName=name, UsePreviousTemplate=True, OperationId="op-1")
    assert said.startswith("OperationIdAlreadyExistsException: ")
    operations = cloudformation.list_stack_set_operations(StackSetName=name)["Summaries"]
    assert [operation["Action"] for operation in operations] == ["UPDATE", "UPDATE", "CREATE", "CREATE"]


def test_an_update_of_some_leaves_the_others_outdated(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("set"), client("cloudformation")
    cloudformation.create_stack_set(StackSetName=name, TemplateBody=queue_template(name))
    make(cloudformation, name, [ONE, OTHER], ["us-east-1"])
    some = {"Accounts": [ONE], "Regions": ["us-east-1"]}
    text = body({"P": parameter(name, "2")})
    begun = cloudformation.update_stack_set(StackSetName=name, TemplateBody=text, **some)
    assert ended(cloudformation, name, begun["OperationId"])["Status"] == "SUCCEEDED"
    found = instances(cloudformation, name)
    assert (found[ONE, "us-east-1"]["Status"], found[OTHER, "us-east-1"]["Status"]) == ("CURRENT", "OUTDATED")


def test_instances_are_deleted_or_their_stacks_kept(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("set"), client("cloudformation")
    cloudformation.create_stack_set(StackSetName=name, TemplateBody=queue_template(name))
    make(cloudformation, name, [ONE, OTHER], ["us-east-1"])
    stacks = {account: entry["StackId"] for (account, _region), entry in instances(cloudformation, name).items()}
    said = refusal(cloudformation.delete_stack_set, StackSetName=name)
    assert said == "StackSetNotEmptyException: StackSet is not empty"
    for account, retain in ((ONE, False), (OTHER, True)):
        begun = cloudformation.delete_stack_instances(
            StackSetName=name, Accounts=[account], Regions=["us-east-1"], RetainStacks=retain
        )
        operation = ended(cloudformation, name, begun["OperationId"])
        assert (operation["Status"], operation["Action"], operation["RetainStacks"]) == ("SUCCEEDED", "DELETE", retain)
    assert instances(cloudformation, name) == {}
    statuses = [
        client("cloudformation", account=account).describe_stacks(StackName=stacks[account])["Stacks"][0]["StackStatus"]
        for account in (ONE, OTHER)
    ]
    assert statuses == ["DELETE_COMPLETE", "CREATE_COMPLETE"]
    begun = cloudformation.import_stacks_to_stack_set(StackSetName=name, StackIds=[stacks[OTHER]])
    assert ended(cloudformation, name, begun["OperationId"])["Status"] == "SUCCEEDED"
    assert instances(cloudformation, name)[OTHER, "us-east-1"]["StackId"] == stacks[OTHER]


def test_what_fails_more_often_than_tolerated_ends_the_operation(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("set"), client("cloudformation")
    text = body({"P": resource("SSM::Parameter", Name=name, Type="Wrong", Value="1")})
    cloudformation.create_stack_set(StackSetName=name, TemplateBody=text)
    regions = ["us-east-1", "eu-west-1"]
    operation = make(
        cloudformation, name, [ONE, OTHER], regions, OperationPreferences={"RegionOrder": ["eu-west-1", "us-east-1"]}
    )
    assert operation["Status"] == "FAILED"
    assert results(cloudformation, name, operation) == [
        (ONE, "eu-west-1", "FAILED"),
        (OTHER, "eu-west-1", "CANCELLED"),
        (ONE, "us-east-1", "CANCELLED"),
        (OTHER, "us-east-1", "CANCELLED"),
    ]
    failed = instances(cloudformation, name)[ONE, "eu-west-1"]
    assert (failed["Status"], failed["StackInstanceStatus"]) == ("OUTDATED", {"DetailedStatus": "FAILED"})
    assert failed["StatusReason"].startswith(
        "ResourceLogicalId:P, ResourceType:AWS::SSM::Parameter, ResourceStatusReason:"
    )
    wanted = [{"Name": "DETAILED_STATUS", "Values": "FAILED"}]
    assert list(instances(cloudformation, name, Filters=wanted)) == [(ONE, "eu-west-1")]
    operation = make(
        cloudformation, name, [ONE, OTHER], ["us-east-1"], OperationPreferences={"FailureTolerancePercentage": 100}
    )
    assert (operation["Status"], operation["StatusDetails"]["FailedStackInstancesCount"]) == ("SUCCEEDED", 2)
    good = body({"P": parameter(name)})
    begun = cloudformation.update_stack_set(StackSetName=name, TemplateBody=good)
    assert ended(cloudformation, name, begun["OperationId"])["Status"] == "SUCCEEDED"
    assert {entry["Status"] for entry in instances(cloudformation, name).values()} == {"CURRENT"}
    assert client("ssm", account=OTHER, region_name="eu-west-1").get_parameter(Name=name)


def test_one_operation_at_a_time_and_it_can_be_stopped(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("set"), client("cloudformation")
    text = body(
        {
            "Handle": resource("CloudFormation::WaitConditionHandle"),
            "Wait": resource("CloudFormation::WaitCondition", Handle={"Ref": "Handle"}, Timeout=120),
        }
    )
    made = cloudformation.create_stack_set(StackSetName=name, TemplateBody=text)
    request = {"StackSetName": name, "Accounts": [ONE, OTHER], "Regions": ["us-east-1"]}
    operation = cloudformation.create_stack_instances(**request)["OperationId"]
    described = cloudformation.describe_stack_set_operation(StackSetName=name, OperationId=operation)
    assert described["StackSetOperation"]["Status"] == "RUNNING"
    arn = f"arn:aws:cloudformation:us-east-1:000000000000:stackset/{made['StackSetId']}"
    busy = f"OperationInProgressException: Another Operation on StackSet {arn} is in progress: {operation}"
    assert refusal(cloudformation.create_stack_instances, **request) == busy
    assert refusal(cloudformation.delete_stack_instances, RetainStacks=False, **request) == busy
    assert refusal(cloudformation.update_stack_set, StackSetName=name, UsePreviousTemplate=True) == busy
    assert refusal(cloudformation.delete_stack_set, StackSetName=name) == busy
    cloudformation.stop_stack_set_operation(StackSetName=name, OperationId=operation)
    stack = instances(cloudformation, name)[ONE, "us-east-1"]["StackId"]
    signal = {"LogicalResourceId": "Wait", "UniqueId": "one", "Status": "SUCCESS"}
    client("cloudformation", account=ONE).signal_resource(StackName=stack, **signal)
    assert ended(cloudformation, name, operation)["Status"] == "STOPPED"
    found = instances(cloudformation, name)
    statuses = [found[account, "us-east-1"]["StackInstanceStatus"]["DetailedStatus"] for account in (ONE, OTHER)]
    assert statuses == ["SUCCEEDED", "CANCELLED"]
    said = refusal(cloudformation.stop_stack_set_operation, StackSetName=name, OperationId=operation)
    assert said.startswith("InvalidOperationException: ")


def test_what_cannot_be_is_refused(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("set"), client("cloudformation")
    text = queue_template(name)
    made = cloudformation.create_stack_set(StackSetName=name, TemplateBody=text, ClientRequestToken="t-1")
    again = cloudformation.create_stack_set(StackSetName=name, TemplateBody=text, ClientRequestToken="t-1")
    assert again["StackSetId"] == made["StackSetId"]
    said = refusal(cloudformation.create_stack_set, StackSetName=name, TemplateBody=text)
    assert said.startswith("NameAlreadyExistsException: ")
    other = unique("set")
    assert refusal(cloudformation.create_stack_set, StackSetName=other, TemplateBody="{}").startswith(
        "ValidationError: "
    )
    role = body({"R": resource("IAM::Role", AssumeRolePolicyDocument={})})
    said = refusal(cloudformation.create_stack_set, StackSetName=other, TemplateBody=role)
    assert said.startswith("InsufficientCapabilitiesException: ")
    assert "ValidationError" in refusal(cloudformation.create_stack_set, StackSetName="1-wrong", TemplateBody=text)
    instance = {"StackInstanceAccount": ONE, "StackInstanceRegion": "us-east-1"}
    said = refusal(cloudformation.describe_stack_instance, StackSetName=name, **instance)
    assert said.startswith("StackInstanceNotFoundException: ")
    place = {"Accounts": [ONE], "Regions": ["us-east-1"]}
    said = refusal(cloudformation.update_stack_instances, StackSetName=name, **place)
    assert said.startswith("StackInstanceNotFoundException: ")
    missing = f"StackSetNotFoundException: StackSet {other} not found"
    assert refusal(cloudformation.create_stack_instances, StackSetName=other, **place) == missing
    assert refusal(cloudformation.list_stack_instances, StackSetName=other) == missing
    said = refusal(cloudformation.describe_stack_set_operation, StackSetName=name, OperationId="none")
    assert said.startswith("OperationNotFoundException: ")
    wrong = {"StackSetName": name, "Accounts": [ONE], "Regions": ["nowhere"]}
    assert refusal(cloudformation.create_stack_instances, **wrong) == "ValidationError: Region nowhere is not supported"
    unknown = [{"ParameterKey": "Other", "ParameterValue": "1"}]
    said = refusal(cloudformation.create_stack_instances, StackSetName=name, **place, ParameterOverrides=unknown)
    assert said == "ValidationError: Parameters: [Other] do not exist in the template"


def test_service_managed_sets_have_units_as_targets(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("set"), client("cloudformation")
    text = body({"P": parameter(name)})
    cloudformation.create_stack_set(StackSetName=name, TemplateBody=text, PermissionModel="SERVICE_MANAGED")
    said = refusal(cloudformation.create_stack_instances, StackSetName=name, Accounts=[ONE], Regions=["us-east-1"])
    assert said.startswith("ValidationError: StackSets with SERVICE_MANAGED permission model")
    said = refusal(
        cloudformation.create_stack_set, StackSetName=unique(), TemplateBody=text, AutoDeployment={"Enabled": True}
    )
    assert said.startswith("ValidationError: AutoDeployment")


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [
        ("NONE", [], {ONE: "ou-a", OTHER: "ou-a"}),
        ("INTERSECTION", [OTHER], {OTHER: "ou-a"}),
        ("DIFFERENCE", [OTHER], {ONE: "ou-a"}),
        ("UNION", ["999999999999"], {"999999999999": None, ONE: "ou-a", OTHER: "ou-a"}),
    ],
)
def test_a_unit_stands_for_all_accounts_below_it(kind: str, given: list[str], wanted: dict[str, str | None]) -> None:
    boss = "777788889999"
    accounts = {"ou-a": [ONE, boss], "ou-b": [OTHER]}
    units = {"ou-a": ["ou-b"]}

    def other(_service: str, operation: str, request: dict[str, str]) -> dict[str, Any]:
        if operation == "ListAccountsForParent":
            return {"Accounts": [{"Id": account} for account in accounts.get(request["ParentId"], ())]}
        return {"OrganizationalUnits": [{"Id": unit} for unit in units.get(request["ParentId"], ())]}

    targets = {"OrganizationalUnitIds": ["ou-a"], "Accounts": given, "AccountFilterType": kind}
    asked: Any = SimpleNamespace(
        request={"DeploymentTargets": targets}, call=SimpleNamespace(account_id=boss), other=other
    )
    pattern = Stack("id", "name", boss, "us-east-1", 1.0)
    assert accounts_of(asked, StackSet("name:1", "name", pattern, "SERVICE_MANAGED")) == wanted


def test_stack_sets_survive_a_restart(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    cloudformation = emulator.client("cloudformation")
    cloudformation.create_stack_set(StackSetName="kept", TemplateBody=body({"Q": resource("SQS::Queue")}))
    make(cloudformation, "kept", [ONE], ["eu-west-1"])
    emulator.stop()
    emulator.restart()
    assert instances(cloudformation, "kept")[ONE, "eu-west-1"]["Status"] == "CURRENT"
    begun = cloudformation.delete_stack_instances(
        StackSetName="kept", Accounts=[ONE], Regions=["eu-west-1"], RetainStacks=False
    )
    assert ended(cloudformation, "kept", begun["OperationId"])["Status"] == "SUCCEEDED"
    assert not emulator.client("sqs", account=ONE, region_name="eu-west-1").list_queues().get("QueueUrls")


def test_an_operation_that_a_stop_cut_off_has_failed(start_emulator: Callable[..., Any], tmp_path: Path) -> None:
    emulator = start_emulator(PERSISTENCE="1", SNAPSHOT_FLUSH_INTERVAL="1", LOCALSTACK_VOLUME_DIR=str(tmp_path))
    cloudformation = emulator.client("cloudformation")
    text = body(
        {
            "Handle": resource("CloudFormation::WaitConditionHandle"),
            "Wait": resource("CloudFormation::WaitCondition", Handle={"Ref": "Handle"}, Timeout=600),
        }
    )
    cloudformation.create_stack_set(StackSetName="cut", TemplateBody=text)
    cloudformation.create_stack_instances(
        StackSetName="cut", Accounts=[ONE, OTHER], Regions=["us-east-1"], OperationId="op-cut"
    )
    kept = tmp_path / "state" / "fallback" / "cloudformation.pickle"
    assert emulator.wait_until(lambda: kept.is_file() and b"StackSet-cut" in kept.read_bytes())
    emulator.kill()
    emulator.restart()
    operation = ended(cloudformation, "cut", "op-cut")
    assert operation["Status"] == "FAILED"
    assert "stopped in the middle" in operation["StatusReason"]
    found = instances(cloudformation, "cut")
    assert {entry["StackInstanceStatus"]["DetailedStatus"] for entry in found.values()} == {"CANCELLED"}
    theirs = emulator.client("cloudformation", account=ONE)
    assert settled(theirs, found[ONE, "us-east-1"]["StackId"])["StackStatus"] == "ROLLBACK_COMPLETE"


def test_stack_sets_are_data_that_other_emulators_read() -> None:
    pattern = Stack("id", "name", "000000000000", "us-east-1", 1.0)
    made = StackSet("name:1", "name", pattern)
    made.instances[ONE, "us-east-1"] = Instance(ONE, "us-east-1")
    made.operations["o"] = Operation("o", "CREATE", 1.0, results=[Result(ONE, "us-east-1")])
    shelf = Shelf(sets={made.id: made})
    content = pickling.dump(shelf, lambda _value: None)
    assert pickling.load(content, lambda _name: None, believe=False) == shelf
