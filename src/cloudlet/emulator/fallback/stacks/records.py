"""What is kept of stacks: plain data, stored with moto's state of CloudFormation.

Shelf            of one account and region
├── Stack        id -> …; deleted ones stay, found by their id
│   ├── resources   logical id -> StackResource
│   └── events      oldest first
└── ChangeSet    id -> …
"""

from __future__ import annotations

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
class Shelf:
    stacks: dict[str, Stack] = field(default_factory=dict)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    macros: dict[str, str] = field(default_factory=dict)  # name -> ARN of the function
    controlled: list[StackResource] = field(default_factory=list)  # made by the Cloud Control API
    requests: list[dict[str, Any]] = field(default_factory=list)  # to that API, oldest first

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
