"""The OpenAPI 3.1 document, made from the operations themselves.

Not Litestar's generator: it knows neither the operations' transactions, permissions and refusals, nor our problem bodies,
and serves its document past the application's guard. The schemas are msgspec's, so they are what is really decoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import msgspec

from cloudlet import __version__
from cloudlet.control.api import errors
from cloudlet.control.api.errors import Invalid
from cloudlet.control.api.examples import ANSWERS, BODIES
from cloudlet.control.api.operation import PREFIX, Document, Operation
from cloudlet.control.errors import Forbidden, NotFound, NotSignedIn, Refusal
from cloudlet.control.limits.errors import KeyReused, RateLimited
from cloudlet.control.permissions import LEVELS, PUBLIC

PROBLEM = "application/problem+json"
REF = "#/components/schemas/{name}"
INTRODUCTION = (
    "Everything that the web application does, for programs. Each answer that is a refusal is a problem (RFC 9457) "
    "with a stable `code`. Lists go on with `next_cursor`. POST requests that create or charge may carry an "
    "`Idempotency-Key`. Ids of other workspaces do not exist (404)."
)


TITLES: Mapping[str, str] = MappingProxyType(
    {
        "ci_keys": "CI keys and credits",
        "api_keys": "Legacy API keys",
        "api_tokens": "API tokens",
        "activations": "Activations and machines",
        "devices": "Device tokens",
        "offline_files": "License files",
        "audit": "Audit log",
        "sso": "Single sign-on",
        "users": "Oneself",
    }
)


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal. `code` (and `message`, which is the same) is stable and for programs, `hint` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    error: bool
    code: str
    message: str
    hint: str
    docs: str
    request_id: str
    errors: tuple[Invalid, ...] = ()


def document(operations: Iterable[Operation], base_url: str) -> dict[str, Any]:
    """A JSON document."""
    found = tuple(operations)
    types = [kind for entry in found for kind in (entry.body, entry.answer) if kind not in {None, Document}]
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=REF)
    known = dict(zip(map(id, types), schemas, strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for entry in found:
        paths.setdefault(PREFIX + entry.path, {})[entry.method.lower()] = operation_object(entry, known)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Cloudlet control plane",
            "version": __version__,
            "summary": "Workspaces, members, licenses, tokens",
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base_url}],
        "tags": [{"name": tag} for tag in dict.fromkeys(tag_of(entry) for entry in found)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "apiToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "lsadm_…",
                    "description": "An API token.",
                },
                "session": {"type": "apiKey", "in": "cookie", "name": "cloudlet_session"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
            },
        },
    }


def tag_of(entry: Operation) -> str:
    return TITLES.get(entry.tag, entry.tag.replace("_", " ").capitalize())


def operation_object(entry: Operation, known: Mapping[int, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": entry.name,
        "summary": entry.summary.rstrip("."),
        "description": description_of(entry),
        "tags": [tag_of(entry)],
        "parameters": parameters_of(entry),
        "responses": responses_of(entry, known),
        "security": security_of(entry),
    }
    if entry.body is not None:
        content: dict[str, Any] = {"schema": known[id(entry.body)]}
        if entry.name in BODIES:
            content["example"] = BODIES[entry.name]
        is_needed = any(field.required for field in msgspec.structs.fields(entry.body))
        made["requestBody"] = {"required": is_needed, "content": {"application/json": content}}
    return made


def description_of(entry: Operation) -> str:
    needs = "" if entry.requires in LEVELS else f"Needs the permission `{entry.requires}`."
    people = "Not with an API token." if entry.people_only else ""
    return " ".join(part for part in (entry.summary, entry.details, needs, people) if part)


def security_of(entry: Operation) -> list[dict[str, list[str]]]:
    if entry.requires == PUBLIC:
        return []
    session: dict[str, list[str]] = {"session": []} if entry.method == "GET" else {"session": [], "csrf": []}
    return [session] if entry.people_only else [{"apiToken": []}, session]


def parameters_of(entry: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in entry.ids
    ]
    if entry.query is not None:
        schema, components = msgspec.json.schema_components([entry.query], ref_template="{name}")
        shape = components[schema[0]["$ref"]]
        found += [
            {"name": name, "in": "query", "required": False, "schema": field}
            for name, field in shape["properties"].items()
        ]
    if entry.match:
        found.append(header("If-Match", "The ETag of what was read, or `*`.", is_needed=False))
    if entry.once:
        text = "The same key gets the same answer for a day; a new one for each new request."
        found.append(header("Idempotency-Key", text, is_needed=False))
    return found


def header(name: str, text: str, *, is_needed: bool) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": is_needed,
        "description": text,
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    }


def responses_of(entry: Operation, known: Mapping[int, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {str(entry.status): success_of(entry, known)}
    if entry.match and entry.method == "GET":
        made["304"] = {"description": "Not changed"}
    by_status: dict[int, list[type[Refusal]]] = {}
    for refusal in refusals_of(entry):
        by_status.setdefault(refusal.status, []).append(refusal)
    for status in sorted(by_status):
        made[str(status)] = problem_response(HTTPStatus(status).phrase, by_status[status])
    made["default"] = problem_response("Any other refusal", [])
    return made


def refusals_of(entry: Operation) -> tuple[type[Refusal], ...]:
    """What it may answer, as far as anybody thought of it; the most general first."""
    found: list[type[Refusal]] = [errors.QueryInvalid, RateLimited]
    if entry.requires != PUBLIC:
        found += [NotSignedIn, errors.TokenInvalid, Forbidden]
        found += [errors.CsrfMissing] if entry.method != "GET" else []
    if entry.ids:
        found.append(NotFound)
    if entry.body is not None:
        found += [errors.BodySyntax, errors.BodyType, errors.BodyInvalid]
    if entry.people_only:
        found.append(errors.PeopleOnly)
    if entry.match:
        found.append(errors.MatchFailed)
    if entry.match == "needed":
        found.append(errors.MatchNeeded)
    if entry.once:
        found.append(KeyReused)
    return tuple(dict.fromkeys([*found, *entry.refuses]))


def success_of(entry: Operation, known: Mapping[int, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"description": HTTPStatus(entry.status).phrase}
    if entry.answer is Document:
        made["content"] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
    elif entry.answer is not None:
        content: dict[str, Any] = {"schema": known[id(entry.answer)]}
        if entry.name in ANSWERS:
            content["example"] = ANSWERS[entry.name]
        made["content"] = {"application/json": content}
    return made


def problem_response(text: str, refusals: list[type[Refusal]]) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": REF.format(name="Problem")}}
    if refusals:
        content["examples"] = {refusal.code: {"value": example_of(refusal)} for refusal in refusals}
    return {"description": text, "content": {PROBLEM: content}}


def example_of(refusal: type[Refusal]) -> dict[str, Any]:
    return {
        "type": f"https://cloudlet.example/docs/errors#{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.title,
        "error": True,
        "code": refusal.code,
        "message": refusal.code,
        "hint": refusal.hint,
        "docs": f"https://cloudlet.example/docs/errors#{refusal.code}",
        "request_id": "req_01jdabcdefghjkmnpqrstvwxyz",
    }
