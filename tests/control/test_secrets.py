"""No secret that was issued is in the database, the log or an answer that does not hand it out."""

from __future__ import annotations

import base64
from pathlib import Path

import httpx
import pytest
from sqlalchemy import inspect, text

from cloudlet.control.vault import SecretKeyError, Vault
from cloudlet.license.effects import SYSTEM
from tests.control.people import post, sign_in
from tests.control.serving import RunningPlatform

PASSWORD = "a password nobody wrote down"


def everything_in(platform: RunningPlatform) -> str:
    """Each value of each table, as text; bytes also as Latin-1."""
    pieces = []
    with platform.database.engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                for value in row:
                    raw = bytes(value) if isinstance(value, bytes | memoryview) else None
                    pieces.append(raw.decode("latin-1") if raw is not None else str(value))
    return "\n".join(pieces)


def test_issued_secrets_are_nowhere_in_clear(platform: RunningPlatform, email: str) -> None:
    member = platform.bootstrap(email, password=PASSWORD)
    answers = []
    with platform.client() as client:
        sign_in(client, member)
        cookie = client.cookies["cloudlet_session"]
        for path in ("/getting-started", "/workspace/auth-tokens", "/workspace/my-license", "/nothing"):
            answers.append(client.get(path).text)
        post(client, "/workspace/auth-tokens/reveal", at="/workspace/auth-tokens")
        post(client, "/sign-in", email=email, password=PASSWORD)
        answers.append(client.get(member.sign_in_link.removeprefix(platform.url)).text)
    for path in ("request", "activate"):
        for change in ({}, {"product": {"name": "else"}}, {"machine": {"id": "x", "ci": True}}):
            answers.append(platform.request_license(member.token, path, **change).text)
    answers.append(platform.request_license(member.token[:-1] + ("0" if member.token[-1] != "0" else "1")).text)
    body = {"credentials": {"token": [member.token]}, "product": {"name": member.token, "version": member.token}}
    answers.append(httpx.post(f"{platform.url}/v1/license/request", json=body).text)
    httpx.get(f"{platform.url}/v1/cloudpods", headers={"authorization": "Basic " + basic(member.token)})
    link_secret = member.sign_in_link.rsplit("/", 1)[1]
    key = Path(platform.settings.state_dir, "secret.key").read_text().strip()
    stored, printed, shown = everything_in(platform), platform.printed(), "\n".join(answers)
    for secret in (member.token, member.token[12:], link_secret, cookie, PASSWORD, key, basic(member.token)):
        assert secret not in stored
        assert secret not in printed
        if secret != link_secret:
            assert secret not in shown
    assert "request" in printed


def basic(token: str) -> str:
    return base64.b64encode(f":{token}".encode()).decode()


def test_a_crash_is_logged_without_the_token_and_answered_without_the_crash(
    platform: RunningPlatform, email: str
) -> None:
    """The database loses a table under the running server's feet."""
    member = platform.bootstrap(email)
    with platform.database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE machines RENAME TO machines_gone"))
    try:
        answer = platform.request_license(member.token)
    finally:
        with platform.database.engine.begin() as connection:
            connection.execute(text("ALTER TABLE machines_gone RENAME TO machines"))
    assert (answer.status_code, answer.json()["message"]) == (503, "licensing.unavailable")
    assert "machines" not in answer.text
    printed = platform.printed()
    assert answer.headers["x-request-id"] in printed
    assert "event=crash" in printed
    assert member.token not in printed
    assert platform.request_license(member.token).status_code == 200


def test_what_is_sealed_opens_only_in_its_place_with_its_key() -> None:
    vault = Vault(b"k" * 32, SYSTEM)
    sealed = vault.seal(b"secret", "row-1")
    assert vault.unseal(sealed, "row-1") == b"secret"
    assert vault.seal(b"secret", "row-1") != sealed
    for other, context, changed in (
        (Vault(b"x" * 32, SYSTEM), "row-1", sealed),
        (vault, "row-2", sealed),
        (vault, "row-1", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (vault, "row-1", b""),
    ):
        with pytest.raises(SecretKeyError):
            other.unseal(changed, context)


def test_hashes_depend_on_key_and_purpose() -> None:
    one, two = Vault(b"k" * 32, SYSTEM), Vault(b"x" * 32, SYSTEM)
    assert one.lookup_hash("session", "s") == one.lookup_hash("session", "s")
    assert len({one.lookup_hash("session", "s"), one.lookup_hash("link", "s"), two.lookup_hash("session", "s")}) == 3
