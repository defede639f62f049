"""API tokens: what authorizes this API without a browser."""

from __future__ import annotations

from cloudlet.control.api.errors import TokenScope
from cloudlet.control.api.operation import Body, Call, Page, operation
from cloudlet.control.api.tokens import (
    ApiTokenView,
    NewApiToken,
    create_api_token,
    living_tokens,
    revoke_api_token,
)
from cloudlet.control.errors import InvalidForm
from cloudlet.control.permissions import SIGNED_IN

TOKENS = "/workspaces/{workspace_id}/api-tokens"


class ApiTokenWish(Body, frozen=True, kw_only=True):
    """`scopes` are permissions; `days` is 7, 30, 90 or 365."""

    name: str
    scopes: tuple[str, ...] = ()
    days: int = 90


@operation("GET", TOKENS, SIGNED_IN)
def list_api_tokens(call: Call) -> Page[ApiTokenView]:
    """One's own living tokens; for an admin all of the workspace's."""
    return Page(living_tokens(call.session, call.platform, call.viewer))


@operation("POST", TOKENS, SIGNED_IN, status=201, once=True, people_only=True, refuses=(InvalidForm, TokenScope))
def create_token(call: Call, body: ApiTokenWish) -> NewApiToken:
    """Create an API token. It is told in this answer and never again."""
    return create_api_token(
        call.session, call.platform, call.viewer, name=body.name, scopes=frozenset(body.scopes), days=body.days
    )


@operation("DELETE", TOKENS + "/{token_id}", SIGNED_IN)
def revoke_token(call: Call, token_id: str) -> None:
    """Revoke a token, the one that calls too. An admin may revoke everybody's."""
    revoke_api_token(call.session, call.platform, call.viewer, token_id)


OPERATIONS = (
    list_api_tokens,
    create_token,
    revoke_token,
)
