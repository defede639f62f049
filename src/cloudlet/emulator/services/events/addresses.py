"""Addresses of web servers. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from cloudlet.emulator.services.events.errors import not_valid


def check_address(member: str, url: str) -> None:
    """Raises ValidationException for what nobody could call."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https"):
        raise not_valid(member, "The URL must begin with https://.")
    if not host:
        raise not_valid(member, "The URL must have a host.")
