"""Writing to the audit log."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from cloudlet.control.audit.origin import CURRENT, NOBODY
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.platform import Platform
from cloudlet.control.webhooks.events import announce, event_of
from cloudlet.control.workspaces.service import lock_workspace
from cloudlet.license.canonical import canonical_json

GENESIS = "0" * 64
CHUNK = 500


def record(
    session: Session,
    platform: Platform,
    workspace_id: str,
    *,
    actor: str,
    action: str,
    target: str = "",
    ip: str = "",
    user_agent: str = "",
    data: dict[str, Any] | None = None,
) -> AuditEntry:
    """Append an entry in the caller's transaction. `data` must hold no secret; address and client are the request's.

    The workspace's row is locked meanwhile, so that the chain has one end. Webhooks are told of it when this commits.
    """
    origin = CURRENT.get() or NOBODY
    lock_workspace(session, workspace_id)
    last = session.execute(
        select(AuditEntry.seq, AuditEntry.hash)
        .where(AuditEntry.workspace_id == workspace_id)
        .order_by(AuditEntry.seq.desc())
        .limit(1)
    ).one_or_none()
    entry = AuditEntry(
        id=platform.new_id("aud"),
        workspace_id=workspace_id,
        seq=(last.seq if last else 0) + 1,
        actor=actor,
        action=action,
        target=target,
        ip=(ip or origin.ip)[:45],
        user_agent=(user_agent or origin.user_agent)[:300],
        at=platform.now(),
        data=data or {},
        prev_hash=last.hash if last else GENESIS,
    )
    entry.hash = chain_hash(entry)
    session.add(entry)
    session.flush()
    event = event_of(action)
    if event:
        announce(
            session,
            platform,
            workspace_id,
            event,
            subject=target,
            actor=actor,
            at=entry.at,
            data=entry.data,
        )
    return entry


def chain_hash(entry: AuditEntry) -> str:
    """SHA-256 over the entry and the hash before it."""
    content = {
        "workspace": entry.workspace_id,
        "seq": entry.seq,
        "actor": entry.actor,
        "action": entry.action,
        "target": entry.target,
        "ip": entry.ip,
        "agent": entry.user_agent,
        "at": entry.at.isoformat(),
        "data": entry.data,
        "prev": entry.prev_hash,
    }
    return hashlib.sha256(canonical_json(content)).hexdigest()


def entries_in_order(session: Session, workspace_id: str) -> Iterator[AuditEntry]:
    """All entries, oldest first, read a few hundred at a time."""
    after = -1
    while True:
        chunk = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.workspace_id == workspace_id, AuditEntry.seq > after)
            .order_by(AuditEntry.seq)
            .limit(CHUNK)
        ).all()
        yield from chunk
        if len(chunk) < CHUNK:
            return
        after = chunk[-1].seq


class ChainReport(msgspec.Struct, frozen=True):
    """`broken` is the number of the first entry that does not fit, None when all do. `head` is the last one's hash.

    Entries that were cut off at the end leave no gap: compare `entries` and `head` with what was noted before.
    """

    entries: int
    head: str
    broken: int | None


def check_chain(session: Session, workspace_id: str) -> ChainReport:
    """Compute each entry's hash again, oldest first, in constant memory."""
    previous, expected = GENESIS, 1
    for entry in entries_in_order(session, workspace_id):
        if entry.seq != expected or entry.prev_hash != previous or entry.hash != chain_hash(entry):
            return ChainReport(expected - 1, previous, entry.seq)
        previous, expected = entry.hash, expected + 1
    return ChainReport(expected - 1, previous, None)


def first_broken(session: Session, workspace_id: str) -> int | None:
    """The `seq` of the first entry that does not fit the chain; None when all is well."""
    return check_chain(session, workspace_id).broken
