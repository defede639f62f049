"""What was sent to devices and telephones: nothing can be delivered there, so it is kept for tests to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.sns.message_attributes import envelope_attributes
from cloudlet.emulator.services.sns.records import OUTBOX, Sent

if TYPE_CHECKING:
    from cloudlet.emulator.services.sns.fan_out import Message


def write(call: Call, target: str, message: Message, text: str, topic_arn: str = "") -> None:
    """`target`: an endpoint's ARN or a telephone number."""
    attributes = envelope_attributes(message.attributes) if message.attributes else {}
    structure = "json" if message.by_protocol is not None else ""
    OUTBOX.put(
        call.tx,
        Sent(
            call.account_id,
            call.region,
            target,
            call.now,
            message.message_id,
            topic_arn,
            message.subject,
            text,
            structure,
            attributes,
        ),
    )
