"""Values of CloudFormation's properties as the APIs want them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def document(value: Any) -> str:
    """A policy as the API wants it."""
    return value if isinstance(value, str) else json.dumps(value)


def text(value: Any) -> str:
    """A property as a string attribute: booleans in lower case, objects as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def tags(properties: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"Key": tag["Key"], "Value": str(tag["Value"])} for tag in properties.get("Tags", ())]


def typed(value: Any) -> Any:
    """Numbers and booleans of a template, which may be strings there, as the API wants them."""
    if isinstance(value, dict):
        return {name: typed(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [typed(inner) for inner in value]
    if isinstance(value, str):
        if value.lower() in ("true", "false"):
            return value.lower() == "true"
        return int(value) if value.isdigit() else value
    return value
