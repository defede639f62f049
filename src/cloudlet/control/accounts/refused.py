"""Refused sign-ins, for the audit logs of the account's workspaces.

It is written down after the answer has gone out, so that how long the answer took tells nobody whether there is such an
account; and a few times an hour at most, so that nobody fills a log from outside.
"""

from __future__ import annotations

from litestar.background_tasks import BackgroundTask
from sqlalchemy.orm import Session

from cloudlet.control.accounts.service import record_for
from cloudlet.control.db import Database
from cloudlet.control.limits.service import Limit, allow
from cloudlet.control.platform import Platform

ENTRIES = Limit("refused.log", rate_per_second=1 / 600, burst=6)
ACTION = "account.sign_in_refused"


def noting(database: Database, platform: Platform, user_id: str, ip: str, reason: str) -> BackgroundTask | None:
    """What an answer does when it is out; None where there is no such account. `reason`: password, code, disabled."""
    return BackgroundTask(note_refused, database, platform, user_id, ip, reason) if user_id else None


def note_refused(database: Database, platform: Platform, user_id: str, ip: str, reason: str) -> None:
    with database.transaction() as session:
        note(session, platform, user_id, ip, reason)


def note(session: Session, platform: Platform, user_id: str, ip: str, reason: str) -> None:
    key = f"{ENTRIES.name}:{user_id}"
    if allow(session, platform, key, rate_per_second=ENTRIES.rate_per_second, burst=ENTRIES.burst) is None:
        record_for(session, platform, user_id, ACTION, ip, actor="system", reason=reason)
