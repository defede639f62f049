"""Events: invocations that nobody waits for. Tried again after failures, then handed to destinations or dead letters.

A job carries out one attempt. When the function fails, the next attempt is another job, after one minute and after two
more; after a throttle it is tried again until the event is too old. All of it follows the emulator's clock.
Source: "Understanding retry behavior in Lambda", "Capturing records of Lambda asynchronous invocations".
"""

from __future__ import annotations

import json
import logging
from typing import Any

from cloudlet.emulator.effects.jobs import enqueue
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.lambda_.destinations import send, to_dead_letters
from cloudlet.emulator.services.lambda_.execution import Outcome, run
from cloudlet.emulator.services.lambda_.names import Named
from cloudlet.emulator.services.lambda_.records import INVOKE_CONFIGS, LATEST
from cloudlet.emulator.services.lambda_.runtimes import CannotRun
from cloudlet.emulator.services.lambda_.targets import Target, find_target
from cloudlet.emulator.services.lambda_.times import iso_zulu

LOG = logging.getLogger("cloudlet.lambda")
EVENT = "lambda.event"
OLDEST_SECONDS = 6 * 3600
ATTEMPTS_AGAIN = 2
THROTTLED_SECONDS, LONGEST_THROTTLED_SECONDS = 1.0, 10.0  # until there may be a place


def accept(call: Call, named: Named, payload: bytes) -> None:
    """Written in the transaction of whoever has the event."""
    job = {
        "account_id": named.account_id,
        "region": named.region,
        "name": named.name,
        "qualifier": named.qualifier,
        "payload": payload,
        "request_id": call.request_id,
        "accepted": call.now,
        "attempt": 1,
        "throttles": 0,
    }
    put(call, job, call.now)


def put(call: Call, job: dict[str, Any], due: float) -> None:
    enqueue(call.tx, EVENT, job, due, call.ids, account_id=job["account_id"], region=job["region"])


async def run_event(call: Call, job: dict[str, Any]) -> None:
    """One attempt."""
    named = Named(job["account_id"], job["region"], job["name"], job["qualifier"])
    try:
        with call.transaction(read_only=True) as tx:
            target = find_target(call, named)
            setting = INVOKE_CONFIGS.get(tx, named.account_id, named.region, named.name, named.qualifier or LATEST)
    except AwsError as error:
        LOG.warning("an event for %s is dropped: %s", named.full_arn, error.message)
        return
    config = setting.value if setting is not None else {}
    call.request_id = job["request_id"]
    if target.reserved == 0:
        await give_up(call, target, config, {**job, "attempt": 0}, None, "ZeroReservedConcurrency")
        return
    oldest = config.get("MaximumEventAgeInSeconds") or OLDEST_SECONDS
    try:
        outcome = await run(call, target, job["payload"], job["request_id"])
    except CannotRun as error:
        LOG.warning("an event for %s is dropped: %s", named.full_arn, error)
        return
    except AwsError:  # throttled
        pause = min(LONGEST_THROTTLED_SECONDS, THROTTLED_SECONDS + job["throttles"] // 10)
        await again(call, target, config, {**job, "throttles": job["throttles"] + 1}, pause, oldest, None)
        return
    if not outcome.error:
        await tell(call, target, config, "OnSuccess", record(call, target, job, outcome, "Success"))
        return
    most = config.get("MaximumRetryAttempts", ATTEMPTS_AGAIN)
    if job["attempt"] > most:
        await give_up(call, target, config, job, outcome, "RetriesExhausted")
        return
    pause = call.settings.lambda_retry_base_delay_seconds * job["attempt"]
    await again(call, target, config, {**job, "attempt": job["attempt"] + 1}, pause, oldest, outcome)


async def again(
    call: Call,
    target: Target,
    config: dict[str, Any],
    job: dict[str, Any],
    pause: float,
    oldest: float,
    outcome: Outcome | None,
) -> None:
    with call.transaction():
        if call.now + pause - job["accepted"] <= oldest:
            put(call, job, call.now + pause)
            return
    await give_up(call, target, config, job, outcome, "EventAgeExceeded")


async def give_up(
    call: Call, target: Target, config: dict[str, Any], job: dict[str, Any], outcome: Outcome | None, why: str
) -> None:
    dead_letters = (target.config.get("DeadLetterConfig") or {}).get("TargetArn")
    if dead_letters:
        await to_dead_letters(call, dead_letters, job["payload"], job["request_id"], outcome)
    await tell(call, target, config, "OnFailure", record(call, target, job, outcome, why))


async def tell(call: Call, target: Target, config: dict[str, Any], condition: str, document: dict[str, Any]) -> None:
    destination = ((config.get("DestinationConfig") or {}).get(condition) or {}).get("Destination")
    if destination:
        await send(call, destination, target, document, "Success" if condition == "OnSuccess" else "Failure")


def record(call: Call, target: Target, job: dict[str, Any], outcome: Outcome | None, why: str) -> dict[str, Any]:
    """The invocation record that a destination gets."""
    context: dict[str, Any] = {"statusCode": 200, "executedVersion": target.version}
    found: dict[str, Any] = {
        "version": "1.0",
        "timestamp": iso_zulu(call.now),
        "requestContext": {
            "requestId": job["request_id"],
            "functionArn": target.arn if target.arn.count(":") > 6 else f"{target.arn}:{LATEST}",
            "condition": why,
            "approximateInvokeCount": job["attempt"],
        },
        "requestPayload": loads(job["payload"]),
    }
    if outcome is not None:
        if outcome.error:
            context["functionError"] = outcome.error
        found["responseContext"] = context
        found["responsePayload"] = loads(outcome.payload)
    return found


def loads(payload: bytes) -> Any:
    return json.loads(payload or b"{}")
