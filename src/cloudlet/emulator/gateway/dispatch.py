"""Runs operations: opens the transaction, calls the handler, commits; and what a call may ask of the running emulator.

run          a synchronous operation, in one transaction; run again after a conflict
run_async    an `async def` operation, which opens its own short transactions
invoke       another service's operation inside the caller's transaction; one of the fallback beside it
transaction, changed     what `Call` offers to `async def` operations and jobs
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from cloudlet.emulator.effects.clock import Clock, pause
from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.effects.processes import Programs
from cloudlet.emulator.fallback.service import Fallback
from cloudlet.emulator.gateway.identity import partition_of
from cloudlet.emulator.gateway.registry import Handler, Registry
from cloudlet.emulator.kernel.call import Call, Principal
from cloudlet.emulator.kernel.errors import NotImplementedFailure
from cloudlet.emulator.protocol.constraints import rules_of
from cloudlet.emulator.protocol.documents import read_document
from cloudlet.emulator.protocol.fragments import thaw
from cloudlet.emulator.protocol.message import HttpRequest
from cloudlet.emulator.protocol.models import Models
from cloudlet.emulator.store.kv import Conflict, Store, Transaction
from cloudlet.settings import Settings

FIRST_BACK_OFF_SECONDS = 0.001
LONGEST_BACK_OFF_SECONDS = 0.1
ATTEMPTS = 20  # of a transaction that conflicts; each loser has seen a winner, so the whole always makes progress


class Dispatcher:
    """Carries out operations of native services. One instance per emulator; implements `kernel.call.Runtime`."""

    def __init__(
        self, settings: Settings, store: Store, clock: Clock, ids: Ids, registry: Registry, models: Models
    ) -> None:
        self.settings = settings
        self.store = store
        self.clock = clock
        self.ids = ids
        self.registry = registry
        self.models = models
        self.fallback = Fallback(settings, self, clock, models, registry.is_native)
        self.programs = Programs()
        self._handlers: dict[tuple[str, str], Handler] = {}
        # Whether a synchronous operation has to wait before it is answered: for a server, or for the disk.
        self.waits = store.worker_threads > 0 or settings.durability == "disk"
        self._threads = ThreadPoolExecutor(store.worker_threads, "transaction") if store.worker_threads else None

    def handler(self, service: str, operation: str) -> Handler:
        """The operation's function, or the fallback. Raises NotImplementedFailure, which names it."""
        found = self._handlers.get((service, operation))
        if found is None:
            found = self.registry.handler(service, operation)
            if found is None and self.fallback.serves(service, operation):
                found = Handler(self.fallback.invoke)
            if found is None:
                raise not_implemented(service, operation)
            self._handlers[service, operation] = found
        return found

    def call(
        self,
        service: str,
        operation: str,
        principal: Principal,
        account_id: str,
        region: str,
        *,
        request_id: str | None = None,
        http: HttpRequest | None = None,
    ) -> Call:
        """A call that has not begun; jobs and the gateway make theirs here."""
        return Call(
            self,
            self.settings,
            self.ids,
            self.clock.now(),
            request_id or self.ids.uuid(),
            principal,
            account_id,
            region,
            partition_of(region),
            service,
            operation,
            http,
        )

    def service_call(self, service: str, account_id: str, region: str, operation: str = "job") -> Call:
        """A call that a service makes of its own accord (a job), under AWS's service principal."""
        principal = Principal(account_id, "", "service", f"{service}.amazonaws.com", f"{service}.amazonaws.com")
        return self.call(service, operation, principal, account_id, region)

    def run(self, handler: Handler, call: Call, request: dict[str, Any]) -> Any:
        """Carry out a synchronous operation in a transaction of its own."""
        store = self.store
        run = handler.run
        for attempt in range(ATTEMPTS):
            tx = call.tx = store.begin(read_only=handler.read_only)
            try:
                result = run(call, request)
            except Conflict:
                store.abort(tx)
                if attempt == ATTEMPTS - 1:
                    raise
                call._after_commit = None
                self._back_off(attempt)
                continue
            except BaseException:
                store.abort(tx)
                raise
            try:
                store.commit(tx)
            except Conflict:
                if attempt == ATTEMPTS - 1:
                    raise
                call._after_commit = None
                self._back_off(attempt)
                continue
            if call._after_commit:
                run_hooks(call)
            return result
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _back_off(self, attempt: int) -> None:
        """After a conflict with another replica or thread, let it get ahead; the more the longer this goes on."""
        if self._threads is not None:
            pause(self.ids.random() * min(LONGEST_BACK_OFF_SECONDS, FIRST_BACK_OFF_SECONDS * 2**attempt))

    async def run_async(self, handler: Handler, call: Call, request: dict[str, Any]) -> Any:
        """Carry out an `async def` operation, or any operation on a store whose transactions wait for a server."""
        if handler.is_async:
            result = await handler.run(call, request)
        elif self._threads is None:
            result = self.run(handler, call, request)
        else:
            result = await asyncio.get_running_loop().run_in_executor(self._threads, self.run, handler, call, request)
        await self.durable()
        return result

    async def durable(self) -> None:
        """Return once everything that was committed survives what it has to survive. Raises StoreError."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settle(error: BaseException | None) -> None:
            if waiter.done():
                return
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)

        if self.store.when_durable(settle):
            await waiter

    # --- kernel.call.Runtime

    def invoke(
        self, call: Call, service: str, operation: str, request: dict[str, Any], principal: Principal | None
    ) -> Any:
        handler = self.handler(service, operation)
        if handler.is_async:
            raise TypeError(f"{service}.{operation} waits, so it cannot run inside another operation's transaction")
        if call._after_commit is None:
            call._after_commit = []  # shared with the inner call, so that its hooks wait for the outer commit
        inner = Call(
            self,
            self.settings,
            self.ids,
            call.now,
            call.request_id,
            principal or call.principal,
            call.account_id,
            call.region,
            call.partition,
            service,
            operation,
            None,
        )
        inner._after_commit = call._after_commit
        inner.tx = call.tx
        result = handler.run(inner, request)
        if thaw(result) is result:  # nearly always; the shape is only needed to tell blobs from strings
            return result
        return thaw(result, self.models.service(service).operation(operation).output)

    @contextmanager
    def transaction(self, call: Call, *, read_only: bool = False) -> Iterator[Transaction]:
        """One short transaction of an `async def` operation. A conflict raises: the block cannot be run again."""
        tx = call.tx = self.store.begin(read_only=read_only)
        call.now = self.clock.now()
        try:
            yield tx
        except BaseException:
            self.store.abort(tx)
            call._after_commit = None
            raise
        finally:
            del call.tx
        self.store.commit(tx)
        if call._after_commit:
            run_hooks(call)

    async def changed(self, prefix: bytes, timeout_seconds: float) -> bool:
        return await self.store.watch.changed(prefix, timeout_seconds)

    async def reach(
        self, call: Call, service: str, operation: str, request: dict[str, Any], *, is_document: bool = False
    ) -> dict[str, Any]:
        handler = self._known_handler(service, operation)
        inner = self.call(service, operation, call.principal, call.account_id, call.region)
        model = self.models.service(service)
        shape = model.operation(operation).output if model.has_operation(operation) else None
        if is_document and shape is None and not model.has_operation(operation):
            raise not_implemented(service, operation)
        if is_document:
            rules = rules_of(service, model.protocols[0])
            request = read_document(model.operation(operation), rules, request)
        if not self.registry.is_native(service):
            return await self.fallback.carry_out(inner, request)
        result: dict[str, Any] = await self.run_async(handler, inner, request)
        return thaw(result, shape)  # type: ignore[no-any-return]

    def _known_handler(self, service: str, operation: str) -> Handler:
        """Raises NotImplementedFailure for names that users made up, too."""
        known = self.models.knows(service) and self.models.service(service).has_operation(operation)
        if not known and not self.registry.is_native(service):
            raise not_implemented(service, operation)
        return self.handler(service, operation)


def run_hooks(call: Call) -> None:
    """The actions that were waiting for the commit, in the order in which they were asked for."""
    hooks: list[Callable[[], None]] = call._after_commit or []
    call._after_commit = None
    for hook in hooks:
        hook()


def not_implemented(service: str, operation: str) -> NotImplementedFailure:
    return NotImplementedFailure(
        f"The operation {service}.{operation} is not implemented yet. "
        "docs/services/README.md lists what is; an issue that names the operation helps to order the work."
    )
