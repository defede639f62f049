"""Events, resources and failures of stacks: what happens in which order, and how stacks go back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cloudlet.emulator.fallback import pickling
from cloudlet.emulator.fallback.stacks.parameters import Value
from cloudlet.emulator.fallback.stacks.records import Event, Shelf, Stack, StackResource
from tests.fallback.stacks import body, create, events, parameter, reasons, refusal, resource, settled, update

Client = Callable[..., Any]
Unique = Callable[..., str]


def chain(name: str) -> str:
    return body({"B": parameter(f"{name}-b", _DependsOn="A"), "A": parameter(f"{name}-a")})


def failing(name: str) -> dict[str, Any]:
    """A good resource, one that fails after it, and one that nobody gets to."""
    return {
        "Good": parameter(f"{name}-good"),
        "Bad": resource("SSM::Parameter", Name=f"{name}-bad", Type="Wrong", Value="1", _DependsOn="Good"),
        "Beside": parameter(f"{name}-beside", _DependsOn="Good"),
    }


def test_events_tell_each_step_in_the_order_of_dependencies(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    stack = create(cloudformation, name, chain(name), ClientRequestToken="token-1")
    made = ["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    wanted = [("A", status) for status in made] + [("B", status) for status in made]
    assert events(cloudformation, name) == [("-", "CREATE_IN_PROGRESS"), *wanted, ("-", "CREATE_COMPLETE")]
    newest, *_, first = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    assert first["ResourceStatusReason"] == "User Initiated"
    assert newest["Timestamp"] > first["Timestamp"]
    assert (newest["PhysicalResourceId"], newest["ClientRequestToken"]) == (stack["StackId"], "token-1")
    initiated = cloudformation.describe_stack_events(StackName=name)["StackEvents"][2]
    assert initiated["ResourceStatusReason"] == "Resource creation Initiated"
    assert initiated["PhysicalResourceId"] == f"{name}-b"
    assert json.loads(initiated["ResourceProperties"])["Value"] == "1"


def test_a_deleted_stack_is_found_by_its_id_with_its_events(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    stack = create(cloudformation, name, chain(name))
    cloudformation.delete_stack(StackName=name)
    assert settled(cloudformation, stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert events(cloudformation, stack["StackId"])[-6:] == [
        ("-", "DELETE_IN_PROGRESS"),
        ("B", "DELETE_IN_PROGRESS"),
        ("B", "DELETE_COMPLETE"),
        ("A", "DELETE_IN_PROGRESS"),
        ("A", "DELETE_COMPLETE"),
        ("-", "DELETE_COMPLETE"),
    ]
    wanted = f"ValidationError: Stack with id {name} does not exist"
    assert refusal(cloudformation.describe_stacks, StackName=name) == wanted
    listed = cloudformation.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert stack["StackId"] in [summary["StackId"] for summary in listed]
    cloudformation.delete_stack(StackName=name)  # one that is not there is no error


def test_resources_are_shown_with_their_statuses(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    create(cloudformation, name, chain(name))
    first, _second = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    assert (first["LogicalResourceId"], first["PhysicalResourceId"]) == ("A", f"{name}-a")
    assert first["ResourceStatus"] == "CREATE_COMPLETE"
    assert first["DriftInformation"] == {"StackResourceDriftStatus": "NOT_CHECKED"}
    assert len(cloudformation.list_stack_resources(StackName=name)["StackResourceSummaries"]) == 2
    by_id = cloudformation.describe_stack_resources(PhysicalResourceId=f"{name}-b")["StackResources"]
    assert {made["StackName"] for made in by_id} == {name}
    said = refusal(cloudformation.describe_stack_resource, StackName=name, LogicalResourceId="X")
    assert said == f"ValidationError: Resource X does not exist for stack {name}"


def test_a_failure_rolls_the_stack_back(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    assert create(cloudformation, name, body(failing(name)))["StackStatus"] == "ROLLBACK_COMPLETE"
    seen = events(cloudformation, name)
    assert ("Bad", "CREATE_FAILED") in seen
    assert ("Beside", "CREATE_FAILED") in seen
    assert seen.index(("-", "ROLLBACK_IN_PROGRESS")) < seen.index(("Good", "DELETE_COMPLETE"))
    (reason,) = [said for said in reasons(cloudformation, name, "Bad") if said]
    assert reason.startswith('Resource handler returned message: "')
    assert "(Service: Ssm, Status Code: 400, Request ID: " in reason
    assert "Resource creation cancelled" in reasons(cloudformation, name, "Beside")
    wanted = "The following resource(s) failed to create: [Bad, Beside]. Rollback requested by user."
    assert wanted in reasons(cloudformation, name, name)
    assert "ParameterNotFound" in refusal(client("ssm").get_parameter, Name=f"{name}-good")
    said = refusal(cloudformation.update_stack, StackName=name, TemplateBody=chain(name))
    assert said.endswith("is in ROLLBACK_COMPLETE state and can not be updated.")


def test_on_failure_says_what_becomes_of_a_stack(client: Client, unique: Unique) -> None:
    cloudformation = client("cloudformation")
    for choice, status in (("DO_NOTHING", "CREATE_FAILED"), ("DELETE", "DELETE_COMPLETE")):
        name = unique("stack")
        text = body(failing(name))
        made = cloudformation.create_stack(StackName=name, TemplateBody=text, OnFailure=choice)
        assert settled(cloudformation, made["StackId"])["StackStatus"] == status
    name = unique("stack")
    stack = create(cloudformation, name, body(failing(name)), DisableRollback=True)
    assert stack["StackStatus"] == "CREATE_FAILED"
    assert stack["StackStatusReason"].startswith("The following resource(s) failed to create: [Bad")


def test_a_failed_update_brings_the_old_state_back(client: Client, unique: Unique) -> None:
    name, cloudformation, ssm = unique("stack"), client("cloudformation"), client("ssm")
    create(cloudformation, name, body({"Good": parameter(f"{name}-good", "old")}))
    changed = {**failing(name), "Good": parameter(f"{name}-good", "new")}
    assert update(cloudformation, name, body(changed))["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert ssm.get_parameter(Name=f"{name}-good")["Parameter"]["Value"] == "old"
    assert [made["LogicalResourceId"] for made in described(cloudformation, name)] == ["Good"]
    assert set(cloudformation.get_template(StackName=name)["TemplateBody"]["Resources"]) == {"Good"}
    update(cloudformation, name, body({"Good": parameter(f"{name}-good", "newer")}))
    assert ssm.get_parameter(Name=f"{name}-good")["Parameter"]["Value"] == "newer"


def described(cloudformation: Any, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    return found


def test_a_replaced_resource_goes_after_the_update(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    create(cloudformation, name, body({"P": parameter(f"{name}-1"), "Kept": parameter(f"{name}-k1")}))
    update(
        cloudformation,
        name,
        body({"P": parameter(f"{name}-2"), "Kept": parameter(f"{name}-k2", _UpdateReplacePolicy="Retain")}),
    )
    seen = events(cloudformation, name)
    cleanup = seen.index(("-", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"))
    assert ("P", "DELETE_COMPLETE") in seen[cleanup:]
    assert ("Kept", "DELETE_SKIPPED") in seen[cleanup:]
    assert "ParameterNotFound" in refusal(client("ssm").get_parameter, Name=f"{name}-1")
    client("ssm").get_parameter(Name=f"{name}-k1")


def test_a_bucket_with_objects_stops_the_deletion(client: Client, unique: Unique) -> None:
    name, cloudformation, s3 = unique("stack"), client("cloudformation"), client("s3")
    create(cloudformation, name, body({"B": resource("S3::Bucket", BucketName=name), "P": parameter(name)}))
    s3.put_object(Bucket=name, Key="a", Body=b"a")
    cloudformation.delete_stack(StackName=name)
    stack = settled(cloudformation, name)
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert stack["StackStatusReason"] == "The following resource(s) failed to delete: [B]. "
    assert "The bucket you tried to delete is not empty" in reasons(cloudformation, name, "B")[0]
    cloudformation.delete_stack(StackName=name, RetainResources=["B"])
    assert settled(cloudformation, stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    s3.head_bucket(Bucket=name)


def test_what_is_to_be_retained_stays(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    create(cloudformation, name, body({"P": parameter(name, _DeletionPolicy="Retain")}))
    cloudformation.delete_stack(StackName=name)
    client("ssm").get_parameter(Name=name)


def test_a_protected_stack_is_not_deleted(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    create(cloudformation, name, body({"P": parameter(name)}), EnableTerminationProtection=True)
    said = refusal(cloudformation.delete_stack, StackName=name)
    assert said == f"ValidationError: Stack [{name}] cannot be deleted while TerminationProtection is enabled"
    cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    cloudformation.delete_stack(StackName=name)


def test_a_policy_forbids_updates(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    create(cloudformation, name, body({"P": parameter(name), "Q": parameter(f"{name}-q")}))
    deny = {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "LogicalResourceId/P"}
    allow = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    text = json.dumps({"Statement": [deny, allow]})
    cloudformation.set_stack_policy(StackName=name, StackPolicyBody=text)
    assert cloudformation.get_stack_policy(StackName=name)["StackPolicyBody"] == text
    changed = body({"P": parameter(name, "2"), "Q": parameter(f"{name}-q")})
    assert update(cloudformation, name, changed)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert any("Action denied by stack policy: Statement [#1]" in said for said in reasons(cloudformation, name, "P"))
    update(cloudformation, name, body({"P": parameter(name), "Q": parameter(f"{name}-q", "2")}))
    assert client("ssm").get_parameter(Name=f"{name}-q")["Parameter"]["Value"] == "2"


def test_stacks_survive_a_restart(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    create(emulator.client("cloudformation"), "kept", body({"Q": resource("SQS::Queue"), "P": parameter("kept-p")}))
    emulator.stop()
    emulator.restart()
    cloudformation = emulator.client("cloudformation")
    assert settled(cloudformation, "kept")["StackStatus"] == "CREATE_COMPLETE"
    assert len(events(cloudformation, "kept")) == 8
    cloudformation.delete_stack(StackName="kept")
    assert not emulator.client("sqs").list_queues().get("QueueUrls")


def test_work_that_a_stop_cut_off_is_rolled_back(start_emulator: Callable[..., Any], tmp_path: Path) -> None:
    emulator = start_emulator(PERSISTENCE="1", SNAPSHOT_FLUSH_INTERVAL="1", LOCALSTACK_VOLUME_DIR=str(tmp_path))
    cloudformation = emulator.client("cloudformation")
    create(cloudformation, "updated", body({"Q": resource("SQS::Queue", QueueName="before")}))
    waiting = {
        "Handle": resource("CloudFormation::WaitConditionHandle"),
        "Wait": resource("CloudFormation::WaitCondition", Handle={"Ref": "Handle"}, Timeout=600, _DependsOn="P"),
    }
    cloudformation.create_stack(StackName="cut", TemplateBody=body({"P": parameter("cut-p"), **waiting}))
    changed = {"Q": resource("SQS::Queue", QueueName="before"), "P": parameter("updated-p"), **waiting}
    cloudformation.update_stack(StackName="updated", TemplateBody=body(changed))
    kept = tmp_path / "state" / "fallback"
    assert emulator.wait_until(lambda: is_kept(kept, "updated-p"))
    emulator.kill()
    emulator.restart()
    cut = settled(cloudformation, "cut")
    assert cut["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "stopped in the middle" in " ".join(reasons(cloudformation, "cut", "cut"))
    assert ("P", "DELETE_COMPLETE") in events(cloudformation, "cut")
    assert settled(cloudformation, "updated")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    resources = cloudformation.describe_stack_resources(StackName="updated")["StackResources"]
    assert [made["LogicalResourceId"] for made in resources] == ["Q"]
    assert emulator.client("sqs").get_queue_url(QueueName="before")
    assert emulator.client("ssm").describe_parameters()["Parameters"] == []


def is_kept(folder: Path, parameter_name: str) -> bool:
    """Whether both the parameter and the stack that waits after it are in what the emulator has saved."""
    files = [folder / "ssm.pickle", folder / "cloudformation.pickle"]
    contents = [file.read_bytes() for file in files if file.is_file()]
    return len(contents) == len(files) and all(parameter_name.encode() in content for content in contents)


def test_stacks_are_data_that_other_emulators_read() -> None:
    stack = Stack("id", "name", "000000000000", "us-east-1", 1.0)
    stack.parameters["P"] = Value("given", "value")
    stack.resources["R"] = StackResource("R", "AWS::SQS::Queue", "url")
    stack.events.append(Event("e", "R", "url", "AWS::SQS::Queue", 1.0, "CREATE_COMPLETE"))
    shelf = Shelf(stacks={"id": stack})
    content = pickling.dump(shelf, lambda _value: None)
    assert pickling.load(content, lambda _name: None, believe=False) == shelf
