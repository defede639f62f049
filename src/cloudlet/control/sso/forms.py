"""What admins fill in about an identity provider."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from cloudlet.control.errors import InvalidForm
from cloudlet.control.members.forms import read_member_form
from cloudlet.control.sso.discovery import checked_issuer
from cloudlet.settings import PlatformSettings

SCOPES = "openid email profile"
MOST_DOMAINS = 20
DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749, 3.3


class ProviderForm(msgspec.Struct, frozen=True, kw_only=True):
    """`client_secret` "" keeps the one that there is. `permissions` as in MemberForm, the rest as in SsoProvider."""

    name: str
    issuer: str
    client_id: str
    client_secret: str
    scopes: str
    domains: tuple[str, ...]
    role: str
    permissions: dict[str, bool] | None
    admits_new: bool = True
    is_required: bool = False


def read_provider_form(fields: Mapping[str, str], settings: PlatformSettings) -> ProviderForm:
    """Raises InvalidForm."""
    member = read_member_form(fields)
    return checked_provider(
        ProviderForm(
            name=fields.get("name", ""),
            issuer=fields.get("issuer", ""),
            client_id=fields.get("client_id", ""),
            client_secret=fields.get("client_secret", ""),
            scopes=fields.get("scopes", ""),
            domains=tuple(re.split(r"[\s,;]+", fields.get("domains", ""))),
            role=member.role,
            permissions=member.permissions,
            admits_new="admits_new" in fields,
            is_required="is_required" in fields,
        ),
        settings,
    )


def checked_provider(form: ProviderForm, settings: PlatformSettings) -> ProviderForm:
    """Cleaned. Raises InvalidForm, ProviderUnusable."""
    name = " ".join(form.name.split())
    if not 0 < len(name) <= 80 or not name.isprintable():
        raise InvalidForm("Give the provider a name, in 80 characters at most: it is on the button that people see.")
    client_id, secret = form.client_id.strip(), form.client_secret.strip()
    if not 0 < len(client_id) <= 300 or not is_visible(client_id):
        raise InvalidForm("Enter the client ID that the provider gave you.")
    if len(secret) > 1000 or not is_visible(secret):
        raise InvalidForm(
            "That is no client secret: it has 1,000 letters, digits and signs of ASCII at most, in one line."
        )
    return msgspec.structs.replace(
        form,
        name=name,
        issuer=checked_issuer(form.issuer, settings),
        client_id=client_id,
        client_secret=secret,
        scopes=checked_scopes(form.scopes),
        domains=checked_domains(form.domains),
    )


def is_visible(text: str) -> bool:
    """Of printable ASCII, as client IDs and secrets are (RFC 6749, A.1 and A.2): others do not fit into a header."""
    return text.isascii() and text.isprintable()


def checked_scopes(text: str) -> str:
    """Raises InvalidForm."""
    scopes = tuple(dict.fromkeys(text.split())) or tuple(SCOPES.split())
    if "openid" not in scopes:
        raise InvalidForm("“openid” must be among the scopes: without it nothing says who somebody is.")
    joined = " ".join(scopes)
    if len(joined) > 300 or not all(SCOPE.fullmatch(scope) for scope in scopes):
        raise InvalidForm("Scopes are words with blanks between them, such as “openid email profile”.")
    return joined


def checked_domains(domains: tuple[str, ...]) -> tuple[str, ...]:
    """In lower case. Raises InvalidForm."""
    found = tuple(dict.fromkeys(domain.strip().lower().lstrip("@") for domain in domains if domain.strip()))
    if not found:
        raise InvalidForm("Enter the domains of your e-mail addresses, such as example.com: others may not come in.")
    if len(found) > MOST_DOMAINS:
        raise InvalidForm(f"A provider has {MOST_DOMAINS} domains at most.")
    wrong = [domain for domain in found if not DOMAIN.fullmatch(domain)]
    if wrong:
        raise InvalidForm(f"“{wrong[0][:80]}” is no domain such as example.com.")
    return found
