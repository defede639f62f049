"""What a target gets: a fixed text, a part of the event, or a text made from parts of it.

    text = target_text(target, event, about)

Sources: "Amazon EventBridge input transformation" and its page of examples; recorded answers of PutTargets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import orjson

PLACEHOLDER = re.compile(r"<([^<>\s]+)>")
STEP = re.compile(r"\.([\w$-]+)|\[(\d+|\*)\]|\[['\"]([^'\"]+)['\"]\]")
PATH = re.compile(r"\$(?:\.[\w$-]+|\[(?:\d+|\*)\]|\[['\"][^'\"]+['\"]\])*\.?")
MISSING = object()
RESERVED = frozenset(
    {
        "aws.events.rule-arn",
        "aws.events.rule-name",
        "aws.events.event",
        "aws.events.event.json",
        "aws.events.event.ingestion-time",
    }
)


class About(msgspec.Struct, frozen=True):
    """What a template may name beside the event."""

    rule_arn: str = ""
    rule_name: str = ""
    ingestion_time: str = ""


def target_text(target: Mapping[str, Any], event: Mapping[str, Any], about: About) -> str:
    """The text that a rule's target gets."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        found = look_up(event, target["InputPath"])
        return compact(None if found is MISSING else found)
    transformer = target.get("InputTransformer")
    if transformer is not None:
        return transform(transformer["InputTemplate"], transformer.get("InputPathsMap", {}), event, about)
    return compact(event)


def compact(value: Any) -> str:
    """JSON without blanks; bytes as the text that they are."""
    return orjson.dumps(value, default=bytes.decode).decode()


def is_path(text: str) -> bool:
    return PATH.fullmatch(text) is not None


def look_up(value: Any, path: str) -> Any:
    """What a JSON path (`$.detail.items[0]['a b']`) leads to, or MISSING. With `[*]` a list of all."""
    steps = [(name or quoted, index) for name, index, quoted in STEP.findall(path.removeprefix("$"))]
    return follow(value, steps)


def follow(value: Any, steps: list[tuple[str, str]]) -> Any:
    for at, (name, index) in enumerate(steps):
        if index == "*":
            found = [follow(each, steps[at + 1 :]) for each in value] if isinstance(value, list) else []
            return [each for each in found if each is not MISSING]
        if index:
            if not isinstance(value, list) or int(index) >= len(value):
                return MISSING
            value = value[int(index)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            return MISSING
    return value


def transform(template: str, paths: Mapping[str, str], event: Mapping[str, Any], about: About) -> str:
    """The template with its placeholders filled.

    A value inside quotation marks is written as text, one outside as JSON.
    """
    values = reserved_values(event, about)
    values |= {name: look_up(event, path) for name, path in paths.items()}
    return fill(template, lambda name: values.get(name, MISSING))


def fill(template: str, value_of: Callable[[str], Any]) -> str:
    """The template with each `<name>` replaced by its value, or nothing where it is MISSING."""
    pieces = []
    end = 0
    for found in PLACEHOLDER.finditer(template):
        pieces.append(template[end : found.start()])
        end = found.end()
        value = value_of(found[1])
        quoted = is_quoted(template, found.start())
        pieces.append(as_text(value) if quoted else compact("" if value is MISSING else value))
    return "".join((*pieces, template[end:]))


def reserved_values(event: Mapping[str, Any], about: About) -> dict[str, Any]:
    return {
        "aws.events.rule-arn": about.rule_arn,
        "aws.events.rule-name": about.rule_name,
        "aws.events.event.ingestion-time": about.ingestion_time,
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
    }


def is_quoted(template: str, at: int) -> bool:
    """Whether a place is inside quotation marks, or the template is no JSON at all."""
    inside = False
    place = 0
    while place < at:
        if template[place] == "\\":
            place += 1
        elif template[place] == '"':
            inside = not inside
        place += 1
    return inside or template.lstrip()[:1] not in ('"', "{", "[", "<")


def as_text(value: Any) -> str:
    """A value inside a text: lists and objects lose their quotation marks, as on AWS."""
    if value is MISSING or value is None:
        return ""
    if isinstance(value, str):
        return compact(value)[1:-1]
    return compact(value).replace('"', "")


def placeholders(template: str) -> set[str]:
    return set(PLACEHOLDER.findall(template))
