"""`/_localstack/swagger`: the OpenAPI document as a page, made here: it needs no network and runs no scripts."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.gateway.internal.document import FOLDER, document
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

METHODS = ("get", "head", "post", "put", "patch", "delete")
HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
)
INDENT = "  "
DEEPEST = 6


def get_page(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """Every endpoint by area, with its parameters, bodies and answers."""
    yaml: Any = importlib.import_module("yaml")  # lazy: for this page alone
    jinja: Any = importlib.import_module("jinja2")  # lazy: for this page alone
    read = yaml.safe_load(document(emulator.version))
    template = jinja.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        (FOLDER / "page.html").read_text(encoding="utf-8")
    )
    address = f"{request.scheme}://{request.headers.get('host') or emulator.settings.localstack_host}"
    page: str = template.render(
        info=read["info"],
        areas=[(tag, list(operations(read, tag["name"], address))) for tag in read["tags"]],
        style=(FOLDER / "page.css").read_text(encoding="utf-8"),
    )
    return HttpResponse(200, dict(HEADERS), page.encode())


def operations(read: dict[str, Any], area: str, address: str) -> Iterator[dict[str, Any]]:
    """What the page shows of each operation of an area, in the document's order."""
    for path, item in read["paths"].items():
        for method in METHODS:
            operation = item.get(method)
            if operation is not None and area in operation["tags"]:
                parameters = [
                    resolved(read, one) for one in (*item.get("parameters", ()), *operation.get("parameters", ()))
                ]
                bodies = operation.get("requestBody", {}).get("content", {})
                yield {
                    "id": f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
                    "method": method.upper(),
                    "path": path,
                    "summary": operation.get("summary", ""),
                    "parameters": [(one, brief(read, one.get("schema", {}))) for one in parameters],
                    "bodies": [(kind, outline(read, body.get("schema", {}))) for kind, body in bodies.items()],
                    "answers": [answer(read, status, one) for status, one in operation["responses"].items()],
                    "example": example(read, method.upper(), f"{address}{path}", bodies),
                }


def answer(read: dict[str, Any], status: str, response: dict[str, Any]) -> dict[str, Any]:
    found = resolved(read, response)
    contents = [(kind, outline(read, body.get("schema", {}))) for kind, body in found.get("content", {}).items()]
    return {"status": status, "description": found["description"], "contents": contents}


def example(read: dict[str, Any], method: str, address: str, bodies: dict[str, Any]) -> str:
    """A command that asks the emulator for it."""
    words = ["curl"] if method == "GET" else ["curl -I"] if method == "HEAD" else [f"curl -X {method}"]
    words.append(f"'{address}'")
    if "application/json" in bodies:
        body = sample(read, bodies["application/json"].get("schema", {}))
        if body not in ({}, None):
            words.append(f"-d '{json.dumps(body)}'")
    return " ".join(words)


def sample(read: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """The smallest value that makes sense: what is required, or all of it where nothing is."""
    schema = resolved(read, schema)
    for chosen in ("const", "default"):
        if chosen in schema:
            return schema[chosen]
    if "examples" in schema or "enum" in schema:
        return (schema.get("examples") or schema["enum"])[0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" and depth < DEEPEST:
        wanted = schema.get("required") or schema.get("properties", {})
        return {name: sample(read, schema["properties"][name], depth + 1) for name in wanted}
    if kind == "array" and depth < DEEPEST:
        return [sample(read, schema.get("items", {}), depth + 1)]
    return {"string": "text", "integer": 1, "number": 1, "boolean": True, "object": {}, "array": []}.get(str(kind))


def outline(read: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> str:
    """A schema as people write values down: members, their kinds, `?` where they may be missing."""
    schema = resolved(read, schema)
    if depth < DEEPEST and schema.get("properties"):
        required = schema.get("required", ())
        lines = [
            f"{INDENT * (depth + 1)}{name}{'' if name in required else '?'}: {outline(read, inner, depth + 1)}"
            for name, inner in schema["properties"].items()
        ]
        return "{\n" + "\n".join(lines) + f"\n{INDENT * depth}}}"
    if depth < DEEPEST and schema.get("type") == "array":
        return f"[{outline(read, schema.get('items', {}), depth)}]"
    extra = schema.get("additionalProperties")
    if depth < DEEPEST and isinstance(extra, dict):
        return f"{{\n{INDENT * (depth + 1)}…: {outline(read, extra, depth + 1)}\n{INDENT * depth}}}"
    return brief(read, schema)


def brief(read: dict[str, Any], schema: dict[str, Any]) -> str:
    """A schema in a word or two; "" where it says nothing."""
    schema = resolved(read, schema)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    kind = schema.get("type", "")
    words = " | ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{words}, {schema['minimum']} to {schema['maximum']}" if {"minimum", "maximum"} <= set(schema) else words


def resolved(read: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """What a `$ref` stands for."""
    if "$ref" not in value:
        return value
    found: Any = read
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return resolved(read, found)
