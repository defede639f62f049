"""What can go wrong with webhooks."""

from __future__ import annotations

from cloudlet.control.errors import Conflict


class TooManyWebhooks(Conflict):
    code = "webhook.limit"
    title = "A workspace has 20 webhooks at most"
    hint = "Delete one that is not needed any more."


class WebhookDisabled(Conflict):
    code = "webhook.disabled"
    title = "This webhook is switched off"
    hint = "Switch it on first."
