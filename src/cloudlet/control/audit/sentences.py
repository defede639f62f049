"""Every action of the audit log in words. `{target}` is the name of what it was done to; other names are of its data.

An action that has no sentence here is shown by its name; a test looks through the source for such ones.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from types import MappingProxyType

SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        # --- people
        "account.created": "signed up",
        "account.email_verified": "confirmed their e-mail address",
        "account.password_changed": "changed their password",
        "account.password_reset": "reset their password by e-mail",
        "account.email_changed": "changed their e-mail address",
        "account.renamed": "changed their name",
        "account.signed_in": "signed in",
        "account.sign_in_refused": "turned away a sign-in as {target}",
        "account.session_revoked": "signed out one of their browsers",
        "account.sessions_revoked": "signed out all their other browsers",
        "account.totp_enabled": "switched on two-factor sign-in",
        "account.totp_disabled": "switched off two-factor sign-in",
        "account.recovery_codes_created": "made new recovery codes",
        "account.recovery_code_used": "used a recovery code",
        "account.disabled": "disabled the account of {target}",
        "account.enabled": "enabled the account of {target}",
        # --- workspace
        "workspace.created": "created the workspace",
        "workspace.updated": "changed the workspace’s settings",
        "workspace.renamed": "renamed the workspace",
        "workspace.deleted": "deleted the workspace",
        "workspace.restored": "restored the workspace",
        # --- members
        "member.invited": "invited {target}",
        "member.invitation_resent": "sent {target} their invitation again",
        "member.invitation_canceled": "withdrew the invitation of {target}",
        "member.joined": "joined the workspace",
        "member.changed": "changed role or permissions of {target}",
        "member.removed": "removed {target} from the workspace",
        "member.left": "left the workspace",
        # --- licenses
        "license.assigned": "assigned {target} to {membership}",
        "license.unassigned": "took {target} from {membership}",
        "license.expiring": "warned that {target} ends soon",
        "license.expired": "noted that {target} has ended",
        "license.suspended": "suspended {target}",
        "license.resumed": "resumed {target}",
        "offline_file.issued": "issued the license file {target}",
        "offline_file.downloaded": "downloaded the license file {target}",
        "offline_file.revoked": "revoked the license file {target}",
        # --- subscriptions
        "subscription.started": "started the subscription {target}",
        "subscription.changed": "changed the subscription {target}",
        "subscription.canceled": "canceled the subscription {target}",
        "subscription.resumed": "resumed the subscription {target}",
        "subscription.renewed": "renewed the subscription {target}",
        "subscription.expired": "noted the end of the subscription {target}",
        # --- tokens and keys
        "credential.created": "created {target}",
        "credential.revealed": "looked at {target} in clear",
        "credential.reset": "reset {target}",
        "credential.rotated": "rotated {target}",
        "credential.renamed": "renamed {target}",
        "credential.revoked": "revoked {target}",
        "credential.deleted": "deleted {target}",
        "credential.migrated": "migrated {target}",
        "credential.expiring": "warned that {target} ends soon",
        "credential.expired": "noted the end of {target}",
        "credential.reused_after_revoke": "used {target}, which had been revoked",
        "device.approved": "let a device sign in",
        "device.denied": "turned a device away",
        "ci.quota.80": "noted that 80 % of the CI credits are used",
        "ci.quota.100": "noted that all CI credits are used",
        # --- machines
        "machine.blocked": "blocked the machine {target}",
        "machine.unblocked": "let the machine {target} in again",
        # --- telling others
        "audit.exported": "exported the audit log",
        "webhook.created": "created the webhook {target}",
        "webhook.changed": "changed the webhook {target}",
        "webhook.secret_rolled": "rolled the secret of the webhook {target}",
        "webhook.tested": "sent a test event to the webhook {target}",
        "webhook.redelivered": "sent an event to the webhook {target} again",
        "webhook.enabled": "switched on the webhook {target}",
        "webhook.disabled": "switched off the webhook {target}",
        "webhook.deleted": "deleted the webhook {target}",
        # --- single sign-on
        "sso.created": "set up single sign-on with {target}",
        "sso.changed": "changed single sign-on with {target}",
        "sso.deleted": "removed single sign-on with {target}",
        "sso.linked": "linked their account to {target}",
        "sso.unlinked": "unlinked somebody from {target}",
        "sso.enabled": "switched on single sign-on with {target}",
        "sso.disabled": "switched off single sign-on with {target}",
        "sso.tested": "tested single sign-on with {target}",
        "sso.refused": "turned a sign-in with {target} away",
    }
)
NOUNS: Mapping[str, str] = MappingProxyType(
    {
        "account": "Accounts",
        "audit": "Audit log",
        "ci": "CI credits",
        "credential": "Tokens and keys",
        "device": "Devices",
        "license": "Licenses",
        "machine": "Machines",
        "member": "Members",
        "offline_file": "License files",
        "sso": "Single sign-on",
        "subscription": "Subscriptions",
        "webhook": "Webhooks",
        "workspace": "Workspace",
    }
)


def sentence(action: str, target: str, names: Mapping[str, str]) -> str:
    """What was done, in words; what is not known is left unnamed."""
    template = SENTENCES.get(action)
    if template is None:
        return f"did “{action}”" + (f" to {target}" if target else "")
    known = {name: names.get(name) or "something" for _, name, _, _ in string.Formatter().parse(template) if name}
    known["target"] = target or "something"
    return template.format_map(known)


def noun_of(action: str) -> str:
    """The group that an action is listed in."""
    noun = action.partition(".")[0]
    return NOUNS.get(noun, noun.replace("_", " ").capitalize())
