"""Intrinsic functions: what a value of a template is, in one stack at one moment.

    Scope(…).evaluate({"Fn::Join": ["-", [{"Ref": "AWS::StackName"}, "a"]]})   -> "shop-a"

Source: CloudFormation User Guide, "Intrinsic function reference", "Pseudo parameters reference", "Condition functions".
"""

from __future__ import annotations

import base64
import ipaddress
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.parameters import Value, text_of
from cloudlet.emulator.fallback.stacks.references import VARIABLE, parts_of_sub
from cloudlet.emulator.fallback.stacks.template import Template

JOIN = (
    "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to "
    "be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
)
SPLIT = (
    "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split "
    "or a function that returns a string to be split."
)
SELECT = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
FIND = (
    "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for "
    "return value"
)
CIDR = "Template error: every Fn::Cidr object requires two or three parameters: an IP block, a count and cidr bits"


UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"  # what a plan says of values that only making the resource gives


class Removed:
    """The value of `AWS::NoValue`: what has it is left out."""


REMOVED = Removed()


class World(Protocol):
    """What a stack's values need from outside of its template."""

    account: str
    region: str
    partition: str
    stack_name: str
    stack_id: str
    notification_arns: list[str]

    def reference(self, logical_id: str) -> Any: ...

    def attribute(self, logical_id: str, name: str) -> Any: ...

    def export(self, name: str) -> str: ...

    def zones(self, region: str) -> list[str]: ...


class Scope:
    """One template with the values of its parameters. Conditions are evaluated once."""

    def __init__(self, template: Template, parameters: Mapping[str, Value], world: World) -> None:
        self.template = template
        self.parameters = parameters
        self.world = world
        self.resources: dict[str, Any] = template.get("Resources") or {}
        self._conditions: dict[str, bool] = {}

    # --- conditions

    def condition(self, name: str) -> bool:
        if name not in self._conditions:
            definitions = self.template.get("Conditions") or {}
            if name not in definitions:
                raise refused(f"Template error: unresolved condition dependency {name} in Fn::If")
            self._conditions[name] = self.truth(definitions[name])
        return self._conditions[name]

    def truth(self, value: Any) -> bool:
        """A condition's expression as yes or no."""
        if isinstance(value, dict) and set(value) == {"Condition"}:
            return self.condition(value["Condition"])
        made = self.evaluate(value)
        return made if isinstance(made, bool) else str(made).lower() == "true"

    def included(self, member: Mapping[str, Any]) -> bool:
        """Whether a resource's or output's condition holds."""
        condition = member.get("Condition")
        return condition is None or self.condition(condition)

    def all_conditions(self) -> dict[str, bool]:
        return {name: self.condition(name) for name in self.template.get("Conditions") or {}}

    # --- values

    def evaluate(self, value: Any) -> Any:
        """The value without functions. Raises `ValidationError`, and what the world raises."""
        if isinstance(value, dict):
            if len(value) == 1:
                ((name, argument),) = value.items()
                if name == "Ref" and isinstance(argument, str):
                    return self.reference(argument)
                function = FUNCTIONS.get(name)
                if function is not None:
                    return function(self, argument)
            made = {key: self.evaluate(inner) for key, inner in value.items()}
            return {key: inner for key, inner in made.items() if inner is not REMOVED}
        if isinstance(value, list):
            return [inner for inner in map(self.evaluate, value) if inner is not REMOVED]
        return value

    def reference(self, name: str) -> Any:
        if name in self.parameters:
            return self.parameters[name].value
        if name.startswith("AWS::"):
            return self.pseudo(name)
        if name not in self.resources or not self.included(self.resources[name]):
            raise refused(
                f"Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template"
            )
        return self.world.reference(name)

    def pseudo(self, name: str) -> Any:
        world = self.world
        known = {
            "AWS::AccountId": world.account,
            "AWS::NoValue": REMOVED,
            "AWS::NotificationARNs": world.notification_arns,
            "AWS::Partition": world.partition,
            "AWS::Region": world.region,
            "AWS::StackId": world.stack_id,
            "AWS::StackName": world.stack_name,
            "AWS::URLSuffix": "amazonaws.com.cn" if world.partition == "aws-cn" else "amazonaws.com",
        }
        if name not in known:
            raise refused(
                f"Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template"
            )
        return known[name]

    def attribute(self, logical_id: str, name: str) -> Any:
        if logical_id not in self.resources:
            raise refused(f"Template error: instance of Fn::GetAtt references undefined resource {logical_id}")
        if not self.included(self.resources[logical_id]):
            raise refused(
                f"Template format error: Unresolved resource dependencies [{logical_id}] in the Resources block of the "
                "template"
            )
        return self.world.attribute(logical_id, name)


# --- one function each


def get_att(scope: Scope, argument: Any) -> Any:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) < 2:
        raise refused(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"
        )
    name = ".".join(text_of(scope.evaluate(part)) for part in parts[1:])
    return scope.attribute(parts[0], name)


def sub(scope: Scope, argument: Any) -> str:
    text, own = (argument, {}) if isinstance(argument, str) else parts_of_sub(argument)
    known = {name: scope.evaluate(value) for name, value in own.items()}

    def replace(match: Any) -> str:
        literal, name = match[1], match[2].strip()
        if literal:
            return f"${{{match[2]}}}"
        if name in known:
            return plain(known[name])
        target, _, attribute = name.partition(".")
        if attribute and not name.startswith("AWS::"):
            return plain(scope.attribute(target, attribute))
        return plain(scope.reference(name))

    return VARIABLE.sub(replace, text)


def plain(value: Any) -> str:
    """A value inside of a text."""
    if value is REMOVED:
        return ""
    if isinstance(value, list):
        return ",".join(map(text_of, value))
    return json.dumps(value) if isinstance(value, dict) else text_of(value)


def is_unknown(value: Any) -> bool:
    """Whether a value hangs on what is not made yet."""
    if isinstance(value, list):
        return any(map(is_unknown, value))
    return isinstance(value, str) and UNKNOWN in value


def pair(argument: Any, problem: str) -> list[Any]:
    if not isinstance(argument, list) or len(argument) != 2:
        raise refused(problem)
    return argument


def join(scope: Scope, argument: Any) -> str:
    delimiter, parts = pair(argument, JOIN)
    parts = scope.evaluate(parts)
    if isinstance(parts, str) and "," in parts:
        parts = parts.split(",")
    if not isinstance(delimiter, str) or not isinstance(parts, list):
        raise refused(JOIN)
    if any(isinstance(part, dict | list) for part in parts):
        raise refused(JOIN)
    if is_unknown(parts):
        return UNKNOWN
    return delimiter.join(map(text_of, parts))


def split(scope: Scope, argument: Any) -> list[str]:
    delimiter, text = pair(argument, SPLIT)
    text = scope.evaluate(text)
    if is_unknown(text):
        return [UNKNOWN]
    if not isinstance(delimiter, str) or not delimiter or not isinstance(text, str):
        raise refused(SPLIT)
    return text.split(delimiter)


def select(scope: Scope, argument: Any) -> Any:
    index, values = pair(argument, SELECT)
    index, values = scope.evaluate(index), scope.evaluate(values)
    if values == UNKNOWN or values == [UNKNOWN] or is_unknown(index):
        return UNKNOWN
    if isinstance(values, str):
        values = [part.strip() for part in values.split(",")]
    try:
        number = int(index)
    except (TypeError, ValueError):
        raise refused(SELECT) from None
    if not isinstance(values, list):
        raise refused(SELECT)
    if not 0 <= number < len(values):
        raise refused(f"Template error: Fn::Select cannot select nonexistent value at index {number}")
    return values[number]


def find_in_map(scope: Scope, argument: Any) -> Any:
    if not isinstance(argument, list) or len(argument) not in (3, 4):
        raise refused(FIND)
    name, first, second = (text_of(scope.evaluate(part)) for part in argument[:3])
    mapping = (scope.template.get("Mappings") or {}).get(name)
    found = (mapping or {}).get(first)
    value = found.get(second) if isinstance(found, dict) else None
    if value is None and isinstance(found, dict):
        value = next((inner for key, inner in found.items() if text_of(key) == second), None)
    if value is None and len(argument) == 4 and isinstance(argument[3], dict) and "DefaultValue" in argument[3]:
        return scope.evaluate(argument[3]["DefaultValue"])
    if mapping is None:
        raise refused(f"Template error: Mapping named '{name}' is not present in the 'Mappings' section of template.")
    if value is None:
        raise refused(f"Template error: Unable to get mapping for {name}::{first}::{second}")
    return value


def encode(scope: Scope, argument: Any) -> str:
    return base64.b64encode(text_of(scope.evaluate(argument)).encode()).decode()


def cidr(scope: Scope, argument: Any) -> list[str]:
    if not isinstance(argument, list) or len(argument) not in (2, 3):
        raise refused(CIDR)
    block, count, *rest = (scope.evaluate(part) for part in argument)
    if is_unknown([block, count, *rest]):
        return [UNKNOWN]
    try:
        network = ipaddress.ip_network(str(block), strict=False)
        bits = int(rest[0]) if rest else 8
        prefix = network.max_prefixlen - bits
        made: list[str] = []
        for part in network.subnets(new_prefix=prefix) if prefix >= network.prefixlen else ():
            if len(made) == int(count):
                break
            made.append(str(part))
    except ValueError as error:
        raise refused(f"Template error: Fn::Cidr: {error}") from error
    if len(made) < int(count):
        raise refused(f"Template error: Fn::Cidr could not make {count} blocks of {bits} bits in {block}")
    return made


def zones(scope: Scope, argument: Any) -> list[str]:
    region = scope.evaluate(argument)
    return scope.world.zones(text_of(region) or scope.world.region)


def import_value(scope: Scope, argument: Any) -> str:
    return scope.world.export(text_of(scope.evaluate(argument)))


def choose(scope: Scope, argument: Any) -> Any:
    if not isinstance(argument, list) or len(argument) != 3:
        raise refused("Template error: Fn::If requires a list argument with three elements")
    name, first, second = argument
    chosen = scope.condition(name) if isinstance(name, str) else scope.truth(name)
    return scope.evaluate(first if chosen else second)


def equals(scope: Scope, argument: Any) -> bool:
    first, second = pair(argument, "Template error: Fn::Equals requires a list argument with two elements")
    first, second = scope.evaluate(first), scope.evaluate(second)
    if isinstance(first, dict | list) or isinstance(second, dict | list):
        return bool(first == second)
    return text_of(first) == text_of(second)


def every(scope: Scope, argument: Any) -> bool:
    return all(scope.truth(part) for part in several(argument, "Fn::And"))


def some(scope: Scope, argument: Any) -> bool:
    return any(scope.truth(part) for part in several(argument, "Fn::Or"))


def several(argument: Any, name: str) -> list[Any]:
    if not isinstance(argument, list) or not 2 <= len(argument) <= 10:
        raise refused(
            f"Template validation error: every {name} object requires a list of at least 2 and at most 10 boolean parameters."
        )
    return argument


def negate(scope: Scope, argument: Any) -> bool:
    if not isinstance(argument, list) or len(argument) != 1:
        raise refused("Template validation error: every Fn::Not object requires one boolean parameter.")
    return not scope.truth(argument[0])


def length(scope: Scope, argument: Any) -> int:
    value = scope.evaluate(argument)
    if value == UNKNOWN:
        return 0
    if not isinstance(value, list):
        raise refused("Template error: Fn::Length requires a list")
    return len(value)


def to_json(scope: Scope, argument: Any) -> str:
    value = scope.evaluate(argument)
    if not isinstance(value, dict | list):
        raise refused("Template error: Fn::ToJsonString requires an object or an array")
    return json.dumps(value, separators=(",", ":"))


def contains(scope: Scope, argument: Any) -> bool:
    values, value = pair(argument, "Template error: Fn::Contains requires a list and a string")
    return text_of(scope.evaluate(value)) in map(text_of, scope.evaluate(values))


def each_member_in(scope: Scope, argument: Any) -> bool:
    first, second = pair(argument, "Template error: Fn::EachMemberIn requires two lists")
    return set(map(text_of, scope.evaluate(first))) <= set(map(text_of, scope.evaluate(second)))


def each_member_equals(scope: Scope, argument: Any) -> bool:
    values, value = pair(argument, "Template error: Fn::EachMemberEquals requires a list and a string")
    return all(text_of(member) == text_of(scope.evaluate(value)) for member in scope.evaluate(values))


Function = Callable[[Scope, Any], Any]
FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "Fn::And": every,
        "Fn::Base64": encode,
        "Fn::Cidr": cidr,
        "Fn::Contains": contains,
        "Fn::EachMemberEquals": each_member_equals,
        "Fn::EachMemberIn": each_member_in,
        "Fn::Equals": equals,
        "Fn::FindInMap": find_in_map,
        "Fn::GetAtt": get_att,
        "Fn::GetAZs": zones,
        "Fn::If": choose,
        "Fn::ImportValue": import_value,
        "Fn::Join": join,
        "Fn::Length": length,
        "Fn::Not": negate,
        "Fn::Or": some,
        "Fn::Select": select,
        "Fn::Split": split,
        "Fn::Sub": sub,
        "Fn::ToJsonString": to_json,
    }
)


def check_rules(scope: Scope) -> None:
    """Raises `ValidationError` where an assertion of the template's `Rules` does not hold."""
    for name, rule in (scope.template.get("Rules") or {}).items():
        if "RuleCondition" in rule and not scope.truth(rule["RuleCondition"]):
            continue
        for assertion in rule.get("Assertions") or []:
            if not scope.truth(assertion.get("Assert")):
                said = assertion.get("AssertDescription") or f"Assertion of the rule {name} does not hold"
                raise refused(f"Template error: Rule {name} failed: {said}")
