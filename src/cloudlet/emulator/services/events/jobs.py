"""What happens later: rules that are due, replays, connections that authorize, calls of web servers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.effects.jobs import enqueue
from cloudlet.emulator.eventing import deliveries
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.events.http_targets import call_destination
from cloudlet.emulator.services.events.lookup import Place, rule_arn
from cloudlet.emulator.services.events.records import ARCHIVED, CONNECTIONS, REPLAYS, RULES, Replay, Rule
from cloudlet.emulator.services.events.replays import REPLAY
from cloudlet.emulator.services.events.routing import route, to_targets
from cloudlet.emulator.services.events.timers import next_after, set_timer

if TYPE_CHECKING:
    from cloudlet.emulator.effects.delivery import HttpDelivery

LOG = logging.getLogger("cloudlet.events")
EVENTS_AT_ONCE = 100  # that a replay sends in one transaction


async def fire(call: Call, payload: dict[str, Any]) -> None:
    """Event and timer are one transaction: an occurrence is neither lost nor run twice."""
    with call.transaction() as tx:
        rule = RULES.get(tx, call.account_id, call.region, payload["bus"], payload["name"])
        if rule is None or rule.revision != payload["revision"]:
            return
        trigger(call, rule, payload["occurrence"])
        set_timer(call, rule, next_after(payload["occurrence"], call.now))


def fire_gave_up(call: Call, payload: dict[str, Any], reason: str) -> None:
    """An occurrence that could not be run, whatever the fault, must not end the rule's schedule."""
    rule = RULES.get(call.tx, call.account_id, call.region, payload["bus"], payload["name"])
    if rule is not None and rule.revision == payload["revision"]:
        LOG.error("an occurrence of the rule %s was lost: %s", rule.name, reason)
        set_timer(call, rule, call.now)


def trigger(call: Call, rule: Rule, moment: float) -> None:
    """Send a rule's targets the event of a schedule that is due."""
    event = {
        "version": "0",
        "id": call.ids.uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": rule.account_id,
        "time": f"{Clock.iso_seconds(moment)}Z",
        "region": rule.region,
        "resources": [rule_arn(call, rule)],
        "detail": {},
    }
    to_targets(call, rule, event, moment=moment)


async def replay(call: Call, payload: dict[str, Any]) -> None:
    """Some of the events of a replay, in the order of their times; the rest by the next job."""
    with call.transaction() as tx:
        found = REPLAYS.get(tx, call.account_id, call.region, payload["name"])
        if found is None or found.state not in ("STARTING", "RUNNING"):
            return
        position = payload.get("after")
        batch = list(
            ARCHIVED.scan(
                tx,
                found.account_id,
                found.region,
                found.archive,
                after=(position["moment"], position["event_id"]) if position else None,
                from_=(found.begin,),
                limit=EVENTS_AT_ONCE,
            )
        )
        due = [event for event in batch if event.moment <= found.end]
        bus = found.destination["Arn"].rpartition(":event-bus/")[2]
        for entry in due:
            send_again(call, found, bus, entry.event, entry.moment)
        if due and len(due) == EVENTS_AT_ONCE:
            last = due[-1]
            REPLAYS.put(tx, replace(found, state="RUNNING", last_event=last.moment))
            again = {"name": found.name, "after": {"moment": last.moment, "event_id": last.event_id}}
            enqueue(tx, REPLAY, again, call.now, call.ids, account_id=call.account_id, region=call.region)
            return
        last_event = due[-1].moment if due else found.last_event
        REPLAYS.put(tx, replace(found, state="COMPLETED", last_event=last_event, ended=call.now))


def send_again(call: Call, found: Replay, bus: str, event: dict[str, Any], moment: float) -> None:
    place = Place(found.account_id, found.region, bus)
    replayed = {**event, "replay-name": found.name}
    route(call, place, replayed, moment=moment, only=frozenset(found.destination.get("FilterArns") or ()))


async def authorize(call: Call, payload: dict[str, Any]) -> None:
    """A connection by OAuth is authorized a moment after it was made."""
    with call.transaction() as tx:
        found = CONNECTIONS.get(tx, call.account_id, call.region, payload["name"])
        if found is not None and found.state == "AUTHORIZING":
            CONNECTIONS.put(tx, replace(found, state="AUTHORIZED", authorized=call.now))


async def call_server(call: Call, payload: dict[str, Any], http: HttpDelivery) -> None:
    """One attempt at an API destination. Raises GiveUp, Undelivered."""
    await call_destination(call, payload, http)


def server_gave_up(call: Call, payload: dict[str, Any], reason: str) -> None:
    deliveries.gave_up(call, payload["parcel"], reason)
