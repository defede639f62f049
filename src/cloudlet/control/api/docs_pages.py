"""`/openapi.json`, and the page `/docs/api` that people read."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get
from litestar.response import Template

from cloudlet.control.api.examples import BODIES
from cloudlet.control.api.openapi import document, refusals_of, tag_of
from cloudlet.control.api.operation import PREFIX, Operation
from cloudlet.control.api.routes import OPERATIONS
from cloudlet.control.given import ThePlatform
from cloudlet.control.pages import page
from cloudlet.control.permissions import LEVELS, PUBLIC, requires


class OperationView(msgspec.Struct, frozen=True, kw_only=True):
    """One operation. `body` is an example as JSON, "" without one; `codes` are its own refusals."""

    anchor: str
    method: str
    path: str
    summary: str
    details: str
    permission: str
    people_only: bool
    is_public: bool
    once: bool
    match: str
    fields: tuple[tuple[str, bool], ...]
    parameters: tuple[str, ...]
    body: str
    codes: tuple[str, ...]


@get("/openapi.json", opt=requires(PUBLIC), sync_to_thread=False)
def get_openapi(platform: ThePlatform) -> Response[bytes]:
    """The OpenAPI 3.1 document of `/api/v1`."""
    made = document(OPERATIONS, platform.settings.base_url)
    return Response(msgspec.json.encode(made), media_type="application/json")


@get("/docs/api", opt=requires(PUBLIC), sync_to_thread=False)
def show_api_docs(platform: ThePlatform) -> Template:
    groups: dict[str, list[OperationView]] = {}
    for entry in OPERATIONS:
        groups.setdefault(tag_of(entry), []).append(operation_view(entry))
    return page("docs_api.html", groups=groups, wire=platform.settings.base_url + PREFIX)


def operation_view(entry: Operation) -> OperationView:
    fields = () if entry.body is None else msgspec.structs.fields(entry.body)
    query = () if entry.query is None else msgspec.structs.fields(entry.query)
    example: Any = BODIES.get(entry.name)
    return OperationView(
        anchor=entry.name.replace("_", "-"),
        method=entry.method,
        path=PREFIX + entry.path,
        summary=entry.summary,
        details=entry.details,
        permission="" if entry.requires in LEVELS else entry.requires,
        people_only=entry.people_only,
        is_public=entry.requires == PUBLIC,
        once=entry.once,
        match=entry.match,
        fields=tuple((field.name, field.required) for field in fields),
        parameters=tuple(field.name for field in query),
        body=msgspec.json.encode(example).decode() if example else "",
        codes=tuple(refusal.code for refusal in refusals_of(entry) if refusal in entry.refuses),
    )


ROUTES = (
    get_openapi,
    show_api_docs,
)
