"""`/_aws/ses`: the messages that SES was given to send. `id` and `email` (the sender's address) choose among them."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.gateway.internal.answers import json_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

ADDRESSES = ("ToAddresses", "CcAddresses", "BccAddresses")


async def list_messages(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"messages": [{"Id", "Region", "Timestamp", "Source", …}]}`, in the order of sending in each region."""
    wanted, sender = request.params.get("id"), request.params.get("email")
    messages = []
    for _account, region, sent in await emulator.dispatcher.fallback.held("ses", "sent_messages"):
        for message in tuple(sent):
            for entry in shown(message, region):
                at = vars(message).get("sent_at", emulator.started_at)
                entry["Timestamp"] = emulator.clock.iso_seconds(at)
                if wanted in (None, "", entry["Id"]) and sender in (None, "", entry["Source"]):
                    messages.append(entry)
    return json_answer({"messages": messages})


async def forget_messages(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """All, or the one with this `id`; 204 also where there is none. They stay forgotten after a restart."""
    wanted = request.params.get("id")

    def forget(sent: list[Any]) -> None:
        sent[:] = [message for message in sent if wanted and wanted not in identifiers(message)]

    await emulator.dispatcher.fallback.change("ses", "sent_messages", forget)
    return HttpResponse(204)


def identifiers(message: Any) -> list[str]:
    """One for each recipient of a bulk message."""
    kept = vars(message)
    return list(kept.get("ids") or ([kept["id"]] if kept.get("id") else []))


def shown(message: Any, region: str) -> Iterator[dict[str, Any]]:
    """A message, or each of a bulk message, without its time."""
    kept = vars(message)
    entry: dict[str, Any] = {"Id": "", "Region": region, "Timestamp": "", "Source": kept.get("source") or ""}
    destinations = kept.get("destinations")
    if "raw_data" in kept:
        yield raw(entry | {"Id": identifiers(message)[0]}, kept, destinations)
    elif "template" in kept and isinstance(destinations, list):
        for identifier, one in zip(identifiers(message), destinations, strict=False):
            data = one.get("ReplacementTemplateData") or kept.get("template_data", "")
            yield entry | {"Id": identifier} | addresses(one.get("Destination")) | template(kept, data)
    elif "template" in kept:
        one = entry | {"Id": identifiers(message)[0]} | addresses(destinations)
        yield one | template(kept, kept.get("template_data", ""))
    else:
        body = {name: kept[name] for name in ("text_part", "html_part") if name in kept}
        if not body:  # sent before this was noted
            body = {"text_part": kept.get("body") or ""}
        entry |= {"Id": identifiers(message)[0], "Subject": kept.get("subject") or ""}
        yield entry | addresses(destinations) | {"Body": {"text_part": "", **body}}


def addresses(destination: Any) -> dict[str, Any]:
    """The addresses of each kind that has some."""
    if not isinstance(destination, dict):
        return {}
    return {"Destination": {name: list(destination[name]) for name in ADDRESSES if destination.get(name)}}


def template(kept: dict[str, Any], data: Any) -> dict[str, Any]:
    name = kept["template"]
    data = data[0] if isinstance(data, list) and data else data
    return {
        "Template": str(name[0] if isinstance(name, list) else name),
        "TemplateData": data if isinstance(data, str) else json.dumps(data),
    }


def raw(entry: dict[str, Any], kept: dict[str, Any], recipients: Any) -> dict[str, Any]:
    """What a raw message's own headers say, where the request did not: sender, recipients, subject."""
    parser = importlib.import_module("email.parser")  # lazy: only messages that were sent raw need it
    utils = importlib.import_module("email.utils")  # lazy: as above
    headers = parser.Parser().parsestr(kept["raw_data"], headersonly=True)
    if not entry["Source"]:
        entry["Source"] = utils.parseaddr(str(headers.get("From", "")))[1]
    found = list(dict.fromkeys(recipients)) if isinstance(recipients, list) else []
    if not found:
        found = [address for _name, address in utils.getaddresses([str(headers.get("To", ""))]) if address]
    if found:
        entry["Destination"] = {"ToAddresses": found}
    if headers.get("Subject"):
        entry["Subject"] = str(headers["Subject"])
    entry["RawData"] = kept["raw_data"]
    return entry
