"""Where records of invocations and dead letters go: queues, topics, event buses, functions, buckets."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.message import InlineBody
from cloudlet.emulator.services.lambda_.targets import Target

if TYPE_CHECKING:
    from cloudlet.emulator.services.lambda_.execution import Outcome

LOG = logging.getLogger("cloudlet.lambda")


async def send(call: Call, arn: str, target: Target, document: dict[str, Any], result: str) -> None:
    """The record of an asynchronous invocation. What cannot be delivered is logged, as nobody waits for it."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    service = arn.split(":")[2]
    if service == "events":
        entry = {
            "Source": "lambda",
            "DetailType": f"Lambda Function Invocation Result - {result}",
            "Detail": text,
            "Resources": [document["requestContext"]["functionArn"], arn],
            "EventBusName": arn,
        }
        await deliver(call, arn, "events", "PutEvents", {"Entries": [entry]})
    elif service == "lambda":
        await deliver(
            call, arn, "lambda", "Invoke", {"FunctionName": arn, "InvocationType": "Event", "Payload": text.encode()}
        )
    elif service == "s3":
        await put_object(call, arn, f"aws/lambda/async/{target.name}", call.now, document)
    else:
        await send_text(call, arn, text)


async def send_text(call: Call, arn: str, text: str, attributes: dict[str, Any] | None = None) -> None:
    parts = arn.split(":", 5)
    service = parts[2] if len(parts) > 5 else ""
    if service == "sqs":
        request: dict[str, Any] = {"QueueUrl": f"/{parts[4]}/{parts[5]}", "MessageBody": text}
        if attributes:
            request["MessageAttributes"] = attributes
        await deliver(call, arn, "sqs", "SendMessage", request)
    elif service == "sns":
        request = {"TopicArn": arn, "Message": text}
        if attributes:
            request["MessageAttributes"] = attributes
        await deliver(call, arn, "sns", "Publish", request)
    else:
        LOG.warning("nothing can be delivered to %s", arn)


async def put_object(call: Call, arn: str, folder: str, now: float, document: dict[str, Any]) -> None:
    """The record in a bucket, under a name with the date."""
    moment = time.gmtime(now)
    name = f"{time.strftime('%Y/%m/%d/%Y-%m-%dT%H.%M.%S', moment)}-{call.ids.uuid()}"
    body = json.dumps(document, separators=(",", ":")).encode()
    request = {"Bucket": arn.rpartition(":")[2], "Key": f"{folder}/{name}", "Body": InlineBody(body)}
    await deliver(call, arn, "s3", "PutObject", request)


async def to_dead_letters(call: Call, arn: str, payload: bytes, request_id: str, outcome: Outcome | None) -> None:
    """The event itself, with attributes that say what happened."""
    attributes = {"RequestID": {"DataType": "String", "StringValue": request_id}}
    if outcome is not None:
        message = str(json.loads(outcome.payload).get("errorMessage") or "Unhandled")
        attributes["ErrorCode"] = {"DataType": "Number", "StringValue": "200"}
        attributes["ErrorMessage"] = {"DataType": "String", "StringValue": message[:1024]}
    await send_text(call, arn, payload.decode() or "{}", attributes)


async def deliver(call: Call, arn: str, service: str, operation: str, request: dict[str, Any]) -> None:
    parts = arn.split(":", 5)
    there = call.at(parts[4] or call.account_id, parts[3] or call.region)
    try:
        await there.reach(service, operation, request)
    except AwsError as error:
        LOG.warning("the record of an invocation could not be delivered to %s: %s", arn, error.message)
