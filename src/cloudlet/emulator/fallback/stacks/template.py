"""A template's text as a dictionary, and whether it has the form of a template.

    parse("AWSTemplateFormatVersion: …")   -> {"Resources": {…}}
    check(template)                         raises what AWS says of a template of the wrong form

The short forms of YAML (`!Ref x`, `!GetAtt a.b`) become the long ones. Source: CloudFormation User Guide, "Template
anatomy", "Intrinsic function reference".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from cloudlet.emulator.fallback.stacks.errors import refused

Template = dict[str, Any]

SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Hooks",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Rules",
        "Transform",
        "Globals",  # of the Serverless Application Model; gone once its macro ran
    }
)
RESOURCE_MEMBERS = frozenset(
    {
        "Type",
        "Properties",
        "DependsOn",
        "Condition",
        "Metadata",
        "DeletionPolicy",
        "UpdatePolicy",
        "UpdateReplacePolicy",
        "CreationPolicy",
        "Fn::Transform",
        "Connectors",
        "IgnoreGlobals",
    }
)
POLICIES = ("Delete", "Retain", "Snapshot", "RetainExceptOnCreate")
TYPE_NAME = re.compile(r"(AWS|Alexa|Custom|[A-Za-z0-9]{2,64})::[A-Za-z0-9@_:-]{2,}")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
ALPHANUMERIC = re.compile(r"[A-Za-z0-9]+")
PARAMETER_TYPE = re.compile(
    r"String|Number|CommaDelimitedList|List<(String|Number|AWS::[A-Za-z0-9:]+)>|AWS::EC2::[A-Za-z0-9:]+"
    r"|AWS::Route53::HostedZone::Id|AWS::SSM::Parameter::Name|AWS::SSM::Parameter::Value<.+>"
)
DEEPEST = 200  # collections inside each other in YAML
TOO_DEEP = "Template format error: the template is nested too deeply."
TEMPLATE_BYTES = 51_200  # of a TemplateBody; at a URL 1 MB


class Loader(yaml.CSafeLoader):
    """YAML as CloudFormation reads it: dates are strings, `!Name` is a function."""


def tagged(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


def without_dates(resolvers: dict[str, list[tuple[str, Any]]]) -> dict[str, list[tuple[str, Any]]]:
    """What plain scalars may be, by their first letter; a date is none of it."""
    kept = {}
    for first, tags in resolvers.items():
        kept[first] = [(tag, pattern) for tag, pattern in tags if tag != "tag:yaml.org,2002:timestamp"]
    return kept


Loader.add_multi_constructor("!", tagged)
Loader.yaml_implicit_resolvers = without_dates(yaml.CSafeLoader.yaml_implicit_resolvers)


def parse(text: str) -> Template:
    """The template in this text. Raises `ValidationError`."""
    try:
        made = read(text)
    except RecursionError as error:
        raise refused(TOO_DEEP) from error
    if not isinstance(made, dict):
        raise refused("Template format error: unsupported structure.")
    return made


def read(text: str) -> Any:
    if not text.lstrip().startswith("{"):
        return parse_yaml(text, None)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        return parse_yaml(text, f"JSON not well-formed. (line {error.lineno}, column {error.colno})")


def parse_yaml(text: str, otherwise: str | None) -> Any:
    try:
        check_events(text)
        return yaml.load(text, Loader)  # noqa: S506 - the loader is a safe one
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark is not None else ""
        raise refused(f"Template format error: {otherwise or f'YAML not well-formed.{place}'}") from None
    except yaml.YAMLError as error:
        raise refused(f"Template format error: {otherwise or 'YAML not well-formed.'}") from error


def check_events(text: str) -> None:
    """Before anything is built of it: building what is nested very deeply ends the process."""
    depth = 0
    for event in yaml.parse(text, Loader):
        if isinstance(event, yaml.AliasEvent):
            raise refused("Template format error: YAML aliases are not allowed in CloudFormation templates")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise refused(TOO_DEEP)


def check(template: Template) -> None:
    """Raises `ValidationError` where the template does not have the form of one."""
    unknown = sorted(map(str, set(template) - SECTIONS))
    if unknown:
        raise refused(f"Invalid template property or properties [{', '.join(unknown)}]")
    if str(template.get("AWSTemplateFormatVersion") or "2010-09-09") != "2010-09-09":
        raise refused("Template format error: unsupported value for AWSTemplateFormatVersion.")
    if not isinstance(template.get("Description") or "", str):
        raise refused("Template format error: Description must be a string.")
    for section in ("Parameters", "Mappings", "Conditions", "Outputs", "Resources", "Rules"):
        if not isinstance(template.get(section) or {}, dict):
            raise refused(f"Template format error: [/{section}] {section} must be an object.")
    if not template.get("Resources"):
        raise refused("Template format error: At least one Resources member must be defined.")
    for name, parameter in section_of(template, "Parameters"):
        check_parameter(name, parameter)
    for name, resource in section_of(template, "Resources"):
        check_resource(name, resource)
    for name, output in section_of(template, "Outputs"):
        check_output(name, output)
    for name, rule in section_of(template, "Rules"):
        check_rule(name, rule)


def section_of(template: Template, name: str) -> Iterator[tuple[str, Any]]:
    yield from (template.get(name) or {}).items()


def check_parameter(name: str, parameter: Any) -> None:
    if not ALPHANUMERIC.fullmatch(str(name)):
        raise refused(f"Template format error: Parameter name {name} is non alphanumeric.")
    if not isinstance(parameter, dict) or "Type" not in parameter:
        raise refused("Template format error: Every Parameters object must contain a Type member.")
    if not PARAMETER_TYPE.fullmatch(str(parameter["Type"])):
        raise refused(f"Template format error: Unrecognized parameter type: {parameter['Type']}")
    if isinstance(parameter.get("Default", ""), dict | list):
        raise refused(
            "Template format error: Every Default member must be a string."
            if isinstance(parameter["Default"], dict)
            else f"Template format error: Parameter '{name}' default value must be a string."
        )
    if not isinstance(parameter.get("AllowedValues") or [], list):
        raise refused(f"Template format error: [/Parameters/{name}] AllowedValues must be a list.")
    for rule in ("MinLength", "MaxLength"):
        if rule in parameter and not str(parameter[rule]).isdecimal():
            raise refused(f"Template format error: [/Parameters/{name}] {rule} must be a number.")
    for rule in ("MinValue", "MaxValue"):
        if rule in parameter and not NUMBER.fullmatch(str(parameter[rule])):
            raise refused(f"Template format error: [/Parameters/{name}] {rule} must be a number.")


def check_resource(name: str, resource: Any) -> None:
    if str(name).startswith("Fn::ForEach"):
        raise refused("Template format error: Fn::ForEach needs the transform AWS::LanguageExtensions.")
    if not ALPHANUMERIC.fullmatch(str(name)):
        raise refused(f"Template format error: Resource name {name} is non alphanumeric.")
    if not isinstance(resource, dict):
        raise refused(f"Template format error: [/Resources/{name}] resource definition is malformed")
    if not isinstance(resource.get("Type"), str):
        raise refused(f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member.")
    unknown = sorted(map(str, set(resource) - RESOURCE_MEMBERS))
    if unknown:
        raise refused(f"Invalid template resource property '{unknown[0]}'")
    if not TYPE_NAME.fullmatch(resource["Type"]):
        raise refused(f"Template format error: Unrecognized resource types: [{resource['Type']}]")
    if not isinstance(resource.get("Properties") or {}, dict):
        raise refused(f"Template format error: [/Resources/{name}/Properties] Properties must be an object.")
    named = resource.get("DependsOn") or []
    if not isinstance(named, str) and not (isinstance(named, list) and all(isinstance(one, str) for one in named)):
        raise refused("Template format error: Every DependsOn value must be a string or a list of strings.")
    check_condition("Resources", name, resource)
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        value = resource.get(policy)
        if isinstance(value, str) and value not in POLICIES:
            raise refused(f"Template format error: Unrecognized {policy} {value} for resource {name}")


def check_output(name: str, output: Any) -> None:
    if not ALPHANUMERIC.fullmatch(str(name)):
        raise refused(f"Template format error: Output name {name} is non alphanumeric.")
    if not isinstance(output, dict) or "Value" not in output:
        raise refused("Template format error: Every Outputs member must contain a Value object")
    if output["Value"] is None:
        raise refused(f"Template format error: [/Outputs/{name}] 'null' values are not allowed in templates")
    if not isinstance(output.get("Export") or {}, dict):
        raise refused(f"Template format error: [/Outputs/{name}/Export] Export must be an object.")
    check_condition("Outputs", name, output)


def check_condition(block: str, name: str, member: dict[str, Any]) -> None:
    if not isinstance(member.get("Condition") or "", str):
        raise refused(f"Template format error: [/{block}/{name}/Condition] Every Condition member must be a string.")


def check_rule(name: str, rule: Any) -> None:
    assertions = rule.get("Assertions") or [] if isinstance(rule, dict) else None
    if not isinstance(assertions, list) or not all(isinstance(assertion, dict) for assertion in assertions):
        raise refused(f"Template format error: [/Rules/{name}] Every Rules member must have a list of Assertions.")


def depends_on(resource: dict[str, Any]) -> list[str]:
    named = resource.get("DependsOn") or []
    return [named] if isinstance(named, str) else [str(name) for name in named]


def transforms_of(template: Template) -> list[Any]:
    """The macros that the whole template names, in order."""
    named = template.get("Transform") or []
    return named if isinstance(named, list) else [named]
