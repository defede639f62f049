"""API tokens: what authorizes this API without a browser."""

from __future__ import annotations

from cloudlet.control.accounts.errors import WrongCode, WrongPassword
from cloudlet.control.api.auth_tokens import PASSWORDS
from cloudlet.control.api.errors import SudoNeeded, TokenScope
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
    """`scopes` are permissions; `days` is 7, 30, 90 or 365.

    The password (and the second factor's code), where signing in was more than 15 minutes ago.
    """

    name: str
    scopes: tuple[str, ...] = ()
    days: int = 90
    password: str = ""
    code: str = ""


@operation("GET", TOKENS, SIGNED_IN)
def list_api_tokens(call: Call) -> Page[ApiTokenView]:
    """One's own living tokens; for an admin, in a session, all of the workspace's."""
    return Page(living_tokens(call.session, call.platform, call.viewer))


@operation(
    "POST",
    TOKENS,
    SIGNED_IN,
    status=201,
    once=True,
    people_only=True,
    limit=PASSWORDS,
    refuses=(InvalidForm, TokenScope, SudoNeeded, WrongPassword, WrongCode),
)
def create_token(call: Call, body: ApiTokenWish) -> NewApiToken:
    """Create an API token. It is told in this answer and never again."""
    call.prove(body.password, body.code)
    return create_api_token(
        call.session, call.platform, call.viewer, name=body.name, scopes=frozenset(body.scopes), days=body.days
    )


@operation("DELETE", TOKENS + "/{token_id}", SIGNED_IN)
def revoke_token(call: Call, token_id: str) -> None:
    """Revoke a token of one's own; an admin, in a session, everybody's. A token revokes itself and no other."""
    revoke_api_token(call.session, call.platform, call.viewer, token_id)


OPERATIONS = (
    list_api_tokens,
    create_token,
    revoke_token,
)
