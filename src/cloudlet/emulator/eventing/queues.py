"""Reading a queue of SQS: messages are taken, and deleted once they are handled; otherwise they come back."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from cloudlet.emulator.kernel.call import Call

AT_A_TIME = 10  # messages in one request or answer of SQS
WAIT_SECONDS = 20


class Queue:
    """A queue by its ARN."""

    def __init__(self, call: Call, arn: str) -> None:
        parts = arn.split(":")
        self.call = call.at(parts[4], parts[3])
        self.arn = arn
        self.region = parts[3]
        self.url = f"/{parts[4]}/{parts[5]}"

    async def receive(self, most: int, wait: int = WAIT_SECONDS) -> list[dict[str, Any]]:
        """What there is, at most 10 messages; none after `wait` seconds. Raises AwsError when the queue is gone."""
        request = {
            "QueueUrl": self.url,
            "MaxNumberOfMessages": min(most, AT_A_TIME),
            "WaitTimeSeconds": wait,
            "AttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        }
        answer = await self.call.reach("sqs", "ReceiveMessage", request)
        found: list[dict[str, Any]] = answer.get("Messages") or []
        return found

    async def delete(self, handles: Sequence[str]) -> None:
        for start in range(0, len(handles), AT_A_TIME):
            entries = [
                {"Id": str(place), "ReceiptHandle": handle}
                for place, handle in enumerate(handles[start : start + AT_A_TIME])
            ]
            await self.call.reach("sqs", "DeleteMessageBatch", {"QueueUrl": self.url, "Entries": entries})

    def event(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """A message as events have it."""
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
            "eventSourceARN": self.arn,
            "awsRegion": self.region,
        }


def attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        made["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        made["binaryValue"] = b64encode(bytes(value["BinaryValue"])).decode()
    return made
