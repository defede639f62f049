"""All tables of all areas in one place, for migrations and tests; the areas own them."""

from __future__ import annotations

from cloudlet.control.accounts.tables import EmailToken, RecoveryCode, User, WebSession
from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.ci.tables import CiCharge, CiPeriod
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.db import Base
from cloudlet.control.devices.tables import DeviceRequest
from cloudlet.control.licenses.notices import ExpiryNotice
from cloudlet.control.licenses.tables import License, Plan, SigningKey, Subscription
from cloudlet.control.limits.tables import IdempotencyKey, RateBucket
from cloudlet.control.mail.tables import OutboxMail
from cloudlet.control.members.tables import Invitation
from cloudlet.control.offline.tables import OfflineFile
from cloudlet.control.sso.tables import SsoAttempt, SsoIdentity, SsoProvider
from cloudlet.control.webhooks.tables import Webhook, WebhookDelivery
from cloudlet.control.work.tables import Lease
from cloudlet.control.workspaces.tables import Membership, Workspace

__all__ = (
    "Activation",
    "AuditEntry",
    "Base",
    "CiCharge",
    "CiPeriod",
    "Credential",
    "DeviceRequest",
    "EmailToken",
    "ExpiryNotice",
    "IdempotencyKey",
    "Invitation",
    "Lease",
    "License",
    "Machine",
    "Membership",
    "OfflineFile",
    "OutboxMail",
    "Plan",
    "RateBucket",
    "RecoveryCode",
    "SigningKey",
    "SsoAttempt",
    "SsoIdentity",
    "SsoProvider",
    "Subscription",
    "User",
    "WebSession",
    "Webhook",
    "WebhookDelivery",
    "Workspace",
)
