"""All operations of the native API, and their routes."""

from __future__ import annotations

from cloudlet.control.api import (
    activations,
    api_keys,
    api_tokens,
    audit,
    auth_tokens,
    ci_keys,
    devices,
    invitations,
    licenses,
    members,
    offline_files,
    session,
    sso,
    subscriptions,
    token_pages,
    users,
    webhooks,
    workspaces,
)
from cloudlet.control.api.serve import routes_of

OPERATIONS = (
    *session.OPERATIONS,
    *users.OPERATIONS,
    *workspaces.OPERATIONS,
    *members.OPERATIONS,
    *invitations.OPERATIONS,
    *licenses.OPERATIONS,
    *subscriptions.OPERATIONS,
    *auth_tokens.OPERATIONS,
    *devices.OPERATIONS,
    *ci_keys.OPERATIONS,
    *api_keys.OPERATIONS,
    *api_tokens.OPERATIONS,
    *activations.OPERATIONS,
    *offline_files.OPERATIONS,
    *webhooks.OPERATIONS,
    *sso.OPERATIONS,
    *audit.OPERATIONS,
)
ROUTES = (
    *routes_of(OPERATIONS),
    *token_pages.ROUTES,
)
