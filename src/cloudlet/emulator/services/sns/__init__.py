"""Amazon SNS."""

from cloudlet.emulator.effects.jobs import JobHandler
from cloudlet.emulator.kernel.service import Service
from cloudlet.emulator.services.sns import (
    data_protection,
    deliveries,
    inspection,
    messages,
    permissions,
    platform_applications,
    platform_endpoints,
    sms,
    subscriptions,
    tags,
    topics,
)

SERVICE = Service(
    "sns",
    modules=(
        topics,
        subscriptions,
        messages,
        tags,
        permissions,
        platform_applications,
        platform_endpoints,
        sms,
        data_protection,
        inspection,
    ),
    jobs=(
        JobHandler(
            deliveries.DELIVER,
            deliveries.deliver,
            deliveries.retry_policy,
            gave_up=deliveries.gave_up,
            delivers=True,
        ),
    ),
)
