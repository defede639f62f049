"""When a rule with a schedule is due: one job a rule, replaced whenever the rule changes.

A job that comes too late (the emulator was stopped, the machine slept) runs the rule once, and what was missed in between
is not made up for. Time that is advanced through `/_cloudlet/clock` passes: each occurrence runs, in order.
"""

from __future__ import annotations

from cloudlet.emulator.effects.jobs import cancel_key, enqueue
from cloudlet.emulator.eventing.expressions import next_occurrence, parse_expression
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.events.records import Rule

FIRE = "events.fire"
LATE_SECONDS = 60.0


def set_timer(call: Call, rule: Rule, after: float | None = None) -> None:
    """To the first occurrence strictly after a moment, or after now; none for a rule that is off or has no schedule."""
    due = None
    if rule.schedule and rule.is_enabled:
        when = parse_expression(rule.schedule, strict_units=True)
        due = next_occurrence(when, call.now if after is None else after, rule.anchor)
    if due is None:
        stop(call, rule)
        return
    enqueue(
        call.tx,
        FIRE,
        {"bus": rule.bus, "name": rule.name, "revision": rule.revision, "occurrence": due},
        due,
        call.ids,
        key=key_of(rule),
        account_id=rule.account_id,
        region=rule.region,
    )


def stop(call: Call, rule: Rule) -> None:
    cancel_key(call.tx, FIRE, key_of(rule))


def next_after(occurrence: float, now: float) -> float:
    """The moment behind which the next occurrence is looked for: missed ones are left out."""
    return occurrence if now <= occurrence + LATE_SECONDS else now


def key_of(rule: Rule) -> str:
    return f"{rule.account_id}/{rule.region}/{rule.bus}/{rule.name}"
