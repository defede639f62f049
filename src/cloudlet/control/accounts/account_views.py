"""What the page Account shows."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from cloudlet.control.accounts.browsers import in_words
from cloudlet.control.accounts.service import sessions_of
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Account


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that is signed in. `header` is its User-Agent as it came."""

    id: str
    browser: str
    header: str
    ip: str
    created_at: datetime
    last_seen_at: datetime
    is_this: bool


def sessions_views(session: Session, platform: Platform, account: Account) -> list[SessionView]:
    """This browser first, then those seen last."""
    views = [
        SessionView(
            id=row.id,
            browser=in_words(row.user_agent),
            header=row.user_agent,
            ip=row.ip,
            created_at=row.created_at,
            last_seen_at=row.last_seen_at,
            is_this=row.id == account.session_id,
        )
        for row in sessions_of(session, platform, account.user_id, account.only_workspace_id)
    ]
    return sorted(views, key=lambda view: not view.is_this)
