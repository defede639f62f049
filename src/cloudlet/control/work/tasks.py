"""All tasks, in one place; the areas own what they do."""

from __future__ import annotations

from cloudlet.control.activations import retention
from cloudlet.control.credentials import expiry
from cloudlet.control.devices import service as devices
from cloudlet.control.licenses import renewals, rotation
from cloudlet.control.limits import service as limits
from cloudlet.control.mail import delivery as mail
from cloudlet.control.sso import attempts as sso
from cloudlet.control.webhooks import delivery as webhooks
from cloudlet.control.work.worker import Task

TASKS: tuple[Task, ...] = (
    Task("mail", seconds=20, run=mail.send_due, lease_seconds=mail.CLAIM_SECONDS),
    Task("subscriptions", seconds=60, run=renewals.run),
    Task("signing-keys", seconds=60, run=rotation.promote_due),
    Task("limits", seconds=3600, run=limits.forget),
    Task("webhooks", seconds=2, run=webhooks.deliver_due, has_work=webhooks.has_work),
    Task("webhooks.prune", seconds=3600, run=webhooks.prune),
    Task("devices", seconds=3600, run=devices.forget_old),
    Task("activations", seconds=3600, run=retention.forget_old),
    Task("sso", seconds=3600, run=sso.forget),
    Task("credentials", seconds=24 * 3600, run=expiry.warn),
)
