"""What all work on stacks shares: threads, the way to the other services, the kinds of resources, the kept stacks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.fallback.stacks import catalogue, templates
from cloudlet.emulator.fallback.stacks.intrinsics import Scope
from cloudlet.emulator.fallback.stacks.journal import Journal
from cloudlet.emulator.fallback.stacks.kinds import Kind
from cloudlet.emulator.fallback.stacks.parameters import Value
from cloudlet.emulator.fallback.stacks.records import Shelf, Stack
from cloudlet.emulator.fallback.stacks.set_work import SetWork
from cloudlet.emulator.fallback.stacks.template import Template
from cloudlet.emulator.fallback.stacks.waits import Waits
from cloudlet.emulator.fallback.stacks.work import Work
from cloudlet.emulator.fallback.stacks.world import StackWorld, partition_of
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.protocol.models import ServiceModel

if TYPE_CHECKING:
    from cloudlet.emulator.fallback.service import Fallback

LOG = logging.getLogger("cloudlet.fallback")
SERVICE = "cloudformation"
THREADS = 8  # of stacks that are worked on at a time; those that wait for a function hold one
# How long the request that started the work waits for its end. Most stacks are done by then, so that a client whose
# waiter looks every 30 seconds sees the end at its first look.
PATIENCE_SECONDS = 4.0


class Machine:
    """One per emulator; kept by the fallback, made with the first request to CloudFormation."""

    def __init__(self, fallback: Fallback, call: Call) -> None:
        self._fallback = fallback
        self.ids = call.ids
        settings = call.settings
        outside = f"{settings.protocol}://{settings.localstack_host}"
        self.waits = Waits(outside, f"http://127.0.0.1:{settings.port}", call.ids)
        self.journal = Journal(self)
        self.work = Work(self)
        self.set_work = SetWork(self)
        self._kinds: dict[str, Kind] = {}
        self._threads = ThreadPoolExecutor(THREADS, "stacks")
        self._seen: dict[tuple[str, str], Shelf] = {}

    # --- the emulator

    def now(self) -> float:
        return self._fallback.now()

    def lock(self) -> AbstractContextManager[None]:
        """Held while what is kept of stacks changes, so that it is not saved half changed."""
        return self._fallback.locked(SERVICE)

    def reach(self, account: str, region: str, service: str, operation: str, request: dict[str, Any]) -> Any:
        """Any operation of any service. Raises AwsError."""
        return self._fallback.reach(account, region, service, operation, request)

    def model(self, service: str) -> ServiceModel:
        """The service's model: which operations it has, and their members."""
        return self._fallback.model(service)

    def shelf(self, account: str, region: str) -> Shelf:
        """The stacks of one account and region; they are part of moto's state of CloudFormation."""
        backend = self._fallback.engine().backend(SERVICE, account, region, partition_of(region))
        with self.lock():
            shelf: Shelf | None = vars(backend).get("cloudlet_stacks")
            if shelf is None:
                shelf = backend.cloudlet_stacks = Shelf()
            is_new = self._seen.get((account, region)) is not shelf  # after a start, and after a snapshot came back
            self._seen[account, region] = shelf
            cut_off = [stack for stack in shelf.stacks.values() if stack.in_progress] if is_new else []
            if is_new:
                for stack_set in shelf.sets.values():
                    self.set_work.recover(stack_set)
        for stack in cut_off:  # they go back to where they were, or on with being deleted
            self.start(stack, self.work.recover)
        return shelf

    def kind(self, name: str) -> Kind:
        """The kind of resource with this type's name."""
        kind = self._kinds.get(name)
        if kind is None:
            kind = self._kinds[name] = catalogue.find(name, self._fallback.engine())
        return kind

    def busy(self, kind: Kind) -> AbstractContextManager[None]:
        """The lock of the service whose models a kind changes."""
        return self._fallback.locked(kind.service)

    def managed_policies(self, account: str) -> dict[str, str]:
        """Names and ARNs of AWS's own policies."""
        backend = self._fallback.engine().backend("iam", account, "us-east-1", "aws")
        return {policy.name: arn for arn, policy in backend.managed_policies.items()}

    def deliver(self, token: str, body: bytes) -> bool:
        """What came in from outside for somebody who waits; False where nobody does."""
        return self.waits.deliver(token, body)

    # --- templates

    def read_url(self, account: str, region: str, url: str) -> str:
        """The text behind an S3 URL. Raises `ValidationError`."""
        return templates.read_url(self, account, region, url)

    def scope(self, stack: Stack, template: Template, parameters: Mapping[str, Value]) -> Scope:
        """For values of the stack as it is now."""
        return Scope(template, parameters, StackWorld(self, stack))

    # --- threads

    def start(self, stack: Stack, work: Callable[..., None], *arguments: Any) -> None:
        """Work on a stack in another thread; returns when it is done, or has taken long."""
        self.run(self._guarded, stack, work, *arguments)

    def run(self, work: Callable[..., None], *arguments: Any) -> None:
        """As `start`, for work that says itself what went wrong."""
        future = self._threads.submit(work, *arguments)
        try:
            future.result(PATIENCE_SECONDS)
        except StillRunning:
            LOG.debug("%s goes on in the background", arguments)

    def _guarded(self, stack: Stack, work: Callable[..., None], *arguments: Any) -> None:
        try:
            work(stack, *arguments)
        except Exception as error:  # renders: a fault of ours becomes the stack's reason; the log has the traceback
            LOG.exception("work on the stack %s failed", stack.id)
            verb = stack.status.partition("_")[0] or "CREATE"
            self.journal.stack(stack, f"{verb}_FAILED", f"Internal Failure: {type(error).__name__}: {error}")

    # --- nested stacks

    def new_nested(self, parent: Stack, name: str, request: dict[str, Any]) -> Stack:
        """Made in this thread; its status says what came of it."""
        stack = templates.new_stack(self, parent.account, parent.region, {**request, "StackName": name}, parent)
        self.journal.stack(stack, "CREATE_IN_PROGRESS")
        self.work.create(stack)
        return stack

    def change_nested(self, stack: Stack, request: dict[str, Any]) -> None:
        after = templates.changed_stack(self, stack, request)
        if after is not None:
            self.work.update(stack, after)
