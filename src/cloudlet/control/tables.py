"""All tables of all areas in one place, for migrations and tests; the areas own them."""

from __future__ import annotations

from cloudlet.control.accounts.tables import EmailToken, User, WebSession
from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.db import Base
from cloudlet.control.licenses.tables import License, Plan, SigningKey, Subscription
from cloudlet.control.workspaces.tables import Membership, Workspace

__all__ = (
    "Activation",
    "AuditEntry",
    "Base",
    "Credential",
    "EmailToken",
    "License",
    "Machine",
    "Membership",
    "Plan",
    "SigningKey",
    "Subscription",
    "User",
    "WebSession",
    "Workspace",
)
