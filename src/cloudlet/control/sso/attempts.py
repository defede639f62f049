"""A browser on its way to a provider and back: authorization code with PKCE, state and nonce.

What must come back unchanged (nonce, verifier) stays here, sealed; `state` finds it, once and for ten minutes, and only in
the browser that was sent away: its cookie, named after the state so that two windows do not disturb each other, proves it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from litestar.datastructures import Cookie
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cloudlet.control.db import Database
from cloudlet.control.platform import Platform
from cloudlet.control.sso.discovery import Discovered
from cloudlet.control.sso.errors import SsoOver
from cloudlet.control.sso.tables import SsoAttempt, SsoProvider
from cloudlet.license.canonical import to_base64url

MINUTES = 10
COOKIE = "cloudlet_sso_"
PATH = "/auth/sso"
LONGEST_NEXT = 300


class Secrets(msgspec.Struct, frozen=True):
    """Sealed in the database. `tester`: the admin who tries the provider out, "" for a sign-in."""

    nonce: str
    verifier: str
    browser: str
    tester: str = ""


class Departure(msgspec.Struct, frozen=True):
    """Where the browser goes, and the cookie that it takes along."""

    url: str
    cookie: Cookie


class Return(msgspec.Struct, frozen=True):
    """An attempt that came back, and is used up."""

    secrets: Secrets
    next_path: str


def callback_url(platform: Platform, slug: str) -> str:
    return f"{platform.settings.base_url}{PATH}/{slug}/callback"


def portal_url(platform: Platform, slug: str) -> str:
    return f"{platform.settings.base_url}{PATH}/{slug}"


def depart(
    session: Session,
    platform: Platform,
    provider: SsoProvider,
    found: Discovered,
    *,
    next_path: str = "",
    tester: str = "",
) -> Departure:
    def random() -> str:
        return to_base64url(platform.effects.random_bytes(32))

    state, secrets = random(), Secrets(nonce=random(), verifier=random(), browser=random(), tester=tester)
    row_key = state_hash(platform, state)
    session.add(
        SsoAttempt(
            state_hash=row_key,
            provider_id=provider.id,
            secrets_enc=platform.vault.seal(msgspec.json.encode(secrets), row_key),
            next_path=next_path if len(next_path) <= LONGEST_NEXT else "",
            created_at=platform.now(),
            expires_at=platform.later(minutes=MINUTES),
        )
    )
    url = prepare_grant_uri(
        found.authorization_endpoint,
        provider.client_id,
        "code",
        redirect_uri=callback_url(platform, provider.slug),
        scope=provider.scopes,
        state=state,
        nonce=secrets.nonce,
        code_challenge=create_s256_code_challenge(secrets.verifier),
        code_challenge_method="S256",
    )
    return Departure(url, attempt_cookie(platform, state, secrets.browser))


def attempt_cookie(platform: Platform, state: str, value: str) -> Cookie:
    """Lax: the provider's site leads back here."""
    return Cookie(
        key=COOKIE + state[:8],
        value=value,
        path=PATH,
        httponly=True,
        secure=platform.settings.secure_cookies,
        samesite="lax",
        max_age=MINUTES * 60 if value else 0,
    )


def come_back(
    session: Session, platform: Platform, provider: SsoProvider, state: str, cookies: Mapping[str, str]
) -> Return:
    """Use the attempt up; of two at the same time one goes on. Raises SsoOver."""
    row_key = state_hash(platform, state)
    row = session.scalar(
        select(SsoAttempt).where(
            SsoAttempt.state_hash == row_key,
            SsoAttempt.provider_id == provider.id,
            SsoAttempt.expires_at > platform.now(),
        )
    )
    if row is None:
        raise SsoOver
    secrets = msgspec.json.decode(platform.vault.unseal(row.secrets_enc, row_key), type=Secrets)
    given = cookies.get(COOKIE + state[:8], "")
    if not hmac.compare_digest(given.encode(), secrets.browser.encode()):
        raise SsoOver("This sign-in began in another browser.")
    next_path = row.next_path
    used = session.execute(
        delete(SsoAttempt)
        .where(SsoAttempt.state_hash == row_key)
        .returning(SsoAttempt.state_hash)
        .execution_options(synchronize_session=False)
    ).all()
    if not used:
        raise SsoOver
    return Return(secrets, next_path)


def state_hash(platform: Platform, state: str) -> str:
    return platform.vault.lookup_hash("sso", state)


def forget(database: Database, platform: Platform) -> None:
    """A task: attempts that never came back."""
    with database.transaction() as session:
        session.execute(delete(SsoAttempt).where(SsoAttempt.expires_at <= platform.now()))
