"""What CloudFormation refuses of templates, parameters and names, in its words; what it says about templates."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fallback.stacks import ALL, body, create, parameter, refusal, resource, settled, update

Client = Callable[..., Any]
Unique = Callable[..., str]

P = {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "1"}}}
UNRESOLVED = "Template format error: Unresolved resource dependencies [{}] in the {} block of the template"
FORM = "Template format error: "
SUB = (
    "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first "
    "argument, and an optional second argument to specify a mapping of values to replace in the string"
)
REFUSED = (
    ("[1, 2]", "Template format error: unsupported structure."),
    ("{", "Template format error: JSON not well-formed. (line 1, column 2)"),
    ("a: b: c", "Template format error: YAML not well-formed. (line 1, column 5)"),
    ("{}", "Template format error: At least one Resources member must be defined."),
    (body(P, Wrong={}), "Invalid template property or properties [Wrong]"),
    (body({"P": {}}), "Template format error: [/Resources/P] Every Resources object must contain a Type member."),
    (body({"P": {"Type": "Nonsense"}}), "Template format error: Unrecognized resource types: [Nonsense]"),
    (body({"P-1": P["P"]}), "Template format error: Resource name P-1 is non alphanumeric."),
    (body({"P": resource("SQS::Queue", QueueName={"Ref": "X"})}), UNRESOLVED.format("X", "Resources")),
    (body({"P": resource("SQS::Queue", QueueName={"Fn::Sub": "${Y}"})}), UNRESOLVED.format("Y", "Resources")),
    (body({"P": resource("SQS::Queue", _DependsOn="Z")}), UNRESOLVED.format("Z", "Resources")),
    (body(P, Outputs={"O": {"Value": {"Ref": "X"}}}), UNRESOLVED.format("X", "Outputs")),
    (
        body({"P": resource("SQS::Queue", _DependsOn=5)}),
        FORM + "Every DependsOn value must be a string or a list of strings.",
    ),
    (
        body({"P": resource("SQS::Queue", _Condition=["a"])}),
        FORM + "[/Resources/P/Condition] Every Condition member must be a string.",
    ),
    (body({"P": resource("SQS::Queue", QueueName={"Fn::Sub": []})}), SUB),
    (body({"P": resource("SQS::Queue", QueueName={"Fn::Sub": ["${x}", 5]})}), SUB),
    (body(P, Conditions={"C": {"Condition": "C"}}), FORM + "Circular dependency between conditions: [C]"),
    (
        body(P, Parameters={"A": {"Type": "String", "MinLength": "z"}}),
        FORM + "[/Parameters/A] MinLength must be a number.",
    ),
    (
        body(P, Parameters={"A": {"Type": "String", "AllowedValues": 5}}),
        FORM + "[/Parameters/A] AllowedValues must be a list.",
    ),
    (body(P, Rules={"R": {"Assertions": 5}}), FORM + "[/Rules/R] Every Rules member must have a list of Assertions."),
    (body(P, Outputs={"O": {"Value": "x", "Export": 5}}), FORM + "[/Outputs/O/Export] Export must be an object."),
    ("Resources: &a\n  A: *a\n", "Template format error: YAML aliases are not allowed in CloudFormation templates"),
    ("[" * 40_000, "Template format error: the template is nested too deeply."),
    (
        body(P, Outputs={"O": {"Value": {"Fn::GetAtt": ["X", "Arn"]}}}),
        "Template error: instance of Fn::GetAtt references undefined resource X",
    ),
    (
        body({"A": resource("SQS::Queue", _DependsOn="B"), "B": resource("SQS::Queue", _DependsOn="A")}),
        "Circular dependency between resources: [A, B]",
    ),
    (
        body(P, Outputs={"O": {"Value": {"Fn::FindInMap": ["M", "a", "b"]}}}, Mappings={"M": {"a": {"c": "1"}}}),
        "Template error: Unable to get mapping for M::a::b",
    ),
    (
        body(P, Outputs={"O": {"Value": {"Fn::Select": ["2", ["a"]]}}}),
        "Template error: Fn::Select cannot select nonexistent value at index 2",
    ),
)


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_a_wrong_template_is_refused(client: Client, unique: Unique, text: str, message: str) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    assert refusal(cloudformation.create_stack, StackName=name, TemplateBody=text) == f"ValidationError: {message}"
    assert "does not exist" in refusal(cloudformation.describe_stacks, StackName=name)


def test_a_function_that_there_is_not_is_named(client: Client, unique: Unique) -> None:
    text = body({"P": resource("SQS::Queue", QueueName={"Fn::Nonsense": "a"})})
    said = refusal(client("cloudformation").create_stack, StackName=unique("stack"), TemplateBody=text)
    assert "Encountered unsupported function: Fn::Nonsense Supported functions are: [Fn::Base64, " in said


RULES = {
    "Size": {"Type": "String", "AllowedValues": ["small", "large"]},
    "Name": {"Type": "String", "AllowedPattern": "[a-z]+", "Default": "a", "MaxLength": 5},
    "Count": {"Type": "Number", "MinValue": 1, "MaxValue": 3, "Default": 2},
    "Said": {"Type": "String", "MinLength": 2, "Default": "ok", "ConstraintDescription": "say more"},
}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Parameters: [Size] must have values"),
        ({"Size": "small", "Other": "1"}, "Parameters: [Other] do not exist in the template"),
        ({"Size": "tiny"}, "Parameter 'Size' must be one of AllowedValues"),
        ({"Size": "small", "Name": "A1"}, "Parameter 'Name' must match pattern [a-z]+"),
        ({"Size": "small", "Name": "abcdef"}, "Parameter 'Name' must contain at most 5 characters"),
        ({"Size": "small", "Count": "many"}, "Parameter 'Count' must be a number."),
        ({"Size": "small", "Count": "4"}, "Parameter 'Count' must be a number not greater than 3"),
        ({"Size": "small", "Said": "x"}, "Parameter Said failed to satisfy constraint: say more"),
    ],
)
def test_parameters_keep_their_rules(client: Client, unique: Unique, given: dict[str, str], message: str) -> None:
    said = refusal(
        client("cloudformation").create_stack,
        StackName=unique("stack"),
        TemplateBody=body(P, Parameters=RULES),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
    )
    assert said == f"ValidationError: {message}"


def test_capabilities_are_asked_for(client: Client, unique: Unique) -> None:
    create_stack, name = client("cloudformation").create_stack, unique("stack")
    role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}
    wanted = "InsufficientCapabilitiesException: Requires capabilities : [{}]"
    text = body({"R": resource("IAM::Role", **role)})
    assert refusal(create_stack, StackName=name, TemplateBody=text) == wanted.format("CAPABILITY_IAM")
    named = body({"R": resource("IAM::Role", RoleName=name, **role)})
    said = refusal(create_stack, StackName=name, TemplateBody=named, Capabilities=["CAPABILITY_IAM"])
    assert said == wanted.format("CAPABILITY_NAMED_IAM")
    loops = json.dumps({"Transform": "AWS::LanguageExtensions", "Resources": P})
    assert refusal(create_stack, StackName=name, TemplateBody=loops) == wanted.format("CAPABILITY_AUTO_EXPAND")


def test_names_and_what_is_there_already(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    assert "stackName" in refusal(cloudformation.create_stack, StackName="1-wrong", TemplateBody=body(P))
    create(cloudformation, name, body(P))
    said = refusal(cloudformation.create_stack, StackName=name, TemplateBody=body(P))
    assert said == f"AlreadyExistsException: Stack [{name}] already exists"
    said = refusal(cloudformation.update_stack, StackName=name, TemplateBody=body(P))
    assert said == "ValidationError: No updates are to be performed."
    said = refusal(cloudformation.update_stack, StackName="gone", TemplateBody=body(P))
    assert said == "ValidationError: Stack [gone] does not exist"
    both = {"TemplateBody": body(P), "TemplateURL": "https://s3.amazonaws.com/a/b"}
    assert "exactly one" in refusal(cloudformation.create_stack, StackName=unique("stack"), **both)
    for url in ("https://example.com/t", "http://[x"):
        elsewhere = refusal(cloudformation.create_stack, StackName=unique("stack"), TemplateURL=url)
        assert elsewhere == "ValidationError: TemplateURL must be a supported URL."


def test_templates_are_described(client: Client, unique: Unique) -> None:
    cloudformation, name = client("cloudformation"), unique("stack")
    text = body(
        {"R": resource("IAM::User"), **P},
        Description="two things",
        Parameters={"A": {"Type": "String", "Default": "x", "NoEcho": True, "AllowedValues": ["x", "y"]}},
    )
    valid = cloudformation.validate_template(TemplateBody=text)
    assert (valid["Description"], valid["Capabilities"]) == ("two things", ["CAPABILITY_IAM"])
    assert valid["CapabilitiesReason"] == "The following resource(s) require capabilities: [AWS::IAM::User]"
    assert valid["Parameters"] == [{"ParameterKey": "A", "DefaultValue": "x", "NoEcho": True}]
    summary = cloudformation.get_template_summary(TemplateBody=text)
    assert summary["ResourceTypes"] == ["AWS::IAM::User", "AWS::SSM::Parameter"]
    assert summary["Parameters"][0]["ParameterConstraints"] == {"AllowedValues": ["x", "y"]}
    stack = create(cloudformation, name, text)
    assert stack["Parameters"] == [{"ParameterKey": "A", "ParameterValue": "****"}]
    assert cloudformation.get_template(StackName=name)["StagesAvailable"] == ["Original", "Processed"]
    assert "ValidationError" in refusal(cloudformation.validate_template, TemplateBody="{}")


def test_exports_are_shared_and_kept(client: Client, unique: Unique) -> None:
    cloudformation, giver, taker, export = client("cloudformation"), unique("stack"), unique("stack"), unique("export")
    out = {"O": {"Value": "shared", "Export": {"Name": export}}}
    create(cloudformation, giver, body(P, Outputs=out))
    exports = {entry["Name"]: entry["Value"] for entry in cloudformation.list_exports()["Exports"]}
    assert exports[export] == "shared"
    assert "is not imported" in refusal(cloudformation.list_imports, ExportName=export)
    create(cloudformation, taker, body({"P": parameter(taker, {"Fn::ImportValue": export})}))
    assert client("ssm").get_parameter(Name=taker)["Parameter"]["Value"] == "shared"
    assert cloudformation.list_imports(ExportName=export)["Imports"] == [taker]
    said = refusal(cloudformation.delete_stack, StackName=giver)
    assert said == f"ValidationError: Export {export} cannot be deleted as it is in use by {taker}"
    assert update(cloudformation, giver, body(P))["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    again = create(cloudformation, unique("stack"), body(P, Outputs=out))
    assert again["StackStatus"] == "ROLLBACK_COMPLETE"
    cloudformation.delete_stack(StackName=taker)
    cloudformation.delete_stack(StackName=giver)


def test_a_listing_has_pages(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    many = {f"P{number}": parameter(f"{name}-{number}") for number in range(40)}
    create(cloudformation, name, body(many))
    first = cloudformation.describe_stack_events(StackName=name)
    assert len(first["StackEvents"]) == 100
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
    assert sum(len(page["StackEvents"]) for page in pages) == 122
    assert "NextToken" in refusal(cloudformation.describe_stack_events, StackName=name, NextToken="?")


def change_set(cloudformation: Any, name: str, text: str, **options: Any) -> dict[str, Any]:
    made = cloudformation.create_change_set(
        StackName=name, ChangeSetName="changes", TemplateBody=text, Capabilities=ALL, **options
    )
    found: dict[str, Any] = cloudformation.describe_change_set(
        ChangeSetName=made["Id"], IncludePropertyValues=bool(options.pop("values", True))
    )
    return found


def test_a_change_set_shows_and_makes_changes(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    text = body({"Q": resource("SQS::Queue", QueueName=name), "P": parameter(name)})
    made = change_set(cloudformation, name, text, ChangeSetType="CREATE")
    assert (made["Status"], made["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert {change["ResourceChange"]["Action"] for change in made["Changes"]} == {"Add"}
    assert settled(cloudformation, name)["StackStatus"] == "REVIEW_IN_PROGRESS"
    cloudformation.execute_change_set(ChangeSetName=made["ChangeSetId"])
    assert settled(cloudformation, name)["ChangeSetId"] == made["ChangeSetId"]
    said = refusal(cloudformation.execute_change_set, ChangeSetName=made["ChangeSetId"])
    assert said.startswith("InvalidChangeSetStatus: ChangeSet [arn:")

    changed = body({"Q": resource("SQS::Queue", QueueName=f"{name}-2"), "N": resource("SQS::Queue")})
    made = change_set(cloudformation, name, changed)
    by_name = {change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"] for change in made["Changes"]}
    assert {key: change["Action"] for key, change in by_name.items()} == {"N": "Add", "P": "Remove", "Q": "Modify"}
    queue = by_name["Q"]
    assert (queue["Replacement"], queue["Scope"]) == ("True", ["Properties"])
    (detail,) = queue["Details"]
    assert (detail["Evaluation"], detail["ChangeSource"]) == ("Static", "DirectModification")
    assert (detail["Target"]["BeforeValue"], detail["Target"]["AfterValue"]) == (name, f"{name}-2")
    assert detail["Target"]["RequiresRecreation"] == "Always"
    assert [summary["ChangeSetName"] for summary in cloudformation.list_change_sets(StackName=name)["Summaries"]] == [
        "changes"
    ]
    cloudformation.execute_change_set(ChangeSetName="changes", StackName=name)
    assert settled(cloudformation, name)["StackStatus"] == "UPDATE_COMPLETE"
    client("sqs").get_queue_url(QueueName=f"{name}-2")


def test_change_sets_that_cannot_be(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    text = body({"P": parameter(name)})
    wanted = {"StackName": name, "ChangeSetName": "changes", "TemplateBody": text}
    assert refusal(cloudformation.create_change_set, **wanted) == f"ValidationError: Stack [{name}] does not exist"
    create(cloudformation, name, text)
    again = refusal(cloudformation.create_change_set, ChangeSetType="CREATE", **wanted)
    assert "already exists and cannot be created again with the changeSet [changes]" in again
    made = change_set(cloudformation, name, text)
    assert (made["Status"], made["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert made["StatusReason"].startswith("The submitted information didn't contain changes.")
    assert "InvalidChangeSetStatus" in refusal(cloudformation.execute_change_set, ChangeSetName=made["ChangeSetId"])
    cloudformation.delete_change_set(ChangeSetName="changes", StackName=name)
    said = refusal(cloudformation.describe_change_set, ChangeSetName="changes", StackName=name)
    assert said == "ChangeSetNotFound: ChangeSet [changes] does not exist"
    said = refusal(cloudformation.create_change_set, ChangeSetType="IMPORT", **wanted)
    assert "Importing existing resources into a stack is not supported" in said
