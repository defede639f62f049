"""AWS Lambda."""

from cloudlet.emulator.effects.jobs import JobHandler
from cloudlet.emulator.kernel.service import Service
from cloudlet.emulator.services.lambda_ import (
    aliases,
    asynchronous,
    behaviours,
    code_signing,
    concurrency,
    functions,
    invocations,
    invoke_configs,
    layers,
    mappings,
    permissions,
    tags,
    url_requests,
    urls,
    versions,
)
from cloudlet.emulator.services.lambda_.sources import watching

SERVICE = Service(
    "lambda",
    modules=(
        functions,
        versions,
        aliases,
        invocations,
        permissions,
        layers,
        concurrency,
        invoke_configs,
        urls,
        code_signing,
        behaviours,
        tags,
        mappings,
        url_requests,
    ),
    parsers={"InvokeUrl": url_requests.parse_url_request},
    jobs=(JobHandler(asynchronous.EVENT, asynchronous.run_event, long=True, lease_seconds=60.0),),
    background=watching.watch,
)
