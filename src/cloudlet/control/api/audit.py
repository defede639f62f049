"""The audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import select

from cloudlet.control.api.operation import Call, Document, Page, PageQuery, Query, operation, page_of, read_cursor
from cloudlet.control.audit import export
from cloudlet.control.audit.forms import AuditFilter, read_filter
from cloudlet.control.audit.service import check_chain
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.audit.views import conditions

AUDIT = "/workspaces/{workspace_id}/audit"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """`hash` is that of this entry and `prev_hash`: SHA-256 of its canonical JSON, as the documentation has it."""

    seq: int
    at: datetime
    actor: str
    action: str
    target: str
    ip: str
    user_agent: str
    data: dict[str, Any]
    prev_hash: str
    hash: str


class EntryQuery(PageQuery, frozen=True, kw_only=True):
    """`action`: one, or a noun with `.*`; `since` and `until`: days such as 2026-11-24, both included."""

    action: str = ""
    actor: str = ""
    since: str = ""
    until: str = ""


class ExportQuery(Query, frozen=True, kw_only=True):
    """As in the list."""

    format: Literal["csv", "json"] = "csv"
    action: str = ""
    actor: str = ""
    since: str = ""
    until: str = ""


class Verification(msgspec.Struct, frozen=True):
    """`broken_at` is the number of the first entry that does not fit, null when all do; `head` the last one's hash."""

    is_intact: bool
    entries: int
    head: str
    broken_at: int | None


@operation("GET", AUDIT, "audit.read")
def list_entries(call: Call, query: EntryQuery) -> Page[Entry]:
    """Entries, newest first."""
    statement = select(AuditEntry).where(*conditions(call.viewer.workspace_id, filter_of(query)))
    last = read_cursor("audit", query.cursor, int)
    if last is not None:
        statement = statement.where(AuditEntry.seq < last)
    rows = list(call.session.scalars(statement.order_by(AuditEntry.seq.desc()).limit(query.limit + 1)))
    return page_of("audit", rows, query.limit, shape, lambda row: row.seq)


@operation("GET", AUDIT + "/export", "audit.read")
def export_entries(call: Call, query: ExportQuery) -> Document:
    """The whole log, oldest first, as CSV or JSON. That somebody took it is itself an entry, the last one."""
    wanted = filter_of(query)
    with call.database.transaction() as session:
        export.note(session, call.platform, call.viewer, wanted, query.format, ip=call.ip)
    write = export.as_csv if query.format == "csv" else export.as_json
    kind = "text/csv; charset=utf-8" if query.format == "csv" else "application/json"
    return Document(write(call.database, call.viewer.workspace_id, wanted), kind, f"audit.{query.format}")


@operation("GET", AUDIT + "/verify", "audit.read")
def verify_chain(call: Call) -> Verification:
    """Compute the chain of hashes again."""
    report = check_chain(call.session, call.viewer.workspace_id)
    return Verification(report.broken is None, report.entries, report.head, report.broken)


def filter_of(query: EntryQuery | ExportQuery) -> AuditFilter:
    """Raises InvalidForm."""
    return read_filter({name: getattr(query, name) for name in ("action", "actor", "since", "until")})


def shape(row: AuditEntry) -> Entry:
    return Entry(**{name: getattr(row, name) for name in Entry.__struct_fields__})


OPERATIONS = (
    list_entries,
    export_entries,
    verify_chain,
)
