"""SQS: messages are taken in batches, deleted once the target has them, and come back when it has not."""

from __future__ import annotations

import logging
from base64 import b64encode
from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.pipes.checks import parameters_of
from cloudlet.emulator.services.pipes.flow import Failed, run, wanted
from cloudlet.emulator.services.pipes.records import Pipe

LOG = logging.getLogger("cloudlet.pipes")
AT_A_TIME = 10  # messages in one answer of SQS
WAIT_SECONDS = 20


async def poll(call: Call, pipe: Pipe) -> None:
    """As long as the pipe runs. Raises AwsError when the queue is gone."""
    parts = pipe.source.split(":")
    there = call.at(parts[4], parts[3])
    url = f"/{parts[4]}/{parts[5]}"
    size = min(parameters_of(pipe.definition)["BatchSize"], AT_A_TIME)
    request = {
        "QueueUrl": url,
        "MaxNumberOfMessages": size,
        "WaitTimeSeconds": WAIT_SECONDS,
        "AttributeNames": ["All"],
        "MessageAttributeNames": ["All"],
    }
    while True:
        answer = await there.reach("sqs", "ReceiveMessage", request)
        events = [record(pipe, message) for message in answer.get("Messages") or ()]
        chosen = [event for event in events if wanted(pipe, event)]
        done = [event for event in events if event not in chosen]
        try:
            if chosen:
                await run(call, pipe, chosen)
            done = events
        except (AwsError, Failed) as error:
            LOG.warning("the pipe %s could not deliver, its messages come back: %s", pipe.name, error)
        if done:
            entries = [{"Id": str(at), "ReceiptHandle": event["receiptHandle"]} for at, event in enumerate(done)]
            await there.reach("sqs", "DeleteMessageBatch", {"QueueUrl": url, "Entries": entries})


def record(pipe: Pipe, message: dict[str, Any]) -> dict[str, Any]:
    """A message as the pipe has it."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {name: str(value) for name, value in (message.get("Attributes") or {}).items()},
        "messageAttributes": {
            name: attribute(value) for name, value in (message.get("MessageAttributes") or {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": pipe.source,
        "awsRegion": pipe.source.split(":")[3],
    }


def attribute(value: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        made["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        made["binaryValue"] = b64encode(bytes(value["BinaryValue"])).decode()
    return made
