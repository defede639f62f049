"""What can go wrong with credentials."""

from __future__ import annotations

from cloudlet.control.errors import Forbidden, NotFound, Refusal


class NotRevealable(Refusal):
    status = 409
    code = "credential.not_revealable"
    title = "This token can not be shown again"
    hint = "Reset it to get a new one."


class LegacyKeysOff(Forbidden):
    code = "api_key.off"
    title = "This platform makes no new legacy API keys"
    hint = "Use an auth token for a person, a CI key for a pipeline."


class KeyUnknown(NotFound):
    code = "api_key.not_found"
    title = "This workspace has no such API key"
