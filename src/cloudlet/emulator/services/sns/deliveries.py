"""Deliveries to web servers: jobs that send what was signed in the request's transaction, and dead letters at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudlet.emulator.effects.jobs import GiveUp, RetryPolicy, enqueue
from cloudlet.emulator.kernel.call import Call, Principal
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.sns import signatures
from cloudlet.emulator.services.sns.delivery_policies import effective_subscription_policy, retry_delays
from cloudlet.emulator.services.sns.envelopes import render, text_to_sign, timestamp
from cloudlet.emulator.services.sns.records import Subscription, Topic

if TYPE_CHECKING:
    from cloudlet.emulator.effects.delivery import HttpDelivery

DELIVER = "sns.deliver"
TIMEOUT_SECONDS = 15.0
TOO_MANY_REQUESTS = 429
SENDER = Principal("sns.amazonaws.com", "", "service", "sns.amazonaws.com", "AIDAIT2UOQQY3AUEKVGXU")


class Refused(Exception):
    """The server did not accept the message."""


def base_url(call: Call) -> str:
    """What the URLs in messages begin with."""
    return f"{call.settings.protocol}://{call.settings.localstack_host}"


def signed(call: Call, document: dict[str, Any], version: str, use: str) -> dict[str, Any]:
    """The document with its signature."""
    key = signatures.signing_key(call, use)
    document["SignatureVersion"] = version
    document["Signature"] = signatures.sign(key, text_to_sign(document), version)
    document["SigningCertURL"] = signatures.certificate_url(base_url(call), key)
    return document


def ask_for_confirmation(call: Call, topic: Topic, subscription: Subscription) -> None:
    text = (
        f"You have chosen to subscribe to the topic {topic.arn}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message."
    )
    tell(call, topic, subscription, "SubscriptionConfirmation", text)


def tell_of_the_end(call: Call, topic: Topic, subscription: Subscription) -> None:
    text = (
        f"You have chosen to deactivate subscription {subscription.arn}.\n"
        "To cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
    )
    tell(call, topic, subscription, "UnsubscribeConfirmation", text)


def tell(call: Call, topic: Topic, subscription: Subscription, kind: str, text: str) -> None:
    """Enqueue a message about the subscription; only web servers get one."""
    if subscription.protocol not in ("http", "https"):
        return
    token = subscription.token
    document = {
        "Type": kind,
        "MessageId": call.ids.uuid(),
        "Token": token,
        "TopicArn": topic.arn,
        "Message": text,
        "SubscribeURL": f"{base_url(call)}/?Action=ConfirmSubscription&TopicArn={topic.arn}&Token={token}",
        "Timestamp": timestamp(call.now),
    }
    body = render(signed(call, document, topic.signature_version, signatures.HTTP))
    deliver_later(call, topic, subscription, kind, document["MessageId"], body, raw=False)


def deliver_later(
    call: Call, topic: Topic, subscription: Subscription, kind: str, message_id: str, body: str, raw: bool
) -> None:
    """Enqueue one request to the subscription's server, in the caller's transaction."""
    policy = effective_subscription_policy(
        topic.attributes.get("DeliveryPolicy", ""), subscription.attributes.get("DeliveryPolicy", "")
    )
    headers = {
        "Content-Type": policy["requestPolicy"]["headerContentType"],
        "User-Agent": "Amazon Simple Notification Service Agent",
        "x-amz-sns-message-type": kind,
        "x-amz-sns-message-id": message_id,
        "x-amz-sns-topic-arn": topic.arn,
    }
    if kind != "SubscriptionConfirmation":
        headers["x-amz-sns-subscription-arn"] = subscription.arn
    if raw:
        headers["x-amz-sns-rawdelivery"] = "true"
    enqueue(
        call.tx,
        DELIVER,
        {
            "url": subscription.endpoint,
            "headers": headers,
            "body": body,
            "delays": retry_delays(policy["healthyRetryPolicy"]),
            "dead_letter_arn": subscription.redrive_target if kind == "Notification" else "",
        },
        call.now,
        call.ids,
        account_id=topic.account_id,
        region=topic.region,
    )


def retry_policy(payload: dict[str, Any]) -> RetryPolicy:
    return RetryPolicy(tuple(payload["delays"]))


async def deliver(call: Call, payload: dict[str, Any], http: HttpDelivery) -> None:
    """One attempt. Raises GiveUp when the server says that the request is wrong: sending it again would not help."""
    status = await http.send("POST", payload["url"], payload["headers"], payload["body"].encode(), TIMEOUT_SECONDS)
    if 400 <= status < 500 and status != TOO_MANY_REQUESTS:
        raise GiveUp(f"{payload['url']} answered {status}")
    if not 200 <= status < 300:
        raise Refused(f"{payload['url']} answered {status}")


def gave_up(call: Call, payload: dict[str, Any], reason: str) -> None:
    """The message goes to the subscription's dead-letter queue, where it has one."""
    if payload["dead_letter_arn"]:
        to_dead_letters(call, payload["dead_letter_arn"], {"MessageBody": payload["body"]})


def to_dead_letters(call: Call, arn: str, message: dict[str, Any]) -> None:
    """A dead-letter queue that is gone loses the message, as on AWS."""
    try:
        send_to_queue(call, arn, message)
    except AwsError:
        return


def send_to_queue(call: Call, arn: str, message: dict[str, Any]) -> None:
    """SendMessage in this transaction, as SNS. Raises what SQS raises; then nothing was written."""
    parts = arn.split(":", 5)
    call.at(parts[4], parts[3]).invoke("sqs", "SendMessage", {"QueueUrl": arn, **message}, principal=SENDER)


def call_function(call: Call, arn: str, event: bytes) -> None:
    """An asynchronous invocation in this transaction, as SNS. Raises what Lambda raises; then nothing was written."""
    parts = arn.split(":", 5)
    there = call.at(parts[4], parts[3])
    there.invoke("lambda", "AcceptEvent", {"FunctionName": arn, "Payload": event}, principal=SENDER)
