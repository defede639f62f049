"""Templates as they are asked for: GetTemplate, GetTemplateSummary, ValidateTemplate; and what stacks give each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Asked
from cloudlet.emulator.fallback.answers.cloudformation.asking import machine_of, page, set_of, shelf_of, stack_of
from cloudlet.emulator.fallback.answers.cloudformation.change_sets import found
from cloudlet.emulator.fallback.stacks import capabilities, macros, references, template, templates
from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.parameters import text_of
from cloudlet.emulator.kernel.errors import UnmodelledError

# what names a resource of the type, for imports
IDENTIFIERS: Mapping[str, str] = MappingProxyType(
    {
        "AWS::DynamoDB::Table": "TableName",
        "AWS::IAM::Role": "RoleName",
        "AWS::Lambda::Function": "FunctionName",
        "AWS::Logs::LogGroup": "LogGroupName",
        "AWS::S3::Bucket": "BucketName",
        "AWS::SNS::Topic": "TopicArn",
        "AWS::SQS::Queue": "QueueUrl",
        "AWS::SSM::Parameter": "Name",
    }
)


def get_template(asked: Asked) -> dict[str, Any]:
    """The text as it was given, or JSON of what macros made of it."""
    request = asked.request
    if request.get("ChangeSetName"):
        made = found(asked)
        text, whole = made.text, made.template
    else:
        if not request.get("StackName"):
            raise refused("StackName must be specified if ChangeSetName is not specified as an ARN.")
        stack = stack_of(asked, deleted=True)
        text, whole = stack.text, stack.template
    if request.get("TemplateStage") == "Processed" and macros.names(template.parse(text or "{}")):
        text = json.dumps(whole)
    return {"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]}


def template_of(asked: Asked) -> template.Template:
    """The template that the request brings, of the right form. Raises `ValidationError`."""
    text = templates.text_of(machine_of(asked), asked.call.account_id, asked.call.region, asked.request)
    return template.parse(text)


def validate_template(asked: Asked) -> dict[str, Any]:
    whole = template_of(asked)
    if not macros.names(whole):
        template.check(whole)
        references.check(whole)
    needed, reason = capabilities.of_resources(whole)
    transforms = [macros.name_of(named) for named in template.transforms_of(whole)]
    result: dict[str, Any] = {
        "Parameters": [parameter(name, made) for name, made in template.section_of(whole, "Parameters")]
    }
    if whole.get("Description"):
        result["Description"] = whole["Description"]
    if transforms:
        needed = [*needed, capabilities.AUTO_EXPAND]
        reason = reason or f"The following transform(s) require capabilities: [{', '.join(transforms)}]"
        result["DeclaredTransforms"] = transforms
    if needed:
        result |= {"Capabilities": needed, "CapabilitiesReason": reason}
    return result


def parameter(name: str, made: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"ParameterKey": name, "NoEcho": text_of(made.get("NoEcho", False)).lower() == "true"}
    if "Default" in made:
        result["DefaultValue"] = text_of(made["Default"])
    if made.get("Description"):
        result["Description"] = made["Description"]
    return result


def get_template_summary(asked: Asked) -> dict[str, Any]:
    request = asked.request
    given = [name for name in ("TemplateBody", "TemplateURL", "StackName", "StackSetName") if request.get(name)]
    if len(given) != 1:
        raise refused("Exactly one of TemplateBody, TemplateURL, StackName or StackSetName must be specified.")
    if given in (["StackName"], ["StackSetName"]):
        text = stack_of(asked).text if given == ["StackName"] else set_of(asked).pattern.text
        whole = template.parse(text or "{}")
    else:
        whole = template_of(asked)
        if not macros.names(whole):
            template.check(whole)
            references.check(whole)
    resources = dict(template.section_of(whole, "Resources"))
    types = [made["Type"] for made in resources.values() if isinstance(made, dict) and "Type" in made]
    needed, reason = capabilities.of_resources(whole)
    transforms = [macros.name_of(named) for named in template.transforms_of(whole)]
    result: dict[str, Any] = {
        "Parameters": [detailed_parameter(name, made) for name, made in template.section_of(whole, "Parameters")],
        "ResourceTypes": types,
        "ResourceIdentifierSummaries": identifiers(resources),
        "Version": str(whole.get("AWSTemplateFormatVersion") or "2010-09-09"),
    }
    if whole.get("Description"):
        result["Description"] = whole["Description"]
    if whole.get("Metadata"):
        result["Metadata"] = json.dumps(whole["Metadata"])
    if transforms:
        needed = [*needed, capabilities.AUTO_EXPAND]
        result["DeclaredTransforms"] = transforms
        reason = reason or f"The following transform(s) require capabilities: [{', '.join(transforms)}]"
    if needed:
        result |= {"Capabilities": needed, "CapabilitiesReason": reason}
    return result


def detailed_parameter(name: str, made: dict[str, Any]) -> dict[str, Any]:
    constraints = {}
    if made.get("AllowedValues"):
        constraints["AllowedValues"] = [text_of(value) for value in made["AllowedValues"]]
    return {**parameter(name, made), "ParameterType": made.get("Type", "String"), "ParameterConstraints": constraints}


def identifiers(resources: dict[str, Any]) -> list[dict[str, Any]]:
    by_type: dict[str, list[str]] = {}
    for name, made in resources.items():
        if isinstance(made, dict) and made.get("Type") in IDENTIFIERS:
            by_type.setdefault(made["Type"], []).append(name)
    return [
        {"ResourceType": kind, "LogicalResourceIds": names, "ResourceIdentifiers": [IDENTIFIERS[kind]]}
        for kind, names in by_type.items()
    ]


def list_exports(asked: Asked) -> dict[str, Any]:
    exports = sorted(shelf_of(asked).exports().items())
    return page(
        asked,
        "Exports",
        exports,
        lambda entry: {"ExportingStackId": entry[1][0], "Name": entry[0], "Value": entry[1][1]},
    )


def list_imports(asked: Asked) -> dict[str, Any]:
    name = asked.request["ExportName"]
    shelf = shelf_of(asked)
    users = [stack.name for stack in shelf.importers(name)]
    if not users:
        raise refused(f"Export '{name}' is not imported by any stack.")
    return page(asked, "Imports", users, str)


def estimate_template_cost(asked: Asked) -> dict[str, Any]:
    template.check(template_of(asked))
    return {"Url": "http://calculator.s3.amazonaws.com/calc5.html?key=cloudformation"}


def describe_account_limits(asked: Asked) -> dict[str, Any]:
    limits = (("StackLimit", 2000), ("StackOutputsLimit", 200), ("ConcurrentResourcesLimit", 2500))
    return {"AccountLimits": [{"Name": name, "Value": value} for name, value in limits]}


def describe_type(asked: Asked) -> dict[str, Any]:
    name = asked.request.get("TypeName") or str(asked.request.get("Arn", "")).rpartition("/")[2].replace("-", "::")
    kind = machine_of(asked).kind(name)
    if kind.is_stand_in:
        raise UnmodelledError("TypeNotFoundException", f"The type '{name}' cannot be found.", 404)
    arn = f"arn:aws:cloudformation:{asked.call.region}::type/resource/{name.replace('::', '-')}"
    return {
        "Arn": arn,
        "Type": "RESOURCE",
        "TypeName": name,
        "Visibility": "PUBLIC",
        "ProvisioningType": "FULLY_MUTABLE",
        "DeprecatedStatus": "LIVE",
    }
