"""Carrying out a delivery: at once or by a job, again when it fails, to a dead-letter queue when that is of no use.

    send(call, parcel, KIND)                        in a transaction: queues and topics get theirs with it
    JobHandler(KIND, deliver, retry_policy, gave_up=gave_up)      carries out the rest

A parcel is the payload of the job, plain data. Permanent failures (no such target, no permission, a request that is
wrong) go to the dead letters without another attempt. Source: "Using dead-letter queues to process undelivered events".
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from cloudlet.emulator.effects.jobs import GiveUp, Refused, RetryPolicy, enqueue
from cloudlet.emulator.eventing.arns import parse_arn
from cloudlet.emulator.eventing.targets.errands import Errand
from cloudlet.emulator.kernel.call import Call, Principal
from cloudlet.emulator.kernel.errors import AwsError, NotImplementedFailure

LOG = logging.getLogger("cloudlet.eventing")
# native services whose operations take part in the caller's transaction
AT_ONCE = frozenset({"sqs", "sns", "events", "lambda"})
MOST_ATTEMPTS, OLDEST_SECONDS = 185, 86400  # what AWS does where no policy says less
LONGEST_DELAY_SECONDS = 600.0
TRANSIENT = ("Throttl", "TooManyRequests", "Unavailable", "RequestLimitExceeded", "LimitExceeded", "Timeout")
PERMANENT = "permanent"
CODES: Mapping[str, str] = MappingProxyType(
    {
        "NotFound": "NO_RESOURCE",
        "NonExistent": "NO_RESOURCE",
        "DoesNotExist": "NO_RESOURCE",
        "Denied": "NO_PERMISSIONS",
        "Authorization": "NO_PERMISSIONS",
        "Throttl": "THROTTLING",
    }
)


class Parcel(msgspec.Struct, kw_only=True):
    """One delivery.

    - `errand`: what to carry out; `text`: what the dead letter says.
    - `attributes`: of the dead letter, beside those about the failure; `own_codes`: EventBridge's codes for failures,
      instead of the service's.
    - `attempts`, `age_seconds`: when to give up; `since`: seconds since the epoch.
    - `is_document`: a user wrote the request.
    """

    errand: Errand
    text: str
    attributes: dict[str, str]
    dead_letters: str = ""
    attempts: int = MOST_ATTEMPTS
    age_seconds: int = OLDEST_SECONDS
    is_document: bool = False
    own_codes: bool = True


class Undelivered(Refused):
    """A failed attempt that another may mend: `code|message`."""


def policy_of(target: Mapping[str, Any]) -> dict[str, Any]:
    """The parcel's members that a target's RetryPolicy and DeadLetterConfig decide."""
    policy = target.get("RetryPolicy") or {}
    return {
        "dead_letters": (target.get("DeadLetterConfig") or {}).get("Arn", ""),
        "attempts": policy.get("MaximumRetryAttempts", MOST_ATTEMPTS),
        "age_seconds": policy.get("MaximumEventAgeInSeconds", OLDEST_SECONDS),
    }


def send(call: Call, parcel: Parcel, kind: str) -> None:
    """Deliver, or see to it that it is delivered. Never fails. `kind`: of the job."""
    errand = parcel.errand
    if errand.service in AT_ONCE and not parcel.is_document:
        try:
            invoke(call, errand)
        except AwsError as error:
            if is_permanent(error):
                to_dead_letters(call, parcel, *words_of(error), 0, exhausted="")
                return
        else:
            return
    enqueue(call.tx, kind, pack(parcel), call.now, call.ids, account_id=call.account_id, region=call.region)


def invoke(call: Call, errand: Errand) -> None:
    owner = errand.account_id or call.account_id
    target = call.at(owner, errand.region or call.region)
    target.invoke(errand.service, errand.operation, errand.request, principal=principal_of(call))


def principal_of(call: Call) -> Principal:
    name = f"{call.service}.amazonaws.com"
    return Principal(call.account_id, "", "service", name, name)


def pack(parcel: Parcel) -> dict[str, Any]:
    """As the job's payload."""
    packed: dict[str, Any] = msgspec.to_builtins(parcel, builtin_types=(bytes,))
    return packed


def unpack(payload: Mapping[str, Any]) -> Parcel:
    return msgspec.convert(payload, Parcel)


def retry_policy(payload: dict[str, Any]) -> RetryPolicy:
    """Delays that double from a second, within the attempts and the age that the target allows."""
    delays: list[float] = []
    left = float(payload["age_seconds"])
    while len(delays) < payload["attempts"]:
        delay = min(LONGEST_DELAY_SECONDS, 2.0 ** len(delays))
        if delay > left:
            break
        left -= delay
        delays.append(delay)
    return RetryPolicy(tuple(delays))


async def carry_out(call: Call, errand: Errand, *, is_document: bool = False) -> Mapping[str, Any]:
    """All steps of an errand; what the last one answers. Raises AwsError. `is_document`: a user wrote the request."""
    place = call.at(errand.account_id or call.account_id, errand.region or call.region)
    for operation, request in errand.before:
        try:
            await place.reach(errand.service, operation, request)
        except AwsError as error:
            if error.code not in errand.tolerated:
                raise
    return await place.reach(errand.service, errand.operation, errand.request, is_document=is_document)


async def deliver(call: Call, payload: dict[str, Any]) -> None:
    """One attempt. Raises GiveUp, Undelivered."""
    parcel = unpack(payload)
    try:
        await carry_out(call, parcel.errand, is_document=parcel.is_document)
    except AwsError as error:
        code, message = words_of(error)
        if is_permanent(error):
            raise GiveUp(f"{PERMANENT}|{code}|{message}") from error
        raise Undelivered(f"{code}|{message}") from error


def gave_up(call: Call, payload: dict[str, Any], reason: str) -> None:
    """The last attempt failed: a dead letter, in the transaction that ends the job."""
    parcel = unpack(payload)
    permanent = reason.startswith(f"{PERMANENT}|")
    code, told, message = reason.removeprefix(f"{PERMANENT}|").partition("|")
    if not told:  # no answer at all
        code, message = "SDK_CLIENT_ERROR", reason
    attempts = 0 if permanent else len(retry_policy(payload).delays_seconds)
    by_count = attempts >= parcel.attempts
    exhausted = "" if permanent else "MaximumRetryAttempts" if by_count else "MaximumEventAgeInSeconds"
    to_dead_letters(call, parcel, code, message, attempts, exhausted)


def to_dead_letters(call: Call, parcel: Parcel, code: str, message: str, attempts: int, exhausted: str) -> None:
    """Nowhere when there is no such queue; then the log says so."""
    queue = parse_arn(parcel.dead_letters) if parcel.dead_letters else None
    target = parcel.attributes.get("TARGET_ARN", "")
    if queue is None:
        LOG.warning("%s could not deliver to %s: %s: %s", call.service, target, code, message)
        return
    attributes = {
        **parcel.attributes,
        "ERROR_CODE": own_code(code) if parcel.own_codes else code,
        "ERROR_MESSAGE": message or code,
        "RETRY_ATTEMPTS": str(attempts),
    }
    if exhausted:
        attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
    letter = {
        "QueueUrl": f"/{queue.account}/{queue.resource}",
        "MessageBody": parcel.text,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
        },
    }
    try:
        invoke(call, Errand(queue.account, queue.region, "sqs", "SendMessage", letter))
    except AwsError as error:
        LOG.warning("%s lost an event for %s: its dead letters: %s", call.service, target, error.message)


def is_permanent(error: AwsError) -> bool:
    """Whether another attempt would fail as well."""
    if isinstance(error, NotImplementedFailure):
        return True
    return error.status < 500 and not error.code.startswith(TRANSIENT)


def words_of(error: AwsError) -> tuple[str, str]:
    return error.query_code or error.code, error.message


def own_code(code: str) -> str:
    """EventBridge's name for a kind of failure."""
    if code.isupper() or code.isdigit():
        return code
    return next((own for part, own in CODES.items() if part in code), "SDK_CLIENT_ERROR")
