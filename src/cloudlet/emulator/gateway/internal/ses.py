"""`/_aws/ses`: the messages that SES was given to send. `id` and `email` (the sender's address) choose among them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.gateway.internal.answers import json_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator


async def list_messages(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"messages": [{"Id", "Region", "Timestamp", "Source", …}]}`, in the order of sending in each region."""
    wanted, sender = request.params.get("id"), request.params.get("email")
    now = emulator.clock.iso_seconds(emulator.clock.now())
    messages = []
    for _account, region, sent in await emulator.dispatcher.fallback.held("ses", "sent_messages"):
        for message in tuple(sent):
            entry = shown(message, region, now)
            if wanted in (None, "", entry["Id"]) and sender in (None, "", entry["Source"]):
                messages.append(entry)
    return json_answer({"messages": messages})


async def forget_messages(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """All, or the one with this `id`; 204 also where there is none."""
    wanted = request.params.get("id")
    for _account, _region, sent in await emulator.dispatcher.fallback.held("ses", "sent_messages"):
        sent[:] = [message for message in sent if wanted and identifier(message) != wanted]
    return HttpResponse(204)


def identifier(message: Any) -> str:
    kept = vars(message)
    return str(kept.get("id") or next(iter(kept.get("ids", ())), ""))


def shown(message: Any, region: str, now: str) -> dict[str, Any]:
    kept = vars(message)
    entry: dict[str, Any] = {
        "Id": identifier(message),
        "Region": region,
        "Timestamp": kept.setdefault("first_listed", now),
        "Source": kept.get("source") or "",
    }
    destinations = kept.get("destinations")
    if isinstance(destinations, dict):
        names = ("ToAddresses", "CcAddresses", "BccAddresses")
        entry["Destination"] = {name: destinations[name] for name in names if destinations.get(name)}
    elif isinstance(destinations, list) and all(isinstance(address, str) for address in destinations):
        entry["Destination"] = {"ToAddresses": list(dict.fromkeys(destinations))}
    if "subject" in kept:
        entry["Subject"] = kept["subject"] or ""
        entry["Body"] = {"text_part": kept.get("body") or ""}
    if "raw_data" in kept:
        entry["RawData"] = kept["raw_data"]
    if "template" in kept:
        template, data = kept["template"], kept.get("template_data", "")
        entry["Template"] = str(template[0] if isinstance(template, list) else template)
        data = data[0] if isinstance(data, list) and data else data
        entry["TemplateData"] = data if isinstance(data, str) else json.dumps(data)
    return entry
