"""What the internal endpoints under `/_aws/sns` read: certificates, what was sent to devices and telephones, tokens.

Operations like the others, but none of AWS's: no wire request reaches them.
"""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.sns.records import OUTBOX, SIGNING_KEYS, SUBSCRIPTIONS, Sent


@read_only
def signing_certificate(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """`Id` -> `Certificate` in PEM; nothing for an unknown id."""
    found = SIGNING_KEYS.find(call.tx, "by_id", request["Id"])
    return {} if found is None else {"Certificate": found.certificate}


@read_only
def sent_messages(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """`Telephones` -> `Messages` by target, in the order of sending. `Target` names one."""
    found: dict[str, list[dict[str, Any]]] = {}
    for record in wanted(call, request):
        found.setdefault(record.target, []).append(described(record))
    return {"Messages": found}


@read_write
def forget_messages(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """The same choice as `sent_messages`."""
    for record in wanted(call, request):
        OUTBOX.delete(call.tx, record.account_id, record.region, record.target, record.sent_at, record.message_id)
    return {}


@read_only
def confirmation_token(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """`SubscriptionArn` -> `Token`; nothing for a subscription that is not there or needed none."""
    topic_arn, _, subscription_id = request["SubscriptionArn"].rpartition(":")
    found = SUBSCRIPTIONS.get(call.tx, topic_arn, subscription_id)
    return {} if found is None or not found.token else {"Token": found.token}


def wanted(call: Call, request: dict[str, Any]) -> list[Sent]:
    target = request.get("Target")
    return [
        record
        for record in OUTBOX.scan(call.tx, call.account_id, call.region)
        if record.target.startswith("arn:") != request["Telephones"] and (not target or target == record.target)
    ]


def described(record: Sent) -> dict[str, Any]:
    """In LocalStack's words. Its clients take other members for a telephone's message than for a device's."""
    shown: dict[str, Any] = {
        "MessageId": record.message_id,
        "Message": record.message,
        "MessageAttributes": record.attributes,
        "Subject": record.subject or None,
    }
    if record.target.startswith("arn:"):
        shown["TargetArn"] = record.target
        given = {"TopicArn": record.topic_arn, "MessageStructure": record.structure}
        return shown | {name: value for name, value in given.items() if value}
    return shown | {
        "PhoneNumber": record.target,
        "TopicArn": record.topic_arn or None,
        "SubscriptionArn": None,
        "MessageStructure": record.structure or None,
    }
