"""Finding what a request names: buses and rules, by name or ARN; what else the caller has, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from cloudlet.emulator.eventing.arns import parse_arn
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.events.errors import no_such_bus, no_such_rule
from cloudlet.emulator.services.events.paging import after_token
from cloudlet.emulator.services.events.records import BUSES, RULES, Bus, Rule
from cloudlet.emulator.store.table import Record, Table

R = TypeVar("R", bound=Record)

DEFAULT = "default"
FIRST_DAY = 1_577_836_800.0  # when the default bus was made, which nobody did: 2020-01-01


class Place(NamedTuple):
    """A bus by name, in an account and region."""

    account_id: str
    region: str
    bus: str


def place_of(call: Call, name_or_arn: str | None) -> Place:
    """Where a bus is; it need not be there."""
    if name_or_arn is None:
        return Place(call.account_id, call.region, DEFAULT)
    arn = parse_arn(name_or_arn)
    if arn is None:
        return Place(call.account_id, call.region, name_or_arn)
    return Place(arn.account or call.account_id, arn.region or call.region, arn.resource.partition("/")[2])


def find_bus(call: Call, place: Place) -> Bus | None:
    bus = BUSES.get(call.tx, *place)
    if bus is None and place.bus == DEFAULT:
        return Bus(*place, FIRST_DAY, FIRST_DAY, {}, [], {})
    return bus


def bus_of(call: Call, name_or_arn: str | None) -> Bus:
    """Raises ResourceNotFoundException."""
    place = place_of(call, name_or_arn)
    bus = find_bus(call, place)
    if bus is None:
        raise no_such_bus(place.bus)
    return bus


def rule_of(call: Call, name: str, bus_name_or_arn: str | None) -> Rule:
    """Raises ResourceNotFoundException for the bus or the rule."""
    bus = bus_of(call, bus_name_or_arn)
    rule = RULES.get(call.tx, bus.account_id, bus.region, bus.name, name)
    if rule is None:
        raise no_such_rule(name, bus.name)
    return rule


def named(call: Call, table: Table[R], name: str, missing: Callable[[str], AwsError]) -> R:
    """What the caller has of this name in a table by account, region and name. Raises what `missing` makes of it."""
    found = table.get(call.tx, call.account_id, call.region, name)
    if found is None:
        raise missing(name)
    return found


def by_name(call: Call, table: Table[R], request: Mapping[str, Any]) -> Iterator[R]:
    """What the caller has in such a table: what begins with `NamePrefix`, behind `NextToken`.

    Raises ValidationException.
    """
    prefix = request.get("NamePrefix") or None
    return table.scan(call.tx, call.account_id, call.region, starts_with=prefix, after=after_token(request))


def arn_of(call: Call, account_id: str, region: str, resource: str) -> str:
    return f"arn:{call.partition}:events:{region}:{account_id}:{resource}"


def bus_arn(call: Call, bus: Bus) -> str:
    return arn_of(call, bus.account_id, bus.region, f"event-bus/{bus.name}")


def rule_arn(call: Call, rule: Rule) -> str:
    path = rule.name if rule.bus == DEFAULT else f"{rule.bus}/{rule.name}"
    return arn_of(call, rule.account_id, rule.region, f"rule/{path}")


def rule_by_arn(call: Call, arn_text: str) -> Rule | None:
    """The rule of an ARN; None for what is none, or is not there."""
    arn = parse_arn(arn_text)
    if arn is None or not arn.resource.startswith("rule/"):
        return None
    bus, _, name = arn.resource.removeprefix("rule/").rpartition("/")
    return RULES.get(call.tx, arn.account, arn.region, bus or DEFAULT, name)
