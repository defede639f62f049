"""What a template refers to: found without evaluating it, and checked.

references(value)            -> Reference("Ref", "Queue", ""), Reference("Fn::GetAtt", "Queue", "Arn"), …
check(template)              raises what AWS says of references to nothing
in_circle({"A": {"B"}, "B": {"A"}}) -> ["A", "B"]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.template import Template, depends_on, section_of

PSEUDO = frozenset(
    {
        "AWS::AccountId",
        "AWS::NoValue",
        "AWS::NotificationARNs",
        "AWS::Partition",
        "AWS::Region",
        "AWS::StackId",
        "AWS::StackName",
        "AWS::URLSuffix",
    }
)
CONDITION_FUNCTIONS = ("Fn::And", "Fn::Equals", "Fn::If", "Fn::Not", "Fn::Or", "Condition")
SUPPORTED = (
    "Fn::Base64",
    "Fn::GetAtt",
    "Fn::GetAZs",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Split",
    "Fn::FindInMap",
    "Fn::Select",
    "Ref",
    "Fn::Equals",
    "Fn::If",
    "Fn::Not",
    "Condition",
    "Fn::And",
    "Fn::Or",
    "Fn::Contains",
    "Fn::EachMemberEquals",
    "Fn::EachMemberIn",
    "Fn::ValueOf",
    "Fn::ValueOfAll",
    "Fn::RefAll",
    "Fn::Sub",
    "Fn::Cidr",
)
LANGUAGE_EXTENSIONS = ("Fn::Length", "Fn::ToJsonString", "Fn::ForEach", "Fn::Transform", "Fn::GetStackOutput")
SUB = (
    "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first "
    "argument, and an optional second argument to specify a mapping of values to replace in the string"
)
VARIABLE = re.compile(r"\$\{(!?)([^${}]*)\}")

# Says which branch of `Fn::If` counts: True the first, False the second, None both.
Choose = Callable[[str], bool | None]


class Reference(NamedTuple):
    """`function` is Ref, Fn::GetAtt, Fn::Sub, Condition or Fn::If; `attribute` is "" unless one is named."""

    function: str
    target: str
    attribute: str = ""


def both(_condition: str) -> bool | None:
    return None


def variables(text: str) -> Iterator[str]:
    """The names in `${…}` of a text for Fn::Sub; `${!literal}` is none."""
    for literal, name in VARIABLE.findall(text):
        if not literal:
            yield name.strip()


def references(value: Any, choose: Choose = both) -> Iterator[Reference]:
    """Everything that a value refers to. In Fn::If only the branch that `choose` names is looked at."""
    if isinstance(value, list):
        for item in value:
            yield from references(item, choose)
    elif isinstance(value, dict):
        if len(value) == 1:
            ((name, argument),) = value.items()
            found = in_function(name, argument, choose)
            if found is not None:
                yield from found
                return
        for item in value.values():
            yield from references(item, choose)


def in_function(name: str, argument: Any, choose: Choose) -> Iterator[Reference] | None:
    """The references of one function; None where a look inside is all there is to do."""
    if name == "Ref" and isinstance(argument, str):
        return iter((Reference("Ref", argument),))
    if name == "Condition" and isinstance(argument, str):
        return iter((Reference("Condition", argument),))
    if name == "Fn::GetAtt":
        return in_get_att(argument, choose)
    if name == "Fn::Sub":
        return in_sub(argument, choose)
    if name == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
        return in_if(argument, choose)
    return None


def in_get_att(argument: Any, choose: Choose) -> Iterator[Reference]:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if isinstance(parts, list) and parts and isinstance(parts[0], str):
        attribute = ".".join(part for part in parts[1:] if isinstance(part, str))
        yield Reference("Fn::GetAtt", parts[0], attribute)
        yield from references(parts[1:], choose)
    else:
        yield from references(argument, choose)


def in_sub(argument: Any, choose: Choose) -> Iterator[Reference]:
    text, own = (argument, {}) if isinstance(argument, str) else parts_of_sub(argument)
    for name in variables(text):
        if name not in own:
            target, _, attribute = name.partition(".")
            yield Reference("Fn::Sub", target, attribute)
    yield from references(own, choose)


def parts_of_sub(argument: Any) -> tuple[str, dict[str, Any]]:
    """The text and the values of an Fn::Sub with two arguments. Raises `ValidationError`."""
    if not isinstance(argument, list) or len(argument) != 2:
        raise refused(SUB)
    text, own = argument
    if not isinstance(text, str) or not isinstance(own, dict):
        raise refused(SUB)
    return text, own


def in_if(argument: list[Any], choose: Choose) -> Iterator[Reference]:
    condition, *branches = argument
    if isinstance(condition, str):
        yield Reference("Fn::If", condition)
        chosen = choose(condition)
        if chosen is not None:
            branches = [branches[0] if chosen else branches[1]]
    else:
        yield from references(condition, choose)
    for branch in branches:
        yield from references(branch, choose)


# --- checks


def check(template: Template) -> None:
    """Raises `ValidationError` for references to nothing and functions that there are not."""
    check_mappings(template)
    check_functions(template)
    check_conditions(template)
    for block in ("Resources", "Outputs"):
        check_block(template, block)


def check_mappings(template: Template) -> None:
    for name, mapping in section_of(template, "Mappings"):
        if not isinstance(mapping, dict):
            raise refused(f"Template format error: Every Mappings member {name} must be a map")
        for entries in mapping.values():
            if not isinstance(entries, dict):
                raise refused(f"Template format error: Every Mappings member {name} must be a map")
            if any(isinstance(value, dict) for value in entries.values()):
                raise refused("Template format error: Every Mappings attribute must be a String or a List.")


def check_functions(template: Template) -> None:
    for section in ("Resources", "Outputs", "Conditions"):
        for name in functions(template.get(section) or {}):
            if name not in SUPPORTED and not name.startswith(LANGUAGE_EXTENSIONS):
                raise refused(
                    f"Template error: Encountered unsupported function: {name} Supported functions are: "
                    f"[{', '.join(SUPPORTED)}]"
                )


def functions(value: Any) -> Iterator[str]:
    """The names of all functions in a value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(name, str) and name.startswith("Fn::"):
                yield name
            yield from functions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from functions(inner)


def check_conditions(template: Template) -> None:
    known = {*(template.get("Parameters") or {}), *PSEUDO}
    conditions = template.get("Conditions") or {}
    edges: dict[str, set[str]] = {name: set() for name in conditions}
    for name, definition in conditions.items():
        for reference in references(definition):
            if reference.function in ("Condition", "Fn::If"):
                if reference.target not in conditions:
                    raise refused(
                        f"Template format error: Unresolved condition dependency {reference.target} in the Conditions "
                        "block of the template"
                    )
                edges[name].add(reference.target)
            elif reference.target not in known:
                raise refused(
                    f"Template error: Unresolved dependencies [{reference.target}]. Cannot reference resources in the "
                    "Conditions block of the template"
                )
    circle = in_circle(edges)
    if circle:
        raise refused(f"Template format error: Circular dependency between conditions: [{', '.join(circle)}]")


def check_block(template: Template, block: str) -> None:
    resources = template.get("Resources") or {}
    known = {*resources, *(template.get("Parameters") or {}), *PSEUDO}
    conditions = template.get("Conditions") or {}
    unresolved: list[str] = []
    for _name, member in section_of(template, block):
        condition = member.get("Condition")
        if condition is not None and condition not in conditions:
            raise refused(
                f"Template format error: Unresolved condition dependency {condition} in the {block} block of the template"
            )
        for reference in references({key: part for key, part in member.items() if key != "Condition"}):
            if reference.function == "Fn::If":
                if reference.target not in conditions:
                    raise refused(f"Template error: unresolved condition dependency {reference.target} in Fn::If")
            elif reference.function == "Fn::GetAtt" and reference.target not in resources:
                raise refused(
                    f"Template error: instance of Fn::GetAtt references undefined resource {reference.target}"
                )
            elif reference.function in ("Ref", "Fn::Sub") and reference.target not in known:
                unresolved.append(reference.target)
        if block == "Resources":
            unresolved += [name for name in depends_on(member) if name not in resources]
    if unresolved:
        raise unresolved_in(unresolved, block)


def unresolved_in(names: list[str], block: str) -> Exception:
    listed = ", ".join(dict.fromkeys(names))
    return refused(
        f"Template format error: Unresolved resource dependencies [{listed}] in the {block} block of the template"
    )


def left_out(name: str, block: str) -> Exception:
    """A reference to a resource whose condition does not hold."""
    return refused(f"Unresolved resource dependencies [{name}] in the {block} block of the template")


# --- circles


def in_circle(edges: Mapping[str, set[str]]) -> list[str]:
    """Those that are part of a circle, without what only waits for one."""
    left = dict(edges)
    while True:
        needed = set().union(*left.values()) if left else set()
        outside = [name for name in left if name not in needed]
        if not outside:
            return list(left)
        for name in outside:
            del left[name]
