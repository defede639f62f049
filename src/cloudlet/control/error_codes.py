"""Every code that the control plane's pages and APIs answer with, in words: for `/docs/errors` and docs/errors.md.

The words are the refusals' own: each subclass of `errors.Refusal` has code, title and hint, so an area that adds one has
it explained. What is added here: who can put it right, and the codes that no refusal has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec

from cloudlet.control.errors import Refusal
from cloudlet.license.explain import ADMIN, OPERATOR, YOU

WHO_BY_STATUS: Mapping[int, str] = MappingProxyType({403: ADMIN, 500: OPERATOR, 503: OPERATOR})
WHO: Mapping[str, str] = MappingProxyType(
    {
        "account.not_verified": YOU,
        "account.sign_up_closed": ADMIN,
        "api_key.off": OPERATOR,
        "api_token.invalid": YOU,
        "api_token.people_only": YOU,
        "auth.request.denied": YOU,
        "auth.request.not_confirmed": YOU,
        "generic.forbidden": OPERATOR,
        "invitation.other_address": YOU,
        "plan.not_offered": OPERATOR,
        "seats.exhausted": ADMIN,
        "session.code": YOU,
        "session.csrf": YOU,
        "session.password": YOU,
        "session.sudo_required": YOU,
        "sso.denied": YOU,
        "sso.disabled": OPERATOR,
        "sso.limit": ADMIN,
        "sso.off": ADMIN,
        "sso.provider": ADMIN,
        "sso.token": ADMIN,
        "subscription.external": ADMIN,
        "workspace.required": YOU,
    }
)
PLAIN = (
    ("http.400", 400, "The request could not be understood", "Check address, headers and body."),
    ("http.401", 401, "Please sign in", "Send a session or an API token."),
    ("http.403", 403, "The form was too old, or not one of ours", "Reload the page and send the form again."),
    ("http.404", 404, "There is nothing at this address", "Check the address."),
    ("http.405", 405, "This address does not answer to that method", "The header `Allow` lists those that it knows."),
    ("http.413", 413, "The body is too large", "Send less at once."),
    ("http.415", 415, "The body is of a type that is not understood here", "Check the header `Content-Type`."),
    ("internal", 500, "Something failed on the control plane’s side", "Try again; its log has the request id."),
)
NOUNS: Mapping[str, str] = MappingProxyType(
    {
        "account": "Accounts",
        "address": "Networks",
        "api_key": "Legacy API keys",
        "api_token": "API tokens",
        "auth": "Signing in from a command line",
        "body": "Requests",
        "ci": "CI credits",
        "ci_key": "CI keys",
        "clock": "Clock",
        "credential": "Tokens",
        "credentials": "Credentials",
        "cursor": "Requests",
        "form": "Requests",
        "http": "Requests",
        "idempotency": "Requests",
        "invitation": "Links and invitations",
        "license": "Licenses",
        "licensing": "Licenses",
        "link": "Links and invitations",
        "machine": "Machines",
        "match": "Requests",
        "member": "Members",
        "membership": "Members",
        "offline_file": "License files",
        "permission": "Permissions",
        "plan": "Plans",
        "query": "Requests",
        "request": "Requests",
        "seats": "Licenses",
        "server": "The way to the license server",
        "session": "Sessions",
        "sso": "Single sign-on",
        "subscription": "Subscriptions",
        "webhook": "Webhooks",
        "workspace": "Workspaces",
    }
)
OTHERS = "Everything else"


class ErrorCode(msgspec.Struct, frozen=True):
    """`status` is HTTP's, `meaning` a sentence without its full stop, `hint` what to do (perhaps empty)."""

    code: str
    status: int
    meaning: str
    hint: str
    who: str


def error_codes() -> tuple[ErrorCode, ...]:
    """By noun, then code. Knows the refusals whose modules are loaded: all, once the application is made."""
    found = {code: entry(code, status, meaning, hint) for code, status, meaning, hint in PLAIN}
    for refusal in refusals(Refusal):
        found.setdefault(refusal.code, entry(refusal.code, refusal.status, refusal.title, refusal.hint))
    return tuple(sorted(found.values(), key=lambda one: (noun_of(one.code) == OTHERS, noun_of(one.code), one.code)))


def refusals(parent: type[Refusal]) -> Iterator[type[Refusal]]:
    yield parent
    for child in parent.__subclasses__():
        yield from refusals(child)


def entry(code: str, status: int, meaning: str, hint: str) -> ErrorCode:
    return ErrorCode(code, status, meaning, hint, WHO.get(code) or WHO_BY_STATUS.get(status, YOU))


def noun_of(code: str) -> str:
    """The group that a code is listed in."""
    noun, dot, _ = code.partition(".")
    return NOUNS.get(noun, OTHERS) if dot else OTHERS
