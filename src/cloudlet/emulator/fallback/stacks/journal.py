"""What happened to a stack and its resources: statuses, events, notifications."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cloudlet.emulator.fallback.stacks.custom import texts
from cloudlet.emulator.fallback.stacks.records import Event, Stack, StackResource
from cloudlet.emulator.kernel.errors import AwsError

if TYPE_CHECKING:
    from cloudlet.emulator.fallback.stacks.machine import Machine

LOG = logging.getLogger("cloudlet.fallback")
STACK = "AWS::CloudFormation::Stack"
STEP_SECONDS = 0.001


class Journal:
    """The one writer of statuses."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def stack(self, stack: Stack, status: str, reason: str = "") -> None:
        """The stack is in this status from now on."""
        machine = self._machine
        with machine.lock():
            stack.status, stack.reason = status, reason
            event = Event(machine.ids.uuid(), stack.name, stack.id, STACK, self._moment(stack), status, reason)
            event.token = stack.token
            stack.events.append(event)
        self._notify(stack, event)

    def resource(self, stack: Stack, resource: StackResource, status: str, reason: str = "") -> None:
        machine = self._machine
        with machine.lock():
            now = self._moment(stack)
            moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
            resource.status, resource.reason, resource.time = status, reason, now
            event = Event(
                f"{resource.logical_id}-{status}-{moment}",
                resource.logical_id,
                resource.physical_id,
                resource.type,
                now,
                status,
                reason,
                json.dumps(texts(resource.shown), separators=(",", ":")),
                stack.token,
            )
            stack.events.append(event)
        if status.endswith("_FAILED"):
            LOG.warning("CloudFormation: %s of the stack %s: %s: %s", resource.logical_id, stack.name, status, reason)
        self._notify(stack, event)

    def _moment(self, stack: Stack) -> float:
        """Now, but in the order of the events: clients sort them by their times, which have milliseconds."""
        now = self._machine.now()
        return max(now, stack.events[-1].time + STEP_SECONDS) if stack.events else now

    def _notify(self, stack: Stack, event: Event) -> None:
        """Tell the topics that the stack names. One that is gone is logged: the stack goes on, as on AWS."""
        for arn in stack.notification_arns:
            moment = datetime.fromtimestamp(event.time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
            said = (
                ("StackId", stack.id),
                ("Timestamp", moment),
                ("EventId", event.event_id),
                ("LogicalResourceId", event.logical_id),
                ("Namespace", stack.account),
                ("PhysicalResourceId", event.physical_id),
                ("ResourceProperties", event.properties or "null"),
                ("ResourceStatus", event.status),
                ("ResourceStatusReason", event.reason),
                ("ResourceType", event.type),
                ("StackName", stack.name),
                ("ClientRequestToken", event.token or "null"),
            )
            message = "".join(f"{name}='{value}'\n" for name, value in said)
            request = {"TopicArn": arn, "Subject": "AWS CloudFormation Notification", "Message": message}
            try:
                self._machine.reach(stack.account, arn.split(":")[3], "sns", "Publish", request)
            except AwsError as error:
                LOG.warning("CloudFormation could not tell %s: %s: %s", arn, error.code, error.message)
