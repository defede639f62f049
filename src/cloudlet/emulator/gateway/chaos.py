"""Trouble on purpose: faults and latency that tests ask for, at `/_localstack/chaos/…` or by settings.

A rule names what it hits (region, service, operation; what it leaves out hits all) and how often; the answer is the
service's own kind of error. A request that no rule can hit pays one attribute look-up.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError
from cloudlet.settings import Settings

DEFAULT_STATUS = 503
DEFAULT_CODE = "ServiceUnavailable"
LONGEST_LATENCY_MILLISECONDS = 10 * 60 * 1000

THROTTLED = "ProvisionedThroughputExceededException"
DYNAMODB_READS = ("BatchGetItem", "GetItem", "Query", "Scan", "TransactGetItems")
DYNAMODB_WRITES = ("BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem")
KINESIS_DATA = ("GetRecords", "PutRecord", "PutRecords")


class FaultError(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """What the client gets; 503 ServiceUnavailable where nothing is said."""

    status_code: Annotated[int, Meta(ge=400, le=599)] | None = None
    code: Annotated[str, Meta(pattern="^[a-zA-Z0-9]+$")] | None = None


class FaultRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One rule, in the shape of LocalStack's `FaultRule` schema. `description` has no effect."""

    region: Annotated[str, Meta(pattern="^[a-zA-Z0-9-]+$")] | None = None
    service: Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]+$")] | None = None
    operation: Annotated[str, Meta(pattern="^[a-zA-Z]+$")] | None = None
    probability: Annotated[float, Meta(ge=0, le=1)] | None = None
    description: Annotated[str, Meta(max_length=8192)] | None = None
    error: FaultError | None = None

    def hits(self, service: str, operation: str, region: str) -> bool:
        return self.service in (None, service) and self.operation in (None, operation) and self.region in (None, region)


class Chaos:
    """The rules and the latency of one emulator. Not part of its state: a reset or restart ends all trouble."""

    def __init__(self, settings: Settings, ids: Ids) -> None:
        self._ids = ids
        self._standing = rules_of_settings(settings)
        self._rules: tuple[FaultRule, ...] = ()
        self._latency_milliseconds = 0
        self.is_active = False
        self._update()

    def _update(self) -> None:
        self.is_active = bool(self._standing or self._rules or self._latency_milliseconds)

    @property
    def rules(self) -> tuple[FaultRule, ...]:
        """Those that were asked for at the endpoint; the settings' own are not shown there."""
        return self._rules

    @property
    def latency_milliseconds(self) -> int:
        return self._latency_milliseconds

    def set_rules(self, rules: tuple[FaultRule, ...]) -> None:
        """From now on these; one that is named twice counts once."""
        self._rules = tuple(dict.fromkeys(rules))
        self._update()

    def set_latency(self, milliseconds: int) -> None:
        self._latency_milliseconds = milliseconds
        self._update()

    def fault(self, service: str, operation: str, region: str) -> AwsError | None:
        """The error that this request is to get, None when it is spared."""
        for rule in (*self._rules, *self._standing):
            if not rule.hits(service, operation, region):
                continue
            if rule.probability is None or self._ids.random() < rule.probability:
                return error_of(rule)
        return None


def error_of(rule: FaultRule) -> AwsError:
    wanted = rule.error or FaultError()
    code = wanted.code or DEFAULT_CODE
    status = wanted.status_code or (DEFAULT_STATUS if wanted.code is None else 400)
    return UnmodelledError(code, f"This {code} was asked for: a fault rule of this emulator hit the request.", status)


def rules_of_settings(settings: Settings) -> tuple[FaultRule, ...]:
    """`DYNAMODB_ERROR_PROBABILITY` and its like, as rules."""
    throttled = FaultError(400, THROTTLED)
    wanted = (
        ("dynamodb", (*DYNAMODB_READS, *DYNAMODB_WRITES), settings.dynamodb_error_probability),
        ("dynamodb", DYNAMODB_READS, settings.dynamodb_read_error_probability),
        ("dynamodb", DYNAMODB_WRITES, settings.dynamodb_write_error_probability),
        ("kinesis", KINESIS_DATA, settings.kinesis_error_probability),
    )
    return tuple(
        FaultRule(service=service, operation=operation, probability=probability, error=throttled)
        for service, operations, probability in wanted
        if probability > 0
        for operation in operations
    )
