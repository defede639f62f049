"""Signing keys: published before they sign, and good for what they signed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest
from sqlalchemy import select, update

from cloudlet.control.errors import InvalidForm
from cloudlet.control.licenses.rotation import (
    RotationUnderWay,
    list_keys,
    longest_window_hours,
    promote_due,
    rotate,
)
from cloudlet.control.licenses.tables import SigningKey
from cloudlet.license import document, envelope
from tests.cli.conftest import CommandLine, poll
from tests.control.serving import RunningPlatform


@pytest.fixture
def fresh(tmp_path: Path, fresh_database_url: str) -> Iterator[RunningPlatform]:
    running = RunningPlatform(tmp_path, fresh_database_url, PLATFORM_LICENSE_RATE_PER_TOKEN="0")
    yield running
    running.close()


def published(platform: RunningPlatform) -> list[str]:
    return [entry["kid"] for entry in httpx.get(f"{platform.url}/.well-known/license-keys.json").json()["keys"]]


def signer(platform: RunningPlatform, token: str) -> str:
    """The key id in a new license."""
    offline = platform.request_license(token).json()["offline_data"]
    return str(offline[document.ENVELOPE_ENTRY]).split(".")[1]


def test_the_next_key_is_published_before_it_signs_and_the_old_one_verifies_on(fresh: RunningPlatform) -> None:
    token = fresh.bootstrap().token
    old = signer(fresh, token)
    signed = fresh.request_license(token).json()["offline_data"][document.ENVELOPE_ENTRY]
    with fresh.database.transaction() as session:
        window = longest_window_hours(session)
        made = rotate(session, fresh.platform)
    assert (made.status, made.since - fresh.platform.now() > timedelta(hours=window - 1)) == ("next", True)
    assert published(fresh) == [old, made.kid]
    promote_due(fresh.database, fresh.platform)
    assert signer(fresh, token) == old
    with fresh.database.transaction() as session:
        session.execute(update(SigningKey).where(SigningKey.kid == made.kid).values(not_before=fresh.platform.now()))
    promote_due(fresh.database, fresh.platform)
    poll(lambda: signer(fresh, token) == made.kid)  # the server keeps the key that it opened for some seconds
    assert published(fresh) == [made.kid, old]
    keys = httpx.get(f"{fresh.url}/.well-known/license-keys.json").content
    assert envelope.verify(signed, envelope.TrustStore.parse(keys)).lic
    with fresh.database.snapshot() as session:
        retired = session.scalars(select(SigningKey).where(SigningKey.kid == old)).one()
        assert (retired.status, retired.private_enc) == ("retired", b"")


def test_a_rotation_is_one_at_a_time_and_not_too_early(fresh: RunningPlatform) -> None:
    fresh.bootstrap()
    with pytest.raises(InvalidForm), fresh.database.transaction() as session:
        rotate(session, fresh.platform, hours=1)
    with fresh.database.transaction() as session:
        made = rotate(session, fresh.platform)
    with pytest.raises(RotationUnderWay), fresh.database.transaction() as session:
        rotate(session, fresh.platform)
    with fresh.database.transaction() as session:
        now = rotate(session, fresh.platform, at_once=True)
        assert (now.kid, now.status) == (made.kid, "active")
        assert [key.status for key in list_keys(session)].count("active") == 1


def test_the_command_rotates_and_lists(tmp_path: Path) -> None:
    command_line = CommandLine(tmp_path)
    command_line.variables["PLATFORM_STATE_DIR"] = str(tmp_path / "state")
    made = command_line("admin", "keys", "rotate", "--json")
    assert (made.code, made.json["data"]["status"]) == (0, "next")
    again = command_line("admin", "keys", "rotate", "--json")
    assert (again.code, again.json["error"]["code"]) == (1, "signing_key.under_way")
    listed = command_line("admin", "keys", "list")
    assert made.json["data"]["kid"] in listed.out
    assert max(map(len, listed.out.splitlines())) <= 80
    at_once = command_line("admin", "keys", "rotate", "--now")
    assert "signs from now on" in at_once.out
    assert "Warning" in at_once.err
    assert msgspec.json.decode(command_line("admin", "keys", "list", "--json").out)["data"][0]["status"] == "active"
