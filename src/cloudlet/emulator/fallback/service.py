"""The seam between the gateway and moto: which operations it has, in which thread, under which lock, and its state.

One lock a service: moto's back ends are plain dictionaries. The threads hold one lock each, so saving, which takes all
of them in order, cannot meet a circle. A call from inside a native operation (`call.invoke`) comes on the event loop's
thread, inside an open transaction, and must not wait for a thread that may itself be waiting for the loop: it takes the
lock if that is free soon and goes on without it otherwise. What it changes in moto stays when the transaction is
rolled back.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.fallback.answers import Answers, Asked
from cloudlet.emulator.fallback.coverage import WITHIN_NATIVE, covered, is_installed, module_of
from cloudlet.emulator.fallback.faults import modelled, tidy
from cloudlet.emulator.fallback.native import Dispatcher, NativeCalls
from cloudlet.emulator.fallback.state import StateFiles
from cloudlet.emulator.kernel.call import Call, Principal
from cloudlet.emulator.kernel.errors import UnmodelledError
from cloudlet.emulator.kernel.naming import snake_case
from cloudlet.emulator.protocol.codec import Codec, codec
from cloudlet.emulator.protocol.message import HttpResponse
from cloudlet.emulator.protocol.models import Models, ServiceModel
from cloudlet.settings import Settings

if TYPE_CHECKING:
    from cloudlet.emulator.fallback.moto import Engine, Serves

LOG = logging.getLogger("cloudlet.fallback")
THREADS = 8
PATIENCE_SECONDS = 0.2
WITHOUT_MOTO = frozenset({"cloudcontrol"})  # answered here alone
READING = ("describe_", "get_", "list_", "batch_get_", "lookup_", "search_", "head_")


class Fallback:
    """Everything that is not native. Costs nothing until its first request."""

    def __init__(
        self, settings: Settings, dispatcher: Dispatcher, clock: Clock, models: Models, is_native: Serves
    ) -> None:
        self._settings = settings
        self._dispatcher = dispatcher
        self._clock = clock
        self._models = models
        self._is_native = is_native
        self._answers = Answers()
        self._engine: Engine | None = None
        self._loading = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None
        self._locks: dict[str, threading.RLock] = defaultdict(threading.RLock)
        self._calls: NativeCalls | None = None
        self._changed = False
        self._saver: asyncio.Task[None] | None = None
        self._parts: dict[str, Any] = {}
        self.used: set[str] = set()
        state_dir = settings.state_dir
        self._files = StateFiles(state_dir / "fallback") if state_dir is not None else None

    # --- what there is

    def names(self) -> Iterator[str]:
        """The services that the fallback serves, by botocore's names."""
        if is_installed():
            for name in covered():
                if not self._is_native(name):
                    yield name

    def serves(self, service: str, operation: str) -> bool:
        operations = WITHIN_NATIVE if self._is_native(service) else covered()
        return operation in operations.get(service, ()) and is_installed()

    def preload(self, services: Iterable[str]) -> None:
        """Load those of the services that are served here, before their first request."""
        for name in services:
            if name in covered() and not self._is_native(name) and is_installed():
                if name not in WITHOUT_MOTO:
                    self.engine().preload(name)
                self.used.add(name)

    # --- requests

    def codec(self, service: str, operation: str, protocol: str) -> Codec | None:
        """What reads and writes the operation; None where moto writes its own answer: a stream of events."""
        model = self._models.service(service)
        output = model.operation(operation).output
        if output is not None and any(member.is_event_stream for member in output.members.values()):
            return None
        return codec(model, operation, protocol)

    async def carry_out(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """The result of `call.operation`. Raises AwsError, and what moto's code raises."""
        result: dict[str, Any] = await self._in_thread(self.invoke, call, request)
        return result

    async def answer(self, call: Call, _parameters: dict[str, Any]) -> HttpResponse:
        """moto's own answer to `call.http`. Raises AwsError, and what moto's code raises."""
        response: HttpResponse = await self._in_thread(self._answer_raw, call)
        return response

    async def _in_thread(self, work: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def _answer_raw(self, call: Call) -> HttpResponse:
        endpoint = self._models.index.services[call.service].endpoint_prefix
        if call.http is None:
            raise TypeError("a call without a request has no raw answer")
        engine = self.engine()
        self._note(call.service, call.operation)
        with self._locked(call.service):
            return engine.answer(
                call.service, call.operation, endpoint, call.account_id, call.region, call.request_id, call.http
            )

    def invoke(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """The result of `call.operation`, from any thread. Raises AwsError."""
        answer = self._answers.find(call.service, call.operation)
        return self.proceed(call, request) if answer is None else answer(Asked(self, call, request))

    def proceed(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """moto's own result, under the service's lock. Raises AwsError."""
        engine = self.engine()
        self._note(call.service, call.operation)
        try:
            with self._locked(call.service):
                return tidy(engine.invoke(call.service, call.operation, call.account_id, call.region, request))
        except UnmodelledError as error:
            raise modelled(error, self._models.service(call.service).operation(call.operation)) from error

    @contextmanager
    def state_of(self, call: Call) -> Iterator[Any]:
        """moto's object with the state of the call's service, account and region, for as long as it is looked at."""
        engine = self.engine()
        self._note(call.service, call.operation)
        with self._locked(call.service):
            yield engine.backend(call.service, call.account_id, call.region, call.partition)

    def reach(self, account: str, region: str, service: str, operation: str, request: dict[str, Any]) -> Any:
        """Any operation of any service, under the account's root, from a thread that may wait. Raises AwsError."""
        if self._calls is None:
            raise RuntimeError("the fallback has not been started")
        if self._is_native(service):
            return self._calls(account, region, service, operation, request)
        principal = Principal(account, "", "root", f"arn:aws:iam::{account}:root", account)
        return self.invoke(self._dispatcher.call(service, operation, principal, account, region), request)

    def part(self, name: str, make: Callable[[], Any]) -> Any:
        """What a service's answers need beside moto and that is no state (threads, say): made once an emulator."""
        with self._loading:
            if name not in self._parts:
                self._parts[name] = make()
            return self._parts[name]

    def tell(self, name: str, token: str, body: bytes) -> bool:
        """Hand what came from outside to such a part; False where it does not wait for it."""
        part = self._parts.get(name)
        return part is not None and bool(part.deliver(token, body))

    def model(self, service: str) -> ServiceModel:
        """botocore's model of a service."""
        return self._models.service(service)

    def now(self) -> float:
        """The time of the emulated cloud."""
        return self._clock.now()

    def locked(self, service: str) -> AbstractContextManager[None]:
        """Nobody else changes what moto holds of the service, and nobody saves it."""
        self._changed = True
        return self._locked(service)

    def _note(self, service: str, operation: str) -> None:
        self.used.add(service)
        if not snake_case(operation).startswith(READING):
            self._changed = True

    @contextmanager
    def _locked(self, service: str) -> Iterator[None]:
        lock = self._locks[service]
        on_loop = self._calls is not None and self._calls.is_on_loop()
        taken = lock.acquire(timeout=PATIENCE_SECONDS) if on_loop else lock.acquire()
        try:
            yield
        finally:
            if taken:
                lock.release()

    def engine(self) -> Engine:
        """moto, imported now if it was not yet, with the state that the volume has."""
        if self._engine is None:
            with self._loading:
                if self._engine is None:
                    self._engine = self._load()
        return self._engine

    def _load(self) -> Engine:
        if self._calls is None:
            raise RuntimeError("the fallback has not been started")
        module = importlib.import_module(  # lazy: moto and botocore cost a second and 60 MB
            "cloudlet.emulator.fallback.moto"
        )
        engine: Engine = module.Engine(self._calls, self._is_native, self._clock, self._settings.random_seed)
        if self._files is not None:
            self._read(engine, self._files)
        return engine

    def _read(self, engine: Engine, files: StateFiles) -> dict[str, str]:
        """Returns moto's name of each service that could not be read -> why."""
        problems = {}
        for service in files.names():
            engine.prepare(service)
        for service in files.names():
            try:
                engine.adopt(service, files.read(service))
            except Exception as error:  # survives: a file of another version of moto; the service begins empty
                problems[service] = f"{type(error).__name__}: {error}"
                LOG.warning("the saved state of %s cannot be read: %s", service, problems[service])
        return problems

    # --- state

    def start(self) -> None:
        """On the event loop's thread, before the first request. Saves at intervals, where the state is kept."""
        self._calls = NativeCalls(self._dispatcher)
        self._threads = ThreadPoolExecutor(THREADS, "fallback")
        if self._files is not None:
            self._saver = asyncio.get_running_loop().create_task(self._save_at_intervals())

    async def stop(self) -> None:
        if self._saver is not None:
            self._saver.cancel()
        await self.save()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _save_at_intervals(self) -> None:
        while True:
            await asyncio.sleep(self._settings.snapshot_flush_interval)
            await self.save()

    async def save(self) -> dict[str, str]:
        """Write what changed to the volume. Returns service -> "" or what went wrong."""
        if self._files is None or self._engine is None or not self._changed:
            return {}
        return await self._in_thread(self._save, self._engine, self._files)  # type: ignore[no-any-return]

    def _save(self, engine: Engine, files: StateFiles) -> dict[str, str]:
        with self._all_locked():
            self._changed = False
            return by_service(files.save(engine.states(), engine.dump))

    async def load(self) -> dict[str, str]:
        """Go back to what the volume has. Returns service -> what went wrong."""
        if self._files is None or self._engine is None:
            return {}
        loaded: dict[str, str] = await self._in_thread(self._load_again, self._engine, self._files)
        return loaded

    def _load_again(self, engine: Engine, files: StateFiles) -> dict[str, str]:
        with self._all_locked():
            engine.reset()
            return by_service(self._read(engine, files))

    async def held(self, service: str, attribute: str) -> list[tuple[str, str, Any]]:
        """(account, region, what moto holds under this attribute) of each back end in use.

        Nothing starts moto but a state of the service in the volume.
        """
        if self._engine is None and (self._files is None or module_of(service) not in self._files.names()):
            return []
        engine = await self._in_thread(self.engine)
        found: list[tuple[str, str, Any]] = await self._in_thread(self._held, engine, service, attribute)
        return found

    async def change(self, service: str, attribute: str, change: Callable[[Any], None]) -> None:
        """Change what `held` finds, under the lock; it is saved like any other change."""
        held = await self.held(service, attribute)

        def work() -> None:
            with self._locked(service):
                for _account, _region, value in held:
                    change(value)
                self._changed = True

        await self._in_thread(work)

    def _held(self, engine: Engine, service: str, attribute: str) -> list[tuple[str, str, Any]]:
        with self._all_locked():
            states = dict(engine.states()).get(module_of(service), {})
            return [(account, region, state[attribute]) for (account, region), state in states.items()]

    async def resources(self) -> list[tuple[str, str, str, str]]:
        """(CloudFormation's type, account, region, name) of what exists in moto, where moto knows the type."""
        if self._engine is None:
            return []
        found: list[tuple[str, str, str, str]] = await self._in_thread(self._resources, self._engine)
        return found

    def _resources(self, engine: Engine) -> list[tuple[str, str, str, str]]:
        with self._all_locked():
            return sorted(engine.resources())

    # --- for `moment`

    @property
    def loaded(self) -> Engine | None:
        """moto, where it has been used."""
        return self._engine

    @property
    def files(self) -> StateFiles | None:
        return self._files

    def quiet(self) -> AbstractContextManager[None]:
        """As long as it lasts, no operation runs."""
        return self._all_locked()

    async def in_thread(self, work: Callable[[], Any]) -> Any:
        return await self._in_thread(work)

    def note_all(self, services: Iterable[str]) -> None:
        """These have been used and changed."""
        self.used.update(services)
        self._changed = True

    @contextmanager
    def _all_locked(self) -> Iterator[None]:
        """Also those of services that nobody has used yet, so that none begins meanwhile."""
        with ExitStack() as stack:
            for service in sorted({*covered(), *self._locks}):
                stack.enter_context(self._locks[service])
            yield

    async def reset(self, service: str | None = None) -> None:
        """Forget the state of one service, or of all."""
        if self._files is not None:
            self._files.forget(None if service is None else module_of(service))
        if self._engine is not None:
            await self._in_thread(self._reset, self._engine, service)

    def _reset(self, engine: Engine, service: str | None) -> None:
        with self._all_locked():
            engine.reset(service)
            self._changed = True


def by_service(outcomes: dict[str, str]) -> dict[str, str]:
    """The same by botocore's names, which may be several for one of moto's."""
    return {name: outcomes[module_of(name)] for name in covered() if module_of(name) in outcomes}
