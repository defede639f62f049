"""Signing in by single sign-on: to the provider, and back.

/sign-in/sso  →  /auth/sso/<slug>  →  …/start  →  the provider  →  …/callback  →  where they wanted to go
(by address)     (Sign-up Portal)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from cloudlet.control.accounts.entry import Entry, start_session, welcome
from cloudlet.control.audit.service import record
from cloudlet.control.db import Database
from cloudlet.control.errors import Refusal
from cloudlet.control.given import TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.limits.service import Limit, allow, check
from cloudlet.control.pages import go, page, safe_next
from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.control.platform import Platform
from cloudlet.control.sso.admission import admit, judge
from cloudlet.control.sso.attempts import (
    PATH,
    Return,
    attempt_cookie,
    callback_url,
    come_back,
    depart,
)
from cloudlet.control.sso.discovery import discover
from cloudlet.control.sso.errors import ProviderUnusable, SsoDenied, SsoOff, SsoRefused, SsoTokenInvalid
from cloudlet.control.sso.service import find_by_domain, find_by_slug, secret_of
from cloudlet.control.sso.tables import SsoProvider
from cloudlet.control.sso.tokens import Client, Person, fetch_person, in_brackets
from cloudlet.control.sso.views import portal_of
from cloudlet.control.threads import in_thread

BY_ADDRESS = "/sign-in/sso"
PORTAL = PATH + "/{slug:str}"
STARTS = Limit("sso.start", rate_per_second=0.5, burst=120)  # an office may share one address
ENTRIES = Limit("sso.log", rate_per_second=1 / 60, burst=60)
NOBODY = "No workspace here has single sign-on for that domain. Ask an admin for the address of its sign-up portal."
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "access_denied": "You, or a rule there, said no.",
        "login_required": "It wants you to sign in there first.",
        "interaction_required": "It wants something else of you first.",
        "consent_required": "You have to allow it to tell us who you are.",
        "invalid_request": "It does not understand our request.",
        "unauthorized_client": "This client may not sign people in there.",
        "unsupported_response_type": "It does not support the authorization code flow.",
        "invalid_scope": "It does not know one of the scopes that are asked for.",
        "server_error": "Something failed there.",
        "temporarily_unavailable": "It is overloaded, or under maintenance.",
    }
)


class Said(msgspec.Struct, frozen=True):
    """What stands behind the ? of the callback (RFC 6749, 4.1.2; RFC 9207)."""

    state: str
    code: str
    error: str
    error_description: str
    iss: str


def said_by(request: WebRequest) -> Said:
    """`state` is a word of Litestar's own, so a handler cannot have it as an argument."""
    query = request.query_params
    return Said(*(str(query.get(name, "")) for name in Said.__struct_fields__))


@get(BY_ADDRESS, opt=requires(PUBLIC), sync_to_thread=False)
def show_by_address(next: FromQuery[str] = "/") -> Template:
    return page("sign_in_sso.html", next=safe_next(next), email="", found=())


@post(BY_ADDRESS, opt=requires(PUBLIC))
@in_thread
def submit_by_address(
    request: WebRequest, data: URLEncodedBody[dict[str, str]], database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    """The domain alone decides, so that nobody learns which addresses have accounts."""
    check(database, platform, STARTS, client_ip(request))
    email, target = data.get("email", "").strip(), safe_next(data.get("next", ""))
    with database.snapshot() as session:
        rows = find_by_domain(session, email.rpartition("@")[2].lower())
    found = tuple(portal_of(provider, workspace) for provider, workspace in rows)
    if len(found) == 1:
        return go(f"{found[0].path}?{urlencode({'next': target})}")
    problem = "" if found else NOBODY
    return page(
        "sign_in_sso.html", next=target, email=email, found=found, problem=problem, status=200 if found else 404
    )


@get(PORTAL, opt=requires(PUBLIC))
@in_thread
def show_portal(slug: FromPath[str], database: TheDatabase, next: FromQuery[str] = "/") -> Template:
    """Says where it leads before it does. Raises NotFound, SsoOff."""
    with database.snapshot() as session:
        provider, workspace = find_by_slug(session, slug)
    if provider.disabled_at is not None:
        raise SsoOff
    return page("sso_portal.html", portal=portal_of(provider, workspace), query=urlencode({"next": safe_next(next)}))


@get(PORTAL + "/start", opt=requires(PUBLIC))
@in_thread
def start(
    request: WebRequest,
    slug: FromPath[str],
    database: TheDatabase,
    platform: ThePlatform,
    next: FromQuery[str] = "/",
) -> Redirect:
    """Raises NotFound, SsoOff, ProviderUnusable."""
    check(database, platform, STARTS, client_ip(request))
    with database.snapshot() as session:
        provider, _ = find_by_slug(session, slug)
    if provider.disabled_at is not None:
        raise SsoOff
    found = discover(platform, provider.issuer)
    with database.transaction() as session:
        departure = depart(session, platform, provider, found, next_path=safe_next(next))
    answer = go(departure.url)
    answer.set_cookie(departure.cookie)
    return answer


@get(PORTAL + "/callback", opt=requires(PUBLIC))
@in_thread
def come_in(
    request: WebRequest,
    slug: FromPath[str],
    database: TheDatabase,
    platform: ThePlatform,
) -> Response[Any]:
    """Raises SsoOver, SsoDenied, SsoTokenInvalid, ProviderUnusable, SsoRefused, SsoOff."""
    said = said_by(request)
    with database.transaction() as session:
        provider, _ = find_by_slug(session, slug)
        back = come_back(session, platform, provider, said.state, request.cookies)
    try:
        if said.error or not said.code:
            raise SsoDenied(denied_words(said.error, said.error_description))
        person = ask_provider(platform, provider, back, said.code, said.iss)
        if back.secrets.tester:
            return test_page(database, platform, provider, back, person)
        with database.transaction() as session:
            user = admit(session, platform, provider.id, person)
            value = start_session(session, platform, request, user, provider=provider)
    except (ProviderUnusable, SsoDenied, SsoTokenInvalid, SsoRefused) as problem:
        note_failure(database, platform, provider, problem, tester=back.secrets.tester)
        if back.secrets.tester:
            return page("sso_test.html", provider=provider, problem=problem, person=None)
        raise
    answer = welcome(Entry(value, is_half=False), platform, back.next_path)
    answer.set_cookie(attempt_cookie(platform, said.state, ""))
    return answer


def denied_words(error: str, description: str) -> str:
    """The state was this browser's own, so the words are the provider's; still only what can be said in a line."""
    if not error:
        return "It came back without a code."
    shown = description[:200] if description.isprintable() else ""
    said = WORDS.get(error, "It gave a reason that we do not know.")
    return f"{said}{in_brackets(error)}" + (f" It says: “{shown}”" if shown else "")


def ask_provider(platform: Platform, provider: SsoProvider, back: Return, code: str, iss: str) -> Person:
    """Who it is. Blocks. Raises ProviderUnusable, SsoDenied, SsoTokenInvalid."""
    found = discover(platform, provider.issuer)
    if (iss or found.tells_issuer) and iss != found.issuer:  # RFC 9207: another provider's answer
        raise SsoTokenInvalid("The answer is not of this provider (iss).")
    client = Client(provider.client_id, secret_of(platform, provider), callback_url(platform, provider.slug))
    secrets = back.secrets
    return fetch_person(platform, found, client, code=code, verifier=secrets.verifier, nonce=secrets.nonce)


def note_failure(
    database: Database, platform: Platform, provider: SsoProvider, problem: Refusal, *, tester: str
) -> None:
    """For the admins, who are asked about it; so many and no more, so that nobody fills their log from outside."""
    with database.transaction() as session:
        key = f"{ENTRIES.name}:{provider.id}"
        if allow(session, platform, key, rate_per_second=ENTRIES.rate_per_second, burst=ENTRIES.burst) is not None:
            return
        record(
            session,
            platform,
            provider.workspace_id,
            actor="user:" + tester if tester else "system",
            action="sso.refused",
            target=provider.id,
            data={"name": provider.name, "code": problem.code, "reason": problem.detail, "test": bool(tester)},
        )


def test_page(database: Database, platform: Platform, provider: SsoProvider, back: Return, person: Person) -> Template:
    """What the provider says of the admin who tries it out, and what would come of it. Raises SsoRefused."""
    with database.snapshot() as session:
        kind = judge(session, platform, provider, person).kind
    with database.transaction() as session:
        record(
            session,
            platform,
            provider.workspace_id,
            actor="user:" + back.secrets.tester,
            action="sso.tested",
            target=provider.id,
            data={"name": provider.name},
        )
    return page("sso_test.html", provider=provider, problem=None, person=person, kind=kind)


ROUTES = (
    show_by_address,
    submit_by_address,
    show_portal,
    start,
    come_in,
)
