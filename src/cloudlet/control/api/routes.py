"""All operations of the native API, and their routes."""

from __future__ import annotations

from cloudlet.control.api import api_tokens, audit, auth_tokens, licenses, members, token_pages
from cloudlet.control.api.serve import routes_of

OPERATIONS = (
    *members.OPERATIONS,
    *licenses.OPERATIONS,
    *auth_tokens.OPERATIONS,
    *api_tokens.OPERATIONS,
    *audit.OPERATIONS,
)
ROUTES = (
    *routes_of(OPERATIONS),
    *token_pages.ROUTES,
)
