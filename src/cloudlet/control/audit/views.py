"""How the audit log looks on its page."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from cloudlet.control.audit.forms import AuditFilter
from cloudlet.control.audit.names import actor_name, bare, name_all
from cloudlet.control.audit.sentences import noun_of, sentence
from cloudlet.control.audit.tables import AuditEntry

PAGE_SIZE = 50
MOST_CHOICES = 300
LARGEST_SEQ = 2**31 - 1  # as the column holds; people can write anything into an address


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """One entry: who, what (a sentence that begins with a verb), when, from where; `details` as (name, value)."""

    seq: int
    who: str
    what: str
    action: str
    at: datetime
    ip: str
    agent: str
    target: str
    details: tuple[tuple[str, str], ...]
    hash: str


class EntryList(msgspec.Struct, frozen=True):
    """`older` is the cursor of the next page, None on the last one."""

    entries: tuple[EntryView, ...]
    older: int | None


class Choices(msgspec.Struct, frozen=True):
    """What there is to look for: actions by noun, and people."""

    actions: tuple[tuple[str, tuple[str, ...]], ...]
    actors: tuple[tuple[str, str], ...]


def conditions(workspace_id: str, wanted: AuditFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [AuditEntry.workspace_id == workspace_id]
    if wanted.action.endswith(".*"):
        found.append(AuditEntry.action.startswith(wanted.action[:-1], autoescape=True))
    elif wanted.action:
        found.append(AuditEntry.action == wanted.action)
    if wanted.actor:
        found.append(AuditEntry.actor == wanted.actor)
    if wanted.since:
        found.append(AuditEntry.at >= wanted.since)
    if wanted.before:
        found.append(AuditEntry.at < wanted.before)
    return found


def list_entries(
    session: Session, workspace_id: str, wanted: AuditFilter, *, before: int | None = None, size: int = PAGE_SIZE
) -> EntryList:
    """Newest first; `before` is the cursor that the page before gave."""
    query = select(AuditEntry).where(*conditions(workspace_id, wanted))
    if before is not None:
        query = query.where(AuditEntry.seq < min(max(before, 0), LARGEST_SEQ))
    rows = session.scalars(query.order_by(AuditEntry.seq.desc()).limit(size + 1)).all()
    shown = rows[:size]
    return EntryList(views_of(session, workspace_id, shown), shown[-1].seq if len(rows) > size else None)


def views_of(session: Session, workspace_id: str, entries: Iterable[AuditEntry]) -> tuple[EntryView, ...]:
    found = list(entries)
    names = name_all(session, workspace_id, (text for entry in found for text in mentioned(entry)))
    return tuple(entry_view(entry, names) for entry in found)


def mentioned(entry: AuditEntry) -> Iterable[str]:
    """All that may be an id."""
    yield bare(entry.actor)
    yield entry.target
    yield from (value for value in entry.data.values() if isinstance(value, str))


def entry_view(entry: AuditEntry, names: dict[str, str]) -> EntryView:
    target = names.get(entry.target) or str(entry.data.get("name") or entry.target)
    values = {name: shown_value(value, names) for name, value in entry.data.items()}
    return EntryView(
        seq=entry.seq,
        who=actor_name(entry.actor, names),
        what=sentence(entry.action, target, values),
        action=entry.action,
        at=entry.at,
        ip=entry.ip,
        agent=entry.user_agent,
        target=entry.target,
        details=tuple((name.replace("_", " "), values[name]) for name in sorted(values)),
        hash=entry.hash,
    )


def shown_value(value: Any, names: dict[str, str]) -> str:
    if isinstance(value, str):
        return names.get(value, value)
    return json.dumps(value, ensure_ascii=False)


def choices_of(session: Session, workspace_id: str) -> Choices:
    """The actions and people that this workspace's log knows."""
    present = distinct(session, workspace_id, AuditEntry.action)
    actors = distinct(session, workspace_id, AuditEntry.actor)
    names = name_all(session, workspace_id, map(bare, actors))
    groups: dict[str, list[str]] = {}
    for action in sorted(present, key=lambda action: (noun_of(action), action)):
        groups.setdefault(noun_of(action), []).append(action)
    people = sorted(((actor, actor_name(actor, names)) for actor in actors), key=lambda pair: pair[1].lower())
    return Choices(tuple((noun, tuple(actions)) for noun, actions in groups.items()), tuple(people))


def distinct(session: Session, workspace_id: str, column: InstrumentedAttribute[str]) -> list[str]:
    """The values of a column, MOST_CHOICES at most, in their order: one step in its index for each, however long the log."""
    own = AuditEntry.workspace_id == workspace_id
    seen = select(func.min(column).label("value")).where(own).cte("seen", recursive=True)
    following = select(func.min(column)).where(own, column > seen.c.value).correlate(seen).scalar_subquery()
    seen = seen.union_all(select(following).where(seen.c.value.is_not(None)))
    return list(session.scalars(select(seen.c.value).where(seen.c.value.is_not(None)).limit(MOST_CHOICES)))
