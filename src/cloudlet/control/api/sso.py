"""Identity providers for single sign-on, and whom they have linked."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from cloudlet.control.api.operation import Arrival, Body, Call, Page, etag_of, operation
from cloudlet.control.errors import InvalidForm
from cloudlet.control.members.errors import CannotGrant
from cloudlet.control.members.service import lock_for
from cloudlet.control.permissions import PERMISSIONS
from cloudlet.control.sso import service
from cloudlet.control.sso.discovery import CHECKS, checked_issuer, discover
from cloudlet.control.sso.errors import ProviderUnusable, SsoAdminNeeded, SsoLimit
from cloudlet.control.sso.forms import SCOPES, ProviderForm, checked_provider
from cloudlet.control.sso.tables import SsoProvider
from cloudlet.control.sso.views import ProviderView, list_providers, people_of, provider_view

Role = Literal["admin", "member", "billing", "auditor"]
PROVIDERS = "/workspaces/{workspace_id}/sso"
PROVIDER = PROVIDERS + "/{provider_id}"
MANAGE = "sso.manage"
KEPT = msgspec.UNSET


class IdentityProvider(msgspec.Struct, frozen=True, kw_only=True):
    """`domains`: of the addresses that may come in; `led_to`: those from which the sign-in page leads here.

    `role`, `permissions`: what newcomers get, as of members; `admits_new`: whether newcomers join at all. `required`:
    members who are no admins come in by single sign-on alone. Nothing tells the client secret.
    """

    id: str
    name: str
    issuer: str
    client_id: str
    scopes: str
    domains: tuple[str, ...]
    led_to: tuple[str, ...]
    role: str
    permissions: dict[str, bool] | None
    admits_new: bool
    required: bool
    enabled: bool
    callback_url: str
    portal_url: str
    created_at: datetime
    people: int
    last_used_at: datetime | None


class ProviderWish(Body, frozen=True, kw_only=True):
    """A provider, as its own pages and discovery document describe it."""

    name: str
    issuer: str
    client_id: str
    client_secret: str
    domains: tuple[str, ...]
    scopes: str = SCOPES
    role: Role = "member"
    permissions: dict[str, bool] | None = None
    admits_new: bool = True
    required: bool = False


class ProviderChange(Body, frozen=True, kw_only=True):
    """What is left out stays; another issuer needs its client secret."""

    name: str | msgspec.UnsetType = KEPT
    issuer: str | msgspec.UnsetType = KEPT
    client_id: str | msgspec.UnsetType = KEPT
    client_secret: str | msgspec.UnsetType = KEPT
    domains: tuple[str, ...] | msgspec.UnsetType = KEPT
    scopes: str | msgspec.UnsetType = KEPT
    role: Role | msgspec.UnsetType = KEPT
    permissions: dict[str, bool] | msgspec.UnsetType | None = KEPT
    admits_new: bool | msgspec.UnsetType = KEPT
    required: bool | msgspec.UnsetType = KEPT
    enabled: bool | msgspec.UnsetType = KEPT


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider says of itself. `token_endpoint_auth_method`: how Cloudlet proves there who it is."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    token_endpoint_auth_method: str


class LinkedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """`subject`: the provider's own name for them."""

    id: str
    name: str
    email: str
    subject: str
    created_at: datetime
    last_used_at: datetime | None


def check_issuer(arrival: Arrival, body: ProviderWish | ProviderChange) -> None:
    """The provider is asked who it is before anything is kept, and before the transaction. Raises ProviderUnusable."""
    if isinstance(body.issuer, str):
        discover(arrival.platform, checked_issuer(body.issuer, arrival.platform.settings))


@operation("GET", PROVIDERS, MANAGE)
def list_identity_providers(call: Call) -> Page[IdentityProvider]:
    """All identity providers, ten at most."""
    found = list_providers(call.session, call.platform, call.viewer.workspace_id)
    return Page(tuple(map(shape, found)))


@operation(
    "POST",
    PROVIDERS,
    MANAGE,
    status=201,
    once=True,
    limit=CHECKS,
    before=check_issuer,
    refuses=(ProviderUnusable, InvalidForm, CannotGrant, SsoLimit),
)
def create_identity_provider(call: Call, body: ProviderWish) -> IdentityProvider:
    """Set up single sign-on with a provider, which is asked for its discovery document.

    It is on from the start where an admin makes it; else an admin has to switch it on. Register `callback_url` with it.
    """
    form = checked_form({**msgspec.structs.asdict(body), "is_required": body.required}, call)
    return told(call, service.create_provider(call.session, call.platform, call.viewer, form))


@operation("GET", PROVIDER, MANAGE)
def get_identity_provider(call: Call, provider_id: str) -> IdentityProvider:
    """One identity provider; the ETag is what PATCH wants as If-Match."""
    return told(call, service.find_provider(call.session, call.viewer.workspace_id, provider_id))


@operation(
    "PATCH",
    PROVIDER,
    MANAGE,
    match="needed",
    limit=CHECKS,
    before=check_issuer,
    refuses=(ProviderUnusable, InvalidForm, CannotGrant, SsoAdminNeeded),
)
def change_identity_provider(call: Call, provider_id: str, body: ProviderChange) -> IdentityProvider:
    """Change a provider, or switch it off and on.

    Off, nobody comes in by it, and who did is signed out. With another issuer or client everybody is linked anew. Only an
    admin switches it on, and who is none switches it off by changing issuer, client or domains.
    """
    lock_for(call.session, call.viewer, MANAGE)
    row = service.find_provider(call.session, call.viewer.workspace_id, provider_id)
    call.match(version_of(row), is_needed=True)
    wanted = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not KEPT}
    if "required" in wanted:
        wanted["is_required"] = wanted["required"]
    form = checked_form({**msgspec.structs.asdict(service.form_of(row)), **wanted}, call)
    row = service.change_provider(call.session, call.platform, call.viewer, provider_id, form)
    if "enabled" in wanted:
        switch = service.enable_provider if wanted["enabled"] else service.disable_provider
        switch(call.session, call.platform, call.viewer, provider_id)
    call.session.flush()
    return told(call, row)


@operation("DELETE", PROVIDER, MANAGE, match="optional")
def delete_identity_provider(call: Call, provider_id: str) -> None:
    """Delete a provider: who came by it is signed out, and stays a member."""
    lock_for(call.session, call.viewer, MANAGE)
    call.match(version_of(service.find_provider(call.session, call.viewer.workspace_id, provider_id)))
    service.delete_provider(call.session, call.platform, call.viewer, provider_id)


@operation("GET", PROVIDER + "/discovery", MANAGE, limit=CHECKS, refuses=(ProviderUnusable,))
def test_identity_provider(call: Call, provider_id: str) -> Discovery:
    """Ask the provider for its discovery document: what it says, or what is wrong with it.

    Whether people come in shows "Test sign-in" on the provider's page, which goes all the way there and back.
    """
    issuer = service.find_provider(call.session, call.viewer.workspace_id, provider_id).issuer
    call.session.close()  # nobody waits for the provider with the database in hand
    found = discover(call.platform, issuer)
    return Discovery(
        issuer=found.issuer,
        authorization_endpoint=found.authorization_endpoint,
        token_endpoint=found.token_endpoint,
        jwks_uri=found.jwks_uri,
        userinfo_endpoint=found.userinfo_endpoint,
        token_endpoint_auth_method=found.auth_method,
    )


@operation("GET", PROVIDER + "/people", MANAGE)
def list_linked_people(call: Call, provider_id: str) -> Page[LinkedPerson]:
    """Who came by the provider, last seen first, a hundred at most."""
    service.find_provider(call.session, call.viewer.workspace_id, provider_id)
    return Page(
        tuple(LinkedPerson(**msgspec.structs.asdict(person)) for person in people_of(call.session, provider_id))
    )


@operation("DELETE", PROVIDER + "/people/{identity_id}", MANAGE)
def unlink_person(call: Call, provider_id: str, identity_id: str) -> None:
    """Unlink somebody, and sign them out: their next sign-in links them anew, by their address."""
    service.unlink(call.session, call.platform, call.viewer, provider_id, identity_id)


def checked_form(fields: dict[str, Any], call: Call) -> ProviderForm:
    """Raises InvalidForm, ProviderUnusable."""
    switches = fields["permissions"]
    if switches is not None and not switches.keys() <= PERMISSIONS:
        raise InvalidForm("One of the permissions does not exist.")
    if fields["role"] == "admin" and switches:
        raise InvalidForm("An admin has everything, and no switches.")
    known = {name: fields[name] for name in ProviderForm.__struct_fields__ if name in fields}
    return checked_provider(ProviderForm(**known), call.platform.settings)


def told(call: Call, row: SsoProvider) -> IdentityProvider:
    call.tell_version(version_of(row))
    return shape(provider_view(call.session, call.platform, row))


def version_of(row: SsoProvider) -> str:
    """Of what people set; who signs in meanwhile changes nothing of it."""
    state = "" if row.disabled_at is None else row.disabled_at.isoformat()
    secret = row.client_secret_enc.hex()
    return etag_of(Version(form=service.form_of(row), state=state, secret=secret))


class Version(msgspec.Struct, frozen=True):
    form: ProviderForm
    state: str
    secret: str


def shape(found: ProviderView) -> IdentityProvider:
    return IdentityProvider(
        id=found.id,
        name=found.name,
        issuer=found.issuer,
        client_id=found.client_id,
        scopes=found.scopes,
        domains=found.domains,
        led_to=found.led_to,
        role=found.role,
        permissions=found.permissions,
        admits_new=found.admits_new,
        required=found.is_required,
        enabled=found.is_enabled,
        callback_url=found.callback_url,
        portal_url=found.portal_url,
        created_at=found.created_at,
        people=found.people,
        last_used_at=found.last_used_at,
    )


OPERATIONS = (
    list_identity_providers,
    create_identity_provider,
    get_identity_provider,
    change_identity_provider,
    delete_identity_provider,
    test_identity_provider,
    list_linked_people,
    unlink_person,
)
