"""Our OpenAPI document and that of LocalStack's API, and whether an answer is as one of them says."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import jsonschema
import yaml

from cloudlet import __version__
from cloudlet.emulator.gateway.internal.document import document

SPECIFICATION = Path(__file__).resolve().parents[4].parent / "shared" / "spec" / "localstack-openapi.yml"
METHODS = frozenset({"get", "head", "post", "put", "patch", "delete"})
Operation = tuple[str, str]  # method, and path with `{}` for each parameter


@cache
def ours() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(document(__version__))
    return read


@cache
def theirs() -> dict[str, Any]:
    """Empty where it is not beside this checkout."""
    if not SPECIFICATION.is_file():
        return {"paths": {}}
    read: dict[str, Any] = yaml.safe_load(SPECIFICATION.read_text())
    return read


def plain(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def operations(read: dict[str, Any]) -> list[Operation]:
    return sorted(
        (method.upper(), plain(path)) for path, item in read["paths"].items() for method in METHODS & set(item)
    )


def check(answer: httpx.Response, read: dict[str, Any], operation: Operation) -> None:
    """Status, content type and body are what the document promises."""
    responses = {str(status): resolved(read, one) for status, one in described(read, operation)["responses"].items()}
    status = str(answer.status_code)
    assert status in responses, f"{status} is not in the document: {answer.text[:300]}"
    content = responses[status].get("content")
    if not content:
        if read is theirs():  # which leaves bodies out that its clients do not read
            return
        assert not answer.content, f"the document has no body for {status}: {answer.text[:300]}"
        return
    if not answer.content:
        assert status == "404" or operation[0] == "HEAD" or all(not kind for kind in content.values()), "no body"
        return
    kind = answer.headers["content-type"].partition(";")[0]
    assert kind in content, f"{kind} is not one of {', '.join(content)}"
    schema = content[kind].get("schema")
    for value in values(answer, kind) if schema else ():
        jsonschema.validate(value, {**schema, "components": read.get("components", {})})


def described(read: dict[str, Any], operation: Operation) -> dict[str, Any]:
    method, path = operation
    (item,) = [item for candidate, item in read["paths"].items() if plain(candidate) == path]
    found: dict[str, Any] = item[method.lower()]
    return found


def resolved(read: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in value:
        return value
    found = read
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def values(answer: httpx.Response, kind: str) -> list[Any]:
    """What the schema is about: a line's value for each line, the value, or the text."""
    if kind == "application/x-ndjson":
        return [json.loads(line) for line in answer.content.splitlines()]
    if kind.endswith("xml"):
        ElementTree.fromstring(answer.content)
        return []  # the schemas are about JSON
    return [answer.json() if "json" in kind else answer.text]
