"""What people look for in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import MAXYEAR, UTC, datetime, timedelta
from urllib.parse import urlencode

import msgspec

from cloudlet.control.errors import InvalidForm


class AuditFilter(msgspec.Struct, frozen=True):
    """`action`: one, or a noun with `.*`; `since` and `until`: days, both included (UTC); "" and None: all."""

    action: str = ""
    actor: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def query(self) -> str:
        """As in the address of the page."""
        return urlencode({name: value for name, value in self.fields().items() if value})

    def fields(self) -> dict[str, str]:
        return {
            "action": self.action,
            "actor": self.actor,
            "since": day(self.since),
            "until": day(self.until),
        }

    @property
    def is_set(self) -> bool:
        return any(self.fields().values())

    @property
    def before(self) -> datetime | None:
        """The first moment that is too late."""
        return self.until + timedelta(days=1) if self.until else None


def read_filter(fields: Mapping[str, str]) -> AuditFilter:
    """Raises InvalidForm."""
    found = AuditFilter(
        action=fields.get("action", "").strip()[:80],
        actor=fields.get("actor", "").strip()[:80],
        since=read_day(fields.get("since", ""), "From"),
        until=read_day(fields.get("until", ""), "To"),
    )
    if found.since and found.until and found.since > found.until:
        raise InvalidForm("“From” is after “To”.")
    return found


def read_day(text: str, label: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        found = datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        found = None
    if found is None or found.year == MAXYEAR:  # no day comes after the last one
        raise InvalidForm(f"“{label}” is not a day such as 2026-11-24.")
    return found


def day(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d") if moment else ""
