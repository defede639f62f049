"""The few expressions of mapping templates that mock integrations are made of; others stay as they are.

$context.requestId   $input.body   $input.json('$.a')   $input.params('name')   $stageVariables.name
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

EXPRESSION = re.compile(
    r"\$input\.json\('(?P<json>[^']*)'\)|\$input\.params\('(?P<param>[^']*)'\)|(?P<body>\$input\.body)"
    r"|\$\{?context\.(?P<context>[\w.]+)\}?|\$\{?stageVariables\.(?P<variable>\w+)\}?"
)


def render(
    template: str, body: str, parameters: Mapping[str, str], context: Mapping[str, Any], stage: Mapping[str, str]
) -> str:
    def value(found: re.Match[str]) -> str:
        if found["json"] is not None:
            return part(body, found["json"])
        if found["param"] is not None:
            return parameters.get(found["param"], "")
        if found["body"] is not None:
            return body
        if found["context"] is not None:
            inner: Any = context
            for name in found["context"].split("."):
                inner = inner.get(name, "") if isinstance(inner, dict) else ""
            return str(inner)
        return stage.get(found["variable"], "")

    return EXPRESSION.sub(value, template)


def part(body: str, path: str) -> str:
    """A part of a JSON text, as JSON."""
    try:
        value: Any = json.loads(body or "{}")
    except ValueError:
        return "{}"
    for name in path.removeprefix("$").strip(".").split("."):
        if name:
            value = value.get(name) if isinstance(value, dict) else None
    return json.dumps(value)


def status_of(rendered: str) -> int:
    """What a mock's request template says: `{"statusCode": 200}`."""
    found = re.search(r'"?statusCode"?\s*:\s*"?(\d{3})', rendered)
    return int(found[1]) if found else 500
