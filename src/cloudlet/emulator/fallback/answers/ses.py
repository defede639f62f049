"""SES: when each message was sent, its parts, and its ids, noted on what moto keeps of it.

`/_aws/ses` shows them. moto keeps the HTML of a message that has both, and gives a bulk message other ids than its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked

Parts = dict[str, str]


def note(asked: Asked, find: Callable[[Any], bool], **kept: Any) -> None:
    """Write down what is to be kept of the newest message that `find` finds."""
    with asked.fallback.locked("ses"):
        call = asked.call
        backend = asked.engine.backend("ses", call.account_id, call.region, call.partition)
        for message in reversed(backend.sent_messages):
            if "sent_at" not in vars(message) and find(message):
                vars(message).update(kept, sent_at=call.now)
                return


def note_sent(asked: Asked, message_id: str, **kept: Any) -> None:
    note(asked, lambda message: getattr(message, "id", "") == message_id, **kept)


def parts_of(body: Mapping[str, Any]) -> Parts:
    """`text_part` and `html_part` of a body with `Text` and `Html`."""
    found = {"text_part": body.get("Text"), "html_part": body.get("Html")}
    return {name: part.get("Data", "") for name, part in found.items() if part}


def send_email(asked: Asked) -> dict[str, Any]:
    result = asked.proceed()
    note_sent(asked, result["MessageId"], **parts_of(asked.request["Message"].get("Body", {})))
    return result


def send_other(asked: Asked) -> dict[str, Any]:
    """A raw message, or one of a template."""
    result = asked.proceed()
    note_sent(asked, result["MessageId"])
    return result


def send_bulk_templated_email(asked: Asked) -> dict[str, Any]:
    result = asked.proceed()
    ids = [status["MessageId"] for status in result.get("Status", ()) if status.get("MessageId")]
    for status in result.get("Status", ()):
        status.setdefault("Status", "Success")
    note(asked, lambda message: isinstance(getattr(message, "destinations", None), list), ids=ids)
    return result


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "SendBulkTemplatedEmail": send_bulk_templated_email,
        "SendEmail": send_email,
        "SendRawEmail": send_other,
        "SendTemplatedEmail": send_other,
    }
)
