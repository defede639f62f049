"""How CI keys look on pages and in answers: plain records without secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.ci.service import MOST_KEYS, find_key
from cloudlet.control.ci.tables import CiCharge
from cloudlet.control.credentials.service import end_of, is_living
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.tables import Workspace

ENDED_SHOWN = 20
RUNS_SHOWN = 20


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: active, overlap (replaced, good until `grace_until`), expired or ended. `runs`: credits it used, ever.

    `last_project` and `last_run_at` are of the last run that was charged; `reuse_count` counts uses after the end.
    """

    id: str
    name: str
    project: str
    shown: str
    state: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    grace_until: datetime | None
    ended_at: datetime | None
    end_reason: str
    replaced_by: str
    last_used_at: datetime | None
    last_used_machine: str
    last_used_ip: str
    last_project: str
    last_run_at: datetime | None
    runs: int
    reuse_count: int
    reused_at: datetime | None
    has_family: bool


class RunView(msgspec.Struct, frozen=True):
    """A run that was charged, and how often it started."""

    name: str
    project: str
    starts: int
    at: datetime


def key_views(session: Session, platform: Platform, workspace_id: str) -> tuple[KeyView, ...]:
    """Keys that work or expired by themselves, by name: `service.MOST_KEYS` and their overlapping ones at most."""
    rows = session.scalars(
        select(Credential)
        .where(
            Credential.workspace_id == workspace_id,
            Credential.kind == "ci",
            or_(Credential.revoked_at.is_(None), Credential.grace_until > platform.now()),
        )
        .order_by(func.lower(Credential.name), Credential.created_at.desc(), Credential.id)
        .limit(2 * MOST_KEYS)
    ).all()
    return views_of(session, platform, workspace_id, rows)


def ended_key_views(session: Session, platform: Platform, workspace_id: str) -> tuple[KeyView, ...]:
    """The last ones that were deleted or replaced; those that are still used first."""
    rows = session.scalars(
        select(Credential)
        .where(
            Credential.workspace_id == workspace_id,
            Credential.kind == "ci",
            Credential.revoked_at.is_not(None),
            or_(Credential.grace_until.is_(None), Credential.grace_until <= platform.now()),
        )
        .order_by(Credential.reused_at.is_(None), Credential.reused_at.desc(), Credential.revoked_at.desc())
        .limit(ENDED_SHOWN)
    ).all()
    return views_of(session, platform, workspace_id, rows)


def key_view(session: Session, platform: Platform, workspace_id: str, key_id: str) -> KeyView:
    """Raises NoSuchKey."""
    return views_of(session, platform, workspace_id, [find_key(session, workspace_id, key_id)])[0]


def views_of(
    session: Session, platform: Platform, workspace_id: str, rows: Sequence[Credential]
) -> tuple[KeyView, ...]:
    if not rows:
        return ()
    workspace = session.get_one(Workspace, workspace_id)
    names = actor_names(session, {row.created_by or "" for row in rows})
    runs = runs_of_keys(session, [row.id for row in rows])
    families = family_sizes(session, workspace_id, {row.family_id or row.id for row in rows})
    return tuple(
        view_of(platform, workspace, row, names, runs.get(row.id), families.get(row.family_id or "", 1)) for row in rows
    )


class KeyRuns(msgspec.Struct, frozen=True):
    count: int
    last_at: datetime
    last_project: str


def view_of(
    platform: Platform,
    workspace: Workspace,
    row: Credential,
    names: Mapping[str, str],
    runs: KeyRuns | None,
    family: int,
) -> KeyView:
    now, ends = platform.now(), end_of(row, workspace)
    if not is_living(row, now):
        state = "ended"
    elif ends is not None and ends <= now:
        state = "expired"
    else:
        state = "active" if row.revoked_at is None else "overlap"
    return KeyView(
        id=row.id,
        name=row.name,
        project=row.project or "",
        shown=row.prefix8 + "-****",
        state=state,
        created_at=row.created_at,
        created_by=names.get(row.created_by or "", ""),
        expires_at=ends,
        grace_until=row.grace_until,
        ended_at=(row.grace_until or row.revoked_at) if state == "ended" else None,
        end_reason=row.revoke_reason or "",
        replaced_by=row.replaced_by or "",
        last_used_at=row.last_used_at,
        last_used_machine=row.last_used_machine or "",
        last_used_ip=row.last_used_ip or "",
        last_project=runs.last_project if runs else "",
        last_run_at=runs.last_at if runs else None,
        runs=runs.count if runs else 0,
        reuse_count=row.reuse_count,
        reused_at=row.reused_at,
        has_family=family > 1,
    )


def actor_names(session: Session, actors: set[str]) -> dict[str, str]:
    """Names or addresses of `user:…` actors, as they are kept with a token."""
    ids = {actor.removeprefix("user:") for actor in actors if actor.startswith("user:")}
    rows = session.execute(select(User.id, User.name, User.email).where(User.id.in_(ids))).all() if ids else ()
    return {f"user:{row.id}": row.name or row.email for row in rows}


def runs_of_keys(session: Session, key_ids: Sequence[str]) -> dict[str, KeyRuns]:
    """Of those that had any."""
    counts = session.execute(
        select(CiCharge.credential_id, func.count(CiCharge.id), func.max(CiCharge.id))
        .where(CiCharge.credential_id.in_(key_ids))
        .group_by(CiCharge.credential_id)
    ).all()
    last = {
        row.id: row
        for row in session.scalars(select(CiCharge).where(CiCharge.id.in_([newest for _, _, newest in counts])))
    }  # ids sort by time
    return {str(key): KeyRuns(int(count), last[newest].at, last[newest].project or "") for key, count, newest in counts}


def family_sizes(session: Session, workspace_id: str, families: set[str]) -> dict[str, int]:
    rows = session.execute(
        select(Credential.family_id, func.count(Credential.id))
        .where(Credential.workspace_id == workspace_id, Credential.family_id.in_(families))
        .group_by(Credential.family_id)
    ).all()
    return {str(family): int(count) for family, count in rows}


def run_views(session: Session, key_id: str) -> tuple[RunView, ...]:
    """The last runs that a key was charged for."""
    rows = session.scalars(
        select(CiCharge)
        .where(CiCharge.credential_id == key_id)
        .order_by(CiCharge.at.desc(), CiCharge.id.desc())
        .limit(RUNS_SHOWN)
    ).all()
    return tuple(RunView(run_name(row), row.project or "", row.starts, row.at) for row in rows)


def run_name(charge: CiCharge) -> str:
    """`GITHUB_RUN_ID=7` is run 7; a client that names no run is known by its machine."""
    kind, _, rest = charge.run_key.partition(":")
    if kind == "run":
        return rest.rpartition(":")[2].partition("=")[2] or rest.rpartition(":")[2]
    return rest.rpartition(":")[0] if kind == "machine" else "one start"
