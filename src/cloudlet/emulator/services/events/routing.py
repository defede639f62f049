"""Where an event goes: into the archives of its bus, and to the targets of the rules that it matches."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.effects.jobs import enqueue
from cloudlet.emulator.eventing.arns import Arn, parse_arn
from cloudlet.emulator.eventing.deliveries import Parcel, pack, policy_of, send, to_dead_letters
from cloudlet.emulator.eventing.inputs import About, compact, target_text
from cloudlet.emulator.eventing.patterns import matches, parse_pattern
from cloudlet.emulator.eventing.targets import errand_of
from cloudlet.emulator.eventing.targets.errands import Errand, UnknownTarget
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.events.lookup import Place, find_bus, rule_arn
from cloudlet.emulator.services.events.records import (
    ARCHIVED,
    ARCHIVES,
    RULES,
    TARGETS,
    Archive,
    Archived,
    Rule,
    Target,
)

LOG = logging.getLogger("cloudlet.events")
DELIVER = "events.deliver"
CALL = "events.call"
MOST_HOPS = 10  # from bus to bus; AWS cuts rings of buses off, too
DAY_SECONDS = 86400.0
Event = Mapping[str, Any]


def route(call: Call, place: Place, event: Event, *, moment: float, hops: int = 0, only: Collection[str] = ()) -> None:
    """Archive the event and send it to the targets of matching rules. `moment`: its time, seconds since the epoch.

    `only`: ARNs of the rules that may see it; all where empty.
    """
    if "replay-name" not in event:
        for archive in list(ARCHIVES.lookup(call.tx, "by_bus", *place)):
            keep(call, archive, event, moment)
    for rule in list(RULES.scan(call.tx, *place)):
        listens = rule.is_enabled and rule.pattern and matches(parse_pattern(rule.pattern), event)
        if listens and (not only or rule_arn(call, rule) in only):
            to_targets(call, rule, event, moment=moment, hops=hops)


def keep(call: Call, archive: Archive, event: Event, moment: float) -> None:
    """Put the event into an archive that wants it, and drop what is older than the archive keeps."""
    if archive.pattern and not matches(parse_pattern(archive.pattern), event):
        return
    count, size = archive.event_count + 1, len(compact(event))
    ARCHIVED.put(
        call.tx,
        Archived(archive.account_id, archive.region, archive.name, moment, event["id"], dict(event), size),
    )
    size += archive.size_bytes
    if archive.retention_days:
        oldest = call.now - archive.retention_days * DAY_SECONDS
        for old in list(ARCHIVED.scan(call.tx, archive.account_id, archive.region, archive.name, to=(oldest,))):
            ARCHIVED.delete(call.tx, old.account_id, old.region, old.archive, old.moment, old.event_id)
            count, size = count - 1, size - old.size_bytes
    ARCHIVES.put(call.tx, replace(archive, event_count=count, size_bytes=size))


def to_targets(call: Call, rule: Rule, event: Event, *, moment: float, hops: int = 0) -> None:
    """Send an event to every target of a rule. A target that fails never makes the sender fail."""
    here = call.at(rule.account_id, rule.region)
    for target in list(TARGETS.scan(call.tx, rule.account_id, rule.region, rule.bus, rule.name)):
        arn = parse_arn(target.arn)
        if arn is not None and arn.service == "events" and arn.resource.startswith("event-bus/"):
            to_bus(here, rule, target, arn, event, moment=moment, hops=hops)
        elif arn is not None and arn.service in ("events", "execute-api"):
            to_server(here, rule, target, arn, event)
        else:
            to_service(here, rule, target, event)


def to_bus(call: Call, rule: Rule, target: Target, arn: Arn, event: Event, *, moment: float, hops: int) -> None:
    """The event goes on under a new id, and otherwise as it is, its account and region too."""
    place = Place(arn.account, arn.region, arn.resource.partition("/")[2])
    if place == (rule.account_id, rule.region, rule.bus):
        LOG.warning("%s sends to its own bus, which ends there", rule_arn(call, rule))
    elif hops >= MOST_HOPS:
        LOG.warning("an event went through %d buses and ends at %s", hops, target.arn)
    elif find_bus(call, place) is None:
        parcel = parcel_for(call, rule, target, event, Errand(*place[:2], "events", "PutEvents", {}))
        to_dead_letters(call, parcel, "NO_RESOURCE", f"Event bus {place.bus} does not exist.", 0, exhausted="")
    else:
        passed = {**event, "id": call.ids.uuid()}
        route(call.at(arn.account, arn.region), place, passed, moment=moment, hops=hops + 1)


def to_server(call: Call, rule: Rule, target: Target, arn: Arn, event: Event) -> None:
    """An API, or an API destination, is called by a job: what a server does is no part of a transaction."""
    text = text_for(call, rule, target, event)
    parcel = parcel_for(call, rule, target, event, Errand(arn.account, arn.region, "", "", {"text": text}))
    payload = {
        "destination": arn.resource.partition("/")[2].partition("/")[0],
        "target": target.definition,
        "event": dict(event),
        "parcel": pack(parcel),
        "attempts": parcel.attempts,
        "age_seconds": parcel.age_seconds,
    }
    enqueue(call.tx, CALL, payload, call.now, call.ids, account_id=call.account_id, region=call.region)


def to_service(call: Call, rule: Rule, target: Target, event: Event) -> None:
    nowhere = Errand(call.account_id, call.region, "", "", {})
    try:
        errand = errand_of(target.definition, text_for(call, rule, target, event), event, unique=call.ids.uuid())
    except UnknownTarget as error:
        to_dead_letters(
            call, parcel_for(call, rule, target, event, nowhere), "INVALID_PARAMETER", str(error), 0, exhausted=""
        )
        return
    send(call, parcel_for(call, rule, target, event, errand), DELIVER)


def text_for(call: Call, rule: Rule, target: Target, event: Event) -> str:
    about = About(rule_arn(call, rule), rule.name, f"{Clock.iso_seconds(call.now)}Z")
    return target_text(target.definition, event, about)


def parcel_for(call: Call, rule: Rule, target: Target, event: Event, errand: Errand) -> Parcel:
    return Parcel(
        errand=errand,
        text=compact(event),
        attributes={"RULE_ARN": rule_arn(call, rule), "TARGET_ARN": target.arn},
        **policy_of(target.definition),
    )
