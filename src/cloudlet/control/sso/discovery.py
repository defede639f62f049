"""What an identity provider says of itself: OpenID Connect Discovery 1.0.

Asked anew at each sign-in, as are its keys: a provider may change both at any time, and sign-ins are rare.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec
from authlib.oidc.discovery import get_well_known_url

from cloudlet.control.limits.service import Limit
from cloudlet.control.platform import Platform
from cloudlet.control.sso.errors import ProviderUnusable
from cloudlet.control.sso.reach import Unreachable, ask
from cloudlet.control.webhooks.addresses import is_local_name, is_private_literal
from cloudlet.settings import PlatformSettings

LONGEST_URL = 500
CHECKS = Limit("sso.check", rate_per_second=1 / 20, burst=30)  # each makes us ask a server of somebody's choice


class Discovered(msgspec.Struct, frozen=True, kw_only=True):
    """`auth_method`: how we prove to its token endpoint that we are its client."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    auth_method: str
    tells_issuer: bool


def checked_issuer(text: str, settings: PlatformSettings) -> str:
    """The issuer as it is written, which counts to the letter. Raises ProviderUnusable."""
    issuer = text.strip().removesuffix("/.well-known/openid-configuration")
    if not issuer:
        raise ProviderUnusable("Enter the issuer, such as https://login.example.com.")
    if len(issuer) > LONGEST_URL or not issuer.isprintable() or any(char.isspace() for char in issuer):
        raise ProviderUnusable(f"An issuer has {LONGEST_URL} characters at most, and no blanks.")
    try:
        parts = urlsplit(issuer)
        host, port = (parts.hostname or "").rstrip("."), parts.port
        host.encode("idna")
    except ValueError:
        raise ProviderUnusable("That is no address such as https://login.example.com.") from None
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise ProviderUnusable("That is no address such as https://login.example.com.")
    if parts.query or parts.fragment or parts.username is not None:
        raise ProviderUnusable("An issuer has neither user nor anything behind ? or #.")
    is_private = is_local_name(host) or is_private_literal(host)
    if is_private and not (settings.sso_allow_private or settings.is_local):
        raise ProviderUnusable("That address is of a private network (PLATFORM_SSO_ALLOW_PRIVATE).")
    if parts.scheme == "http" and not (is_private or settings.sso_allow_private):
        raise ProviderUnusable("Use https: over http anybody on the way could sign in as anybody.")
    return issuer


def discover(platform: Platform, issuer: str) -> Discovered:
    """Blocks. Raises ProviderUnusable, which says what is wrong."""
    url = get_well_known_url(issuer, external=True)
    try:
        answer = ask(platform, "GET", url)
    except Unreachable as problem:
        raise ProviderUnusable(f"{urlsplit(issuer).netloc} could not be reached: {problem}.") from None
    if answer.status != 200:
        raise ProviderUnusable(f"{url} answered {answer.status}, and not with a discovery document.")
    document = answer.body
    if not document:
        raise ProviderUnusable(f"{url} is no discovery document: it is not JSON.")
    told = document.get("issuer")
    if told != issuer:
        raise ProviderUnusable(
            f"The provider calls itself {str(told)[:200]!r}, not {issuer!r}. The issuer counts to the letter."
        )
    return Discovered(
        issuer=issuer,
        authorization_endpoint=endpoint(document, "authorization_endpoint", "authorization endpoint"),
        token_endpoint=endpoint(document, "token_endpoint", "token endpoint"),
        jwks_uri=endpoint(document, "jwks_uri", "address of keys (jwks_uri)"),
        userinfo_endpoint=endpoint(document, "userinfo_endpoint", "", is_needed=False),
        auth_method=auth_method(document),
        tells_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def endpoint(document: dict[str, Any], name: str, words: str, *, is_needed: bool = True) -> str:
    """Raises ProviderUnusable. What may be connected to is judged when we connect; browsers go by http(s) alone."""
    found = document.get(name)
    if isinstance(found, str) and len(found) <= 2000 and found.startswith(("https://", "http://")):
        if document["issuer"].startswith("https://") and not found.startswith("https://"):
            raise ProviderUnusable(f"The provider’s {name} is not https: {found[:200]}.")
        return found
    if is_needed:
        raise ProviderUnusable(f"The provider’s discovery document has no {words}.")
    return ""


def auth_method(document: dict[str, Any]) -> str:
    """Raises ProviderUnusable. `client_secret_basic` is what a provider knows that says nothing of it."""
    told = document.get("token_endpoint_auth_methods_supported")
    known = told if isinstance(told, list) and told else ["client_secret_basic"]
    for method in ("client_secret_basic", "client_secret_post"):
        if method in known:
            return method
    raise ProviderUnusable("The provider’s token endpoint takes no client secret (client_secret_basic or _post).")
