"""Amazon EventBridge Scheduler."""

from cloudlet.emulator.effects.jobs import JobHandler
from cloudlet.emulator.eventing import deliveries
from cloudlet.emulator.kernel.service import Service
from cloudlet.emulator.services.scheduler import groups, jobs, schedules, timers

SERVICE = Service(
    "scheduler",
    modules=(groups, schedules),
    jobs=(
        JobHandler(timers.FIRE, jobs.fire, gave_up=jobs.fire_gave_up),
        JobHandler(jobs.DELIVER, deliveries.deliver, deliveries.retry_policy, gave_up=deliveries.gave_up),
    ),
)
