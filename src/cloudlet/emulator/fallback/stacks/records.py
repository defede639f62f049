"""What is kept of stacks: plain data, stored with moto's state of CloudFormation.

Shelf            of one account and region
├── Stack        id -> …; deleted ones stay, found by their id
│   ├── resources   logical id -> StackResource
│   └── events      oldest first
├── ChangeSet    id -> …
└── StackSet     id -> …
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cloudlet.emulator.fallback.stacks.parameters import Value
from cloudlet.emulator.fallback.stacks.template import Template


@dataclass
class Event:
    event_id: str
    logical_id: str
    physical_id: str
    type: str
    time: float
    status: str
    reason: str = ""
    properties: str | None = None
    token: str | None = None


@dataclass
class StackResource:
    """`properties` are what it was made with, `shown` the same before dynamic references were replaced.

    `handle` is what the kind of resource keeps of what it made.
    """

    logical_id: str
    type: str
    physical_id: str = ""
    definition: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] | None = None
    handle: Any = None
    needs: frozenset[str] = frozenset()
    status: str = ""
    reason: str = ""
    time: float = 0.0


@dataclass
class Stack:
    """`text` is the template as it was given, `template` what became of it. Times are seconds since the epoch."""

    id: str
    name: str
    account: str
    region: str
    created: float
    text: str = ""
    template: Template = field(default_factory=dict)
    parameters: dict[str, Value] = field(default_factory=dict)
    status: str = ""
    reason: str = ""
    updated: float | None = None
    deleted: float | None = None
    capabilities: list[str] = field(default_factory=list)
    tags: list[dict[str, str]] = field(default_factory=list)
    notification_arns: list[str] = field(default_factory=list)
    rollback: dict[str, Any] = field(default_factory=dict)
    role_arn: str | None = None
    timeout_minutes: int | None = None
    disable_rollback: bool = False
    on_failure: str = "ROLLBACK"
    protected: bool = False
    policy: str | None = None
    parent_id: str | None = None
    root_id: str | None = None
    change_set_id: str | None = None
    token: str | None = None
    cancelled: bool = False
    outputs: list[dict[str, str]] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    resources: dict[str, StackResource] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    before: Stack | None = None  # what an update that failed goes back to; only while it runs, or its rollback failed

    @property
    def is_deleted(self) -> bool:
        return self.status == "DELETE_COMPLETE"

    @property
    def in_progress(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    def exports(self) -> dict[str, str]:
        return {output["ExportName"]: output["OutputValue"] for output in self.outputs if "ExportName" in output}


@dataclass
class ChangeSet:
    id: str
    name: str
    stack_id: str
    stack_name: str
    type: str
    created: float
    text: str
    template: Template
    parameters: dict[str, Value]
    status: str = "CREATE_COMPLETE"
    execution: str = "AVAILABLE"
    reason: str = ""
    description: str | None = None
    capabilities: list[str] = field(default_factory=list)
    tags: list[dict[str, str]] = field(default_factory=list)
    notification_arns: list[str] = field(default_factory=list)
    rollback: dict[str, Any] = field(default_factory=dict)
    role_arn: str | None = None
    on_failure: str | None = None
    nested: bool = False
    changes: list[dict[str, Any]] = field(default_factory=list)
    detailed_changes: list[dict[str, Any]] = field(default_factory=list)  # with the values of properties


@dataclass
class Instance:
    """A stack set's stack in one account and region. `overrides` are the request's `ParameterOverrides`."""

    account: str
    region: str
    stack_id: str = ""
    overrides: list[dict[str, Any]] = field(default_factory=list)
    status: str = "OUTDATED"
    detailed: str = "PENDING"
    reason: str = ""
    unit: str | None = None  # of the organization, through which the account was named
    operation_id: str = ""


@dataclass
class Result:
    """What an operation of a stack set came to in one account and region."""

    account: str
    region: str
    status: str = "PENDING"
    reason: str = ""
    unit: str | None = None


@dataclass
class Operation:
    id: str
    action: str
    created: float
    status: str = "RUNNING"
    ended: float | None = None
    reason: str = ""
    preferences: dict[str, Any] = field(default_factory=dict)
    targets: dict[str, Any] | None = None
    retain: bool | None = None
    results: list[Result] = field(default_factory=list)

    @property
    def is_going_on(self) -> bool:
        return self.status in ("RUNNING", "STOPPING")


@dataclass
class StackSet:
    """`pattern` has the template, parameters, capabilities and tags of the stacks; it is no stack itself."""

    id: str
    name: str
    pattern: Stack
    permission_model: str = "SELF_MANAGED"
    status: str = "ACTIVE"
    description: str | None = None
    administration_role: str | None = None
    execution_role: str | None = None
    auto_deployment: dict[str, Any] | None = None
    managed_execution: dict[str, Any] = field(default_factory=dict)
    units: list[str] = field(default_factory=list)
    token: str | None = None
    instances: dict[tuple[str, str], Instance] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:cloudformation:{self.pattern.region}:{self.pattern.account}:stackset/{self.id}"

    @property
    def going_on(self) -> Operation | None:
        return next((operation for operation in self.operations.values() if operation.is_going_on), None)


@dataclass
class Shelf:
    stacks: dict[str, Stack] = field(default_factory=dict)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    macros: dict[str, str] = field(default_factory=dict)  # name -> ARN of the function
    controlled: list[StackResource] = field(default_factory=list)  # made by the Cloud Control API
    requests: list[dict[str, Any]] = field(default_factory=list)  # to that API, oldest first
    sets: dict[str, StackSet] = field(default_factory=dict)  # stack sets by their ids, deleted ones too

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Of one that was saved before it had all of these."""
        self.__dict__.update(vars(Shelf()) | state)

    def find(self, name: str, *, deleted: bool = False) -> Stack | None:
        """The stack with this name or id; one that was deleted only by its id, and only if wanted."""
        stack = self.stacks.get(name)
        if stack is not None:
            return stack if deleted or not stack.is_deleted else None
        return next((stack for stack in self.stacks.values() if stack.name == name and not stack.is_deleted), None)

    def exports(self) -> dict[str, tuple[str, str]]:
        """Name -> (stack's id, value)."""
        return {
            name: (stack.id, value)
            for stack in self.stacks.values()
            if not stack.is_deleted
            for name, value in stack.exports().items()
        }

    def importers(self, name: str) -> list[Stack]:
        return [stack for stack in self.stacks.values() if name in stack.imports and not stack.is_deleted]

    def resources(self) -> Iterator[tuple[str, str]]:
        """(type, name) of what is here."""
        for stack in self.stacks.values():
            if not stack.is_deleted:
                yield "AWS::CloudFormation::Stack", stack.name
        for stack_set in self.sets.values():
            if stack_set.status == "ACTIVE":
                yield "AWS::CloudFormation::StackSet", stack_set.name

    def find_set(self, name: str) -> StackSet | None:
        """The stack set with this name or id, if it was not deleted."""
        found = (one for one in self.sets.values() if name in (one.name, one.id) and one.status == "ACTIVE")
        return next(found, None)
