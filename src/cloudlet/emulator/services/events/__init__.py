"""Amazon EventBridge."""

from cloudlet.emulator.effects.jobs import JobHandler
from cloudlet.emulator.eventing import deliveries
from cloudlet.emulator.kernel.service import Service
from cloudlet.emulator.services.events import (
    archives,
    buses,
    connections,
    destinations,
    endpoints,
    events,
    jobs,
    own_operations,
    permissions,
    replays,
    routing,
    rules,
    sources,
    tags,
    targets,
    timers,
)

SERVICE = Service(
    "events",
    modules=(
        events,
        rules,
        targets,
        buses,
        tags,
        archives,
        replays,
        connections,
        destinations,
        permissions,
        endpoints,
        sources,
        own_operations,
    ),
    jobs=(
        JobHandler(timers.FIRE, jobs.fire, gave_up=jobs.fire_gave_up),
        JobHandler(replays.REPLAY, jobs.replay),
        JobHandler(connections.AUTHORIZE, jobs.authorize),
        JobHandler(routing.DELIVER, deliveries.deliver, deliveries.retry_policy, gave_up=deliveries.gave_up),
        JobHandler(routing.CALL, jobs.call_server, deliveries.retry_policy, gave_up=jobs.server_gave_up, delivers=True),
    ),
)
