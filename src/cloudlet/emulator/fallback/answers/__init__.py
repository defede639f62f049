"""Operations whose answers are made here, around moto's: checked before, completed after, or carried out by us.

    ANSWERS["Invoke"](asked) -> result          in answers/SERVICE.py, loaded with the service's first request

A function gets the operation that was asked for and returns the result in AWS's member names. `asked.proceed()` is
moto's result. What needs another class of moto changed, not its answer, is in `corrections.py`.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.kernel.call import Call

if TYPE_CHECKING:
    from cloudlet.emulator.fallback.moto import Engine
    from cloudlet.emulator.fallback.service import Fallback

ANY = "*"  # the answer of all operations of a service that have none of their own

# botocore's name of each service that has answers here -> its module in this package
MODULES: Mapping[str, str] = MappingProxyType(
    {
        "acm": "acm",
        "apigateway": "apigateway",
        "cloudcontrol": "cloudcontrol",
        "cloudformation": "cloudformation",
        "cloudwatch": "cloudwatch",
        "ec2": "ec2",
        "iam": "iam",
        "kinesis": "kinesis",
        "kms": "kms",
        "logs": "logs",
        "rds": "rds",
        "resource-groups": "tagging.groups",
        "resourcegroupstaggingapi": "tagging.api",
        "route53": "route53",
        "route53resolver": "route53resolver",
        "s3control": "s3control",
        "secretsmanager": "secretsmanager",
        "ses": "ses",
        "sesv2": "sesv2",
        "ssm": "ssm",
        "transcribe": "transcribe",
    }
)


class Asked:
    """One operation that was asked for."""

    def __init__(self, fallback: Fallback, call: Call, request: dict[str, Any]) -> None:
        self.fallback = fallback
        self.call = call
        self.request = request

    @property
    def engine(self) -> Engine:
        return self.fallback.engine()

    def proceed(self, **changes: Any) -> dict[str, Any]:
        """moto's result, for the request with these members changed. Raises AwsError."""
        return self.fallback.proceed(self.call, self.request | changes)

    def state(self) -> AbstractContextManager[Any]:
        """`with asked.state() as backend:` moto's object with the service's state here, under the service's lock."""
        return self.fallback.state_of(self.call)

    def other(self, service: str, operation: str, request: dict[str, Any]) -> Any:
        """Another operation in the same account and region, native, one of these or moto's. Raises AwsError."""
        call = self.call
        if not self.fallback.serves(service, operation):
            return self.engine.reach(call.account_id, call.region, service, operation, request)
        inner = copy.copy(call)
        inner.service, inner.operation, inner.http = service, operation, None
        return self.fallback.invoke(inner, request)

    def as_another(self, operation: str, request: dict[str, Any]) -> Asked:
        """As if another operation of the same service had been asked for."""
        inner = copy.copy(self.call)
        inner.operation = operation
        return Asked(self.fallback, inner, request)


Answer = Callable[[Asked], dict[str, Any]]


class Answers:
    """Finds the function of an operation."""

    def __init__(self) -> None:
        self._loaded: dict[str, Mapping[str, Answer]] = {}

    def find(self, service: str, operation: str) -> Answer | None:
        if service not in MODULES:
            return None
        answers = self._of(service)
        return answers.get(operation) or answers.get(ANY)

    def operations(self, service: str) -> tuple[str, ...]:
        """Those of a service (botocore's name) that are answered here."""
        return tuple(name for name in self._of(service) if name != ANY) if service in MODULES else ()

    def _of(self, service: str) -> Mapping[str, Answer]:
        answers = self._loaded.get(service)
        if answers is None:
            module = importlib.import_module(  # lazy: costs nothing until the service is used
                f"cloudlet.emulator.fallback.answers.{MODULES[service]}"
            )
            answers = self._loaded[service] = MappingProxyType(dict(module.ANSWERS))
        return answers
