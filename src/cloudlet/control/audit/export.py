"""The audit log as a file: all entries, oldest first, in constant memory.

JSON has every field that a hash is made of, so that whoever has the file can verify the chain without us. CSV is for
spreadsheets, which run a cell that looks like a formula: such a cell gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloudlet.control.audit.forms import AuditFilter
from cloudlet.control.audit.service import CHUNK, record
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.audit.views import conditions, views_of
from cloudlet.control.db import Database
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
COLUMNS = (
    *("seq", "at", "actor", "who", "action", "what", "target"),
    *("ip", "user_agent", "data", "prev_hash", "hash"),
)


def note(session: Session, platform: Platform, viewer: Viewer, wanted: AuditFilter, form: str, *, ip: str) -> None:
    """That somebody takes the log with them is itself written down."""
    record(
        session,
        platform,
        viewer.workspace_id,
        actor=viewer.actor,
        action="audit.exported",
        ip=ip,
        data={"format": form, **{name: value for name, value in wanted.fields().items() if value}},
    )


def rows(database: Database, workspace_id: str, wanted: AuditFilter) -> Iterator[list[dict[str, Any]]]:
    """Entries as dicts, a few hundred at a time, each time in a short transaction of its own."""
    after = 0
    while True:
        with database.snapshot() as session:
            entries = session.scalars(
                select(AuditEntry)
                .where(*conditions(workspace_id, wanted), AuditEntry.seq > after)
                .order_by(AuditEntry.seq)
                .limit(CHUNK)
            ).all()
            views = views_of(session, workspace_id, entries)
        if entries:
            yield [row(entry, view.who, view.what) for entry, view in zip(entries, views, strict=True)]
            after = entries[-1].seq
        if len(entries) < CHUNK:
            return


def row(entry: AuditEntry, who: str, what: str) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "who": who,
        "action": entry.action,
        "what": what,
        "target": entry.target,
        "ip": entry.ip,
        "user_agent": entry.user_agent,
        "data": entry.data,
        "prev_hash": entry.prev_hash,
        "hash": entry.hash,
    }


def as_json(database: Database, workspace_id: str, wanted: AuditFilter) -> Iterator[bytes]:
    """`{"workspace": …, "entries": […]}`."""
    yield f'{{"workspace":{json.dumps(workspace_id)},"entries":['.encode()
    separator = ""
    for chunk in rows(database, workspace_id, wanted):
        lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in chunk)
        yield (separator + lines).encode()
        separator = ",\n"
    yield b"]}\n"


def as_csv(database: Database, workspace_id: str, wanted: AuditFilter) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, as spreadsheets want it; CRLF, as RFC 4180 does."""
    yield "\ufeff".encode() + csv_lines([COLUMNS])
    for chunk in rows(database, workspace_id, wanted):
        yield csv_lines([tuple(cell(entry[name]) for name in COLUMNS) for entry in chunk])


def cell(value: Any) -> str:
    """What a spreadsheet shows and does not run."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def csv_lines(lines: list[tuple[str, ...]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(lines)
    return buffer.getvalue().encode()


Writer = Callable[[Database, str, AuditFilter], Iterator[bytes]]
