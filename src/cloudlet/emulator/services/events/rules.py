"""Rules: what they listen for, or when they run."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.eventing.expressions import Once, parse_expression
from cloudlet.emulator.eventing.pattern_checks import check_pattern
from cloudlet.emulator.eventing.tokens import PatternError
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.events.api import (
    DeleteRuleRequest,
    DescribeRuleRequest,
    DescribeRuleResponse,
    DisableRuleRequest,
    EnableRuleRequest,
    ListRuleNamesByTargetRequest,
    ListRuleNamesByTargetResponse,
    ListRulesRequest,
    ListRulesResponse,
    PutRuleRequest,
    PutRuleResponse,
)
from cloudlet.emulator.services.events.errors import invalid, not_a_pattern
from cloudlet.emulator.services.events.lookup import DEFAULT, bus_of, rule_arn, rule_of
from cloudlet.emulator.services.events.paging import after_token, page
from cloudlet.emulator.services.events.records import RULES, TARGETS, Rule
from cloudlet.emulator.services.events.tags import tags_in
from cloudlet.emulator.services.events.timers import set_timer, stop


@read_write
def put_rule(call: Call, request: PutRuleRequest) -> PutRuleResponse:
    """What is not given goes; tags stay. Raises InvalidEventPatternException, ResourceNotFoundException."""
    pattern, schedule = request.get("EventPattern", ""), request.get("ScheduleExpression", "")
    if not pattern and not schedule:
        raise invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    bus = bus_of(call, request.get("EventBusName"))
    if schedule:
        check_schedule(schedule, bus.name)
    if pattern:
        checked_pattern(pattern)
    before = RULES.get(call.tx, bus.account_id, bus.region, bus.name, request["Name"])
    same = before is not None and before.schedule == schedule
    rule = Rule(
        bus.account_id,
        bus.region,
        bus.name,
        request["Name"],
        pattern,
        schedule,
        request.get("State", "ENABLED"),
        request.get("Description", ""),
        request.get("RoleArn", ""),
        before.tags if before is not None else tags_in(request),
        before.anchor if before is not None and same else call.now,
        call.ids.hex(16),
    )
    RULES.put(call.tx, rule)
    set_timer(call, rule)
    return {"RuleArn": rule_arn(call, rule)}


def check_schedule(text: str, bus: str) -> None:
    """Raises ValidationException."""
    if bus != DEFAULT:
        raise invalid("ScheduleExpression is supported only on the default event bus.")
    try:
        when = parse_expression(text, strict_units=True)
    except ValueError:
        when = None
    if when is None or isinstance(when, Once):
        raise invalid("Parameter ScheduleExpression is not valid.")


def checked_pattern(text: str) -> None:
    """Raises InvalidEventPatternException."""
    try:
        check_pattern(text)
    except PatternError as error:
        raise not_a_pattern(str(error)) from error


@read_only
def describe_rule(call: Call, request: DescribeRuleRequest) -> DescribeRuleResponse:
    """Raises ResourceNotFoundException."""
    rule = rule_of(call, request["Name"], request.get("EventBusName"))
    return {**summary(call, rule), "CreatedBy": rule.account_id}  # type: ignore[typeddict-item]


def summary(call: Call, rule: Rule) -> dict[str, Any]:
    found = {
        "Name": rule.name,
        "Arn": rule_arn(call, rule),
        "EventPattern": rule.pattern,
        "ScheduleExpression": rule.schedule,
        "State": rule.state,
        "Description": rule.description,
        "RoleArn": rule.role_arn,
        "EventBusName": rule.bus,
    }
    return {name: value for name, value in found.items() if value}


@read_only
def list_rules(call: Call, request: ListRulesRequest) -> ListRulesResponse:
    """By name. Raises ResourceNotFoundException for the bus, ValidationException."""
    bus = bus_of(call, request.get("EventBusName"))
    place = (bus.account_id, bus.region, bus.name)
    scanned = RULES.scan(call.tx, *place, starts_with=request.get("NamePrefix") or None, after=after_token(request))
    found, token = page(((rule.name, summary(call, rule)) for rule in scanned), request)
    return {"Rules": found, **token}  # type: ignore[typeddict-item]


@read_only
def list_rule_names_by_target(call: Call, request: ListRuleNamesByTargetRequest) -> ListRuleNamesByTargetResponse:
    """Raises ResourceNotFoundException for the bus, ValidationException."""
    bus = bus_of(call, request.get("EventBusName"))
    targets = TARGETS.lookup(call.tx, "by_arn", bus.account_id, bus.region, bus.name, request["TargetArn"])
    after = after_token(request)
    names = sorted({target.rule for target in targets})
    found, token = page(((name, name) for name in names if after is None or name > after[0]), request)
    return {"RuleNames": found, **token}  # type: ignore[typeddict-item]


@read_write
def enable_rule(call: Call, request: EnableRuleRequest) -> dict[str, Any]:
    """Raises ResourceNotFoundException."""
    return switch(call, rule_of(call, request["Name"], request.get("EventBusName")), "ENABLED")


@read_write
def disable_rule(call: Call, request: DisableRuleRequest) -> dict[str, Any]:
    """Raises ResourceNotFoundException."""
    return switch(call, rule_of(call, request["Name"], request.get("EventBusName")), "DISABLED")


def switch(call: Call, rule: Rule, state: str) -> dict[str, Any]:
    changed = replace(rule, state=state, revision=call.ids.hex(16))
    RULES.put(call.tx, changed)
    set_timer(call, changed)
    return {}


@read_write
def delete_rule(call: Call, request: DeleteRuleRequest) -> dict[str, Any]:
    """One that is not there is fine. Raises ResourceNotFoundException for the bus, ValidationException with targets."""
    bus = bus_of(call, request.get("EventBusName"))
    key = (bus.account_id, bus.region, bus.name, request["Name"])
    rule = RULES.get(call.tx, *key)
    if rule is not None:
        if any(TARGETS.scan(call.tx, *key, limit=1)):
            raise invalid("Rule can't be deleted since it has targets.")
        stop(call, rule)
        RULES.delete(call.tx, *key)
    return {}
