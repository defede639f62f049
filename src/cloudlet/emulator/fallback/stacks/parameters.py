"""Parameters of a template: which values they have, and whether they may.

    values(template, given, before, reach)   -> {"Name": Value("given", "resolved")}

Source: CloudFormation User Guide, "CloudFormation template Parameters syntax".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.template import Template, section_of
from cloudlet.emulator.kernel.errors import AwsError

Reach = Callable[[str, str, dict[str, Any]], Any]  # service, operation, request -> result
STORED = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
MASK = "****"


class Value(NamedTuple):
    """`given` is what the request said (of a stored parameter: its name), `value` what `Ref` gives."""

    given: str
    value: str | list[str]
    is_stored: bool = False
    no_echo: bool = False

    @property
    def text(self) -> str:
        return ",".join(self.value) if isinstance(self.value, list) else self.value


def values(
    template: Template, given: list[dict[str, Any]], before: Mapping[str, Value], reach: Reach
) -> dict[str, Value]:
    """The value of each parameter. `given` is the request's `Parameters`. Raises `ValidationError`."""
    declared = dict(section_of(template, "Parameters"))
    chosen: dict[str, str] = {}
    for entry in given:
        name = entry.get("ParameterKey", "")
        if entry.get("UsePreviousValue"):
            if entry.get("ParameterValue") is not None:
                raise refused(
                    f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true and non empty value for a parameter"
                )
            if name in before:
                chosen[name] = before[name].given
        elif "ParameterValue" in entry:
            chosen[name] = entry["ParameterValue"]
    unknown = [entry.get("ParameterKey", "") for entry in given if entry.get("ParameterKey") not in declared]
    if unknown:
        raise refused(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    for name, parameter in declared.items():
        if name not in chosen and "Default" in parameter:
            chosen[name] = text_of(parameter["Default"])
    missing = [name for name in declared if name not in chosen]
    if missing:
        raise refused(f"Parameters: [{', '.join(missing)}] must have values")
    return {name: value_of(name, parameter, chosen[name], reach) for name, parameter in declared.items()}


def text_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def value_of(name: str, parameter: dict[str, Any], given: str, reach: Reach) -> Value:
    kind = str(parameter["Type"])
    no_echo = text_of(parameter.get("NoEcho", False)).lower() == "true"
    stored = STORED.fullmatch(kind)
    if stored:
        check(name, parameter, given)
        found = stored_value(given, reach)
        kind = stored[1]
        return Value(given, split(found) if is_list(kind) else found, True, no_echo)
    if is_list(kind):
        parts = split(given)
        for part in parts:
            check(name, parameter, part)
            if kind == "List<Number>":
                check_number(name, part)
        return Value(given, parts, False, no_echo)
    if kind == "Number":
        check_number(name, given)
    check(name, parameter, given)
    return Value(given, given, False, no_echo)


def is_list(kind: str) -> bool:
    return kind == "CommaDelimitedList" or kind.startswith("List<")


def split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text else []


def stored_value(name: str, reach: Reach) -> str:
    try:
        found: str = reach("ssm", "GetParameter", {"Name": name, "WithDecryption": False})["Parameter"]["Value"]
    except AwsError as error:
        raise refused(f"Unable to fetch parameters [{name}] from parameter store for this account.") from error
    return found


def check_number(name: str, given: str) -> float:
    try:
        return float(given)
    except ValueError:
        raise refused(f"Parameter '{name}' must be a number.") from None


def check(name: str, parameter: dict[str, Any], given: str) -> None:
    """Raises `ValidationError` where the value breaks one of the parameter's rules."""
    problem = broken_rule(parameter, given)
    if problem is None:
        return
    description = parameter.get("ConstraintDescription")
    if description:
        raise refused(f"Parameter {name} failed to satisfy constraint: {description}")
    raise refused(f"Parameter '{name}' {problem}")


def broken_rule(parameter: dict[str, Any], given: str) -> str | None:
    allowed = parameter.get("AllowedValues")
    if allowed is not None and given not in [text_of(value) for value in allowed]:
        return "must be one of AllowedValues"
    pattern = parameter.get("AllowedPattern")
    if pattern is not None:
        try:
            matched = re.fullmatch(str(pattern), given)
        except re.error:
            return f"has an AllowedPattern that is no regular expression: {pattern}"
        if matched is None:
            return f"must match pattern {pattern}"
    if "MinLength" in parameter and len(given) < int(parameter["MinLength"]):
        return f"must contain at least {parameter['MinLength']} characters"
    if "MaxLength" in parameter and len(given) > int(parameter["MaxLength"]):
        return f"must contain at most {parameter['MaxLength']} characters"
    if parameter.get("Type") in ("Number", "List<Number>"):
        if "MinValue" in parameter and float(given) < float(parameter["MinValue"]):
            return f"must be a number not less than {parameter['MinValue']}"
        if "MaxValue" in parameter and float(given) > float(parameter["MaxValue"]):
            return f"must be a number not greater than {parameter['MaxValue']}"
    return None


def shown(values_of: Mapping[str, Value]) -> list[dict[str, str]]:
    """The `Parameters` of a stack or change set."""
    made = []
    for name, value in values_of.items():
        entry = {"ParameterKey": name, "ParameterValue": MASK if value.no_echo else value.given}
        if value.is_stored:
            entry["ResolvedValue"] = MASK if value.no_echo else value.text
        made.append(entry)
    return made
