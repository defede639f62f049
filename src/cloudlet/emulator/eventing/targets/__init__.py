"""A target's ARN, its parameters and a text → the operation that delivers the text.

    errand = errand_of(target, text, event)        # UnknownTarget: no target, or one that is not supported

One module a kind of target: `messages` (queues, topics, streams, logs), `work` (functions, workflows, tasks, builds),
`universal` (Scheduler's any operation of any service). HTTP endpoints are the events service's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.eventing.arns import parse_arn
from cloudlet.emulator.eventing.targets import messages, universal, work
from cloudlet.emulator.eventing.targets.errands import Errand, Make, Order, UnknownTarget

# the service in the target's ARN -> what makes the errand
KINDS: Mapping[str, Make] = MappingProxyType({**messages.KINDS, **work.KINDS, "scheduler": universal.any_operation})


def errand_of(target: Mapping[str, Any], text: str, event: Mapping[str, Any] | None = None, unique: str = "") -> Errand:
    """`event`: what the text was made of, for parameters that are paths into it. Raises UnknownTarget.

    `unique` names this delivery where the target needs a name (a log stream, a partition key).
    """
    arn = parse_arn(target["Arn"])
    make = KINDS.get(arn.service) if arn is not None else None
    if arn is None or make is None:
        raise UnknownTarget(f"{target['Arn']} is not supported as a target")
    return make(Order(arn, target, text, event or {}, unique))


def is_supported(arn_text: str) -> bool:
    arn = parse_arn(arn_text)
    return arn is not None and arn.service in KINDS
