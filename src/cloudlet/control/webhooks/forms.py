"""What people fill in about webhooks."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cloudlet.control.errors import InvalidForm
from cloudlet.control.webhooks.addresses import check_url
from cloudlet.control.webhooks.events import ALL_EVENTS, EVENTS
from cloudlet.settings import PlatformSettings

FIELD = "event."
OVERLAPS = ((0, "The old secret ends now"), (1, "in 1 hour"), (24, "in 24 hours"), (168, "in 7 days"))


class WebhookForm(msgspec.Struct, frozen=True):
    """`events`: names, or `*` alone."""

    url: str
    description: str
    events: tuple[str, ...]


def read_webhook_form(fields: Mapping[str, str], settings: PlatformSettings) -> WebhookForm:
    """From the boxes `event.<name>` of the page. Raises InvalidForm."""
    chosen = [name.removeprefix(FIELD) for name in fields if name.startswith(FIELD)]
    wanted = [ALL_EVENTS] if fields.get("all") else chosen
    return checked_form(fields.get("url", ""), fields.get("description", ""), wanted, settings)


def checked_form(url: str, description: str, events: list[str], settings: PlatformSettings) -> WebhookForm:
    """Raises InvalidForm."""
    unknown = [name for name in events if name != ALL_EVENTS and name not in EVENTS]
    if unknown:
        raise InvalidForm(f"There is no event {unknown[0]}.")
    if not events:
        raise InvalidForm("Choose at least one event.")
    if len(description.strip()) > 200:
        raise InvalidForm("A description has 200 characters at most.")
    names = (ALL_EVENTS,) if ALL_EVENTS in events else tuple(name for name in EVENTS if name in events)
    return WebhookForm(check_url(url, settings), description.strip(), names)


def read_overlap(fields: Mapping[str, str]) -> int:
    """Hours for which the old secret still signs beside the new one. Raises InvalidForm."""
    for hours, _ in OVERLAPS:
        if fields.get("overlap", "0") == str(hours):
            return hours
    raise InvalidForm("Choose when the old secret ends.")
