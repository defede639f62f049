"""The emulator as a whole: builds every part, owns every part. There is no state outside of it."""

from __future__ import annotations

import asyncio
import importlib
import logging
import signal
import sys
from pathlib import Path
from typing import Any

from cloudlet import __version__
from cloudlet.emulator.activation.activate import begin
from cloudlet.emulator.activation.check import StartCheck
from cloudlet.emulator.activation.machine import identify_machine
from cloudlet.emulator.activation.state import ActivationState
from cloudlet.emulator.effects.background import Background
from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.effects.jobs import JobRunner
from cloudlet.emulator.fallback import moment
from cloudlet.emulator.gateway.chain import Chain
from cloudlet.emulator.gateway.chaos import Chaos
from cloudlet.emulator.gateway.cors import Cors
from cloudlet.emulator.gateway.dispatch import Dispatcher
from cloudlet.emulator.gateway.entitle import Entitlement, service_name
from cloudlet.emulator.gateway.http.server import HttpServer, Limits
from cloudlet.emulator.gateway.http.tls import ServerCertificates
from cloudlet.emulator.gateway.identify import Identifier
from cloudlet.emulator.gateway.identity import Identities
from cloudlet.emulator.gateway.internal.pods import load_at_start
from cloudlet.emulator.gateway.internal.routes import InternalApi
from cloudlet.emulator.gateway.journal import Journal
from cloudlet.emulator.gateway.registry import Registry
from cloudlet.emulator.gateway.spooling import Spooling
from cloudlet.emulator.hooks import SHUTDOWN_LIMIT_SECONDS, InitHooks
from cloudlet.emulator.kernel.service import Service
from cloudlet.emulator.protocol.models import Models
from cloudlet.emulator.store.blobs import BLOBS, unlink
from cloudlet.emulator.store.kv import Transaction
from cloudlet.emulator.store.open import open_store
from cloudlet.emulator.store.snapshot import Snapshot, Snapshots
from cloudlet.emulator.store.transact import run
from cloudlet.license.token import mask_text
from cloudlet.settings import Settings

LOG = logging.getLogger("cloudlet.app")
STOP_GRACE_SECONDS = 10.0


class Emulator:
    """One running emulator. `create_emulator` makes it, `run` serves until it is told to stop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.version = __version__
        self.clock = Clock()
        self.ids = Ids(settings.random_seed)
        self.session_id = self.ids.uuid()
        self.started_at = self.clock.wall()
        self.machine = identify_machine(settings)
        self.activation = ActivationState(phase="community")
        self.journal = Journal(settings.log_level, self.clock)
        self.models = Models()
        self.registry = Registry()
        self.store = open_store(settings)
        self.dispatcher = Dispatcher(settings, self.store, self.clock, self.ids, self.registry, self.models)
        self.jobs = JobRunner(
            self.store, self.clock, self.ids, self.dispatcher.service_call, load_service=self.registry.load
        )
        self.background = Background(self.store, self.dispatcher.service_call)
        self.registry.on_load.append(self._adopt)
        self.chaos = Chaos(settings, self.ids)
        self.pods: Any = None  # made by the first request that is about Cloud Pods
        self.health_data: dict[str, Any] = {}
        self.config_updates: dict[str, Any] = {}
        self.hooks = InitHooks(settings)
        self.is_stopping = False
        self.restart_wanted = False
        self._stop = asyncio.Event()

    async def run(self) -> bool:
        """Activate, serve until a signal or `stop_soon`, stop. True when it should be started again.

        Raises ActivationFailed, and what `HttpServer.start` raises for a port that is taken.
        """
        await self.hooks.run("BOOT")
        licensing = begin(self.settings, self.machine, say=announce)
        self.activation = licensing.state
        self.entitlement = Entitlement(self.settings, self.activation)
        chain = Chain(
            self.dispatcher,
            Identities(self.settings),
            Identifier(self.models),
            self.models,
            self.entitlement,
            self.chaos,
            InternalApi(self),
            Cors(self.settings),
            self.journal,
            self.version,
        )
        server = HttpServer(
            chain,
            self.settings.gateway_listen,
            wants_spool=chain.wants_spool,
            open_spool=Spooling(self.store).open,
            certificates=self._certificates(),
            limits=Limits(header_bytes=self.settings.max_header_bytes),
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        self.dispatcher.fallback.start()
        self.load_services()
        self.use_activation(licensing.settle())  # nobody is served, and no script runs, under a license that is refused
        await self.hooks.run("START")
        names = await self._serve_names()
        await server.start()
        self.jobs.start()
        for name in self.background.wanted():
            self.registry.load(name)
        ready = loop.create_task(self._be_ready())
        renewing = (
            loop.create_task(self._keep_license(licensing.check)) if self.activation.is_license_activated else None
        )
        await self._stop.wait()
        self.is_stopping = True
        ready.cancel()
        if renewing is not None:
            renewing.cancel()
        await self._run_shutdown_hooks()
        await server.stop(STOP_GRACE_SECONDS)
        if names is not None:
            await names.stop()
        await self.jobs.stop()
        await self.background.stop()
        await self.dispatcher.programs.close()
        await self.dispatcher.fallback.stop()
        self.journal.flush()
        self.store.close()
        return self.restart_wanted

    async def _serve_names(self) -> Any:
        """The name server, where one was asked for and can be had."""
        if not self.settings.dns_address:
            return None
        module = importlib.import_module("cloudlet.emulator.dns.server")  # lazy: brings dnspython
        server = module.NameServer(self.settings)
        return server if await server.start() else None

    async def _be_ready(self) -> None:
        """What users have set up to happen first is done when `Ready.` is read."""
        if self.settings.auto_load_pod:
            await load_at_start(self)
        await self.hooks.run("READY")
        announce("Ready.")

    async def _keep_license(self, check: StartCheck | None) -> None:
        """Renew the license while it is used; a community start loads none of this."""
        module = importlib.import_module("cloudlet.emulator.activation.refresh")  # lazy: brings http and ssl
        refresher = module.make_refresher(self.settings, self.machine, self.activation, self.use_activation, check)
        if refresher is not None:
            await refresher.run()

    def use_activation(self, activation: ActivationState) -> None:
        """What the license opens from now on."""
        self.activation = activation
        self.entitlement.use(activation)

    async def _run_shutdown_hooks(self) -> None:
        try:
            await asyncio.wait_for(self.hooks.run("SHUTDOWN"), SHUTDOWN_LIMIT_SECONDS)
        except TimeoutError:
            LOG.error("the init scripts of shutdown took longer than %d s", SHUTDOWN_LIMIT_SECONDS)

    def _certificates(self) -> ServerCertificates:
        """What TLS clients get. Kept in the volume, so that an authority that somebody trusts stays the same."""
        name = self.settings.localstack_host.rpartition(":")[0]
        return ServerCertificates(
            Path(self.settings.volume_dir) / "tls", self.settings.custom_ssl_cert_path, names=(name,)
        )

    def load_services(self) -> None:
        """Import services before their first request, where that was asked for."""
        if self.settings.eager_service_loading:
            for name in self.registry.names():
                if self.entitlement.serves(name):
                    self.registry.load(name)
            self.dispatcher.fallback.preload(service_name(name) for name in self.settings.services)

    def service_states(self) -> dict[str, str]:
        """Every service, native or not: `running` once used, `available` before, `disabled` where it is not served."""
        used = {*self.registry.loaded(), *self.dispatcher.fallback.used}
        states = {}
        for name in sorted({*self.registry.names(), *self.dispatcher.fallback.names()}):
            if not self.entitlement.serves(name) or not self.activation.allows(name):
                states[name] = "disabled"
            else:
                states[name] = "running" if name in used else "available"
        return states

    def _adopt(self, service: Service) -> None:
        for handler in service.jobs:
            self.jobs.register(handler)
        if service.background is not None:
            self.background.start(service.name, service.background)

    # --- what the internal endpoints do

    def stop_soon(self, *, restart: bool) -> None:
        """Stop once the answer that asked for it is out."""
        self.restart_wanted = restart
        asyncio.get_running_loop().call_later(0.1, self._stop.set)

    def update_config(self, variable: str, value: Any) -> None:
        self.config_updates[variable] = mask_text(value) if isinstance(value, str) else value
        if variable in ("LS_LOG", "DEBUG"):
            level = str(value).lower() if variable == "LS_LOG" else "debug" if value in (1, "1", "true") else "info"
            self.journal.set_level(level)

    async def reset_state(self) -> None:
        self.store.clear()
        self.dispatcher.programs.forget(())
        await self.dispatcher.fallback.reset()

    async def reset_service(self, name: str) -> None:
        """Forget one service's state. What native services keep lies under keys that begin with their names."""
        if self.registry.is_native(name):
            run(self.store, lambda tx: forget_service(tx, name))
            self.dispatcher.programs.forget((name,))
        else:
            await self.dispatcher.fallback.reset(name)

    async def save_snapshot(self, name: str) -> tuple[Snapshot, dict[str, str]]:
        """Native state and the fallback's, of one moment; and moto's services that could not be saved -> why."""
        return await moment.take(
            self.dispatcher.fallback, lambda states, problems: (self.snapshots.save(name, states), problems)
        )

    async def restore_snapshot(self, name: str) -> None:
        """Raises KeyError, StoreError, and Unreadable where the fallback's part does not fit; then nothing changed."""
        states = self.snapshots.beside(name)
        if states is None:  # of a version that saved the native state only
            self.snapshots.restore(name)
        else:
            fallback = self.dispatcher.fallback
            await moment.put(fallback, states, moment.How.INSTEAD, lambda: self.snapshots.restore(name))

    @property
    def snapshots(self) -> Snapshots:
        return self.store.snapshots

    async def move_clock(self, to: float) -> None:
        """Go to a time; everything that falls due on the way runs first, in order."""
        if to > self.clock.now():
            await self.jobs.run_due(to)
        self.clock.set(to)


def forget_service(tx: Transaction, name: str) -> None:
    for key, _value in list(tx.scan(f"{name}.".encode(), f"{name}/".encode())):
        tx.delete(key)
    if name == "s3":  # the only service whose records hold large bodies
        for blob in list(BLOBS.scan(tx)):
            while BLOBS.exists(tx, blob.blob_id):  # the parts of a joined one go with it
                unlink(tx, blob.blob_id)


def create_emulator(settings: Settings) -> Emulator:
    """An emulator that has opened its state and listens nowhere yet. Raises StoreError."""
    return Emulator(settings)


def announce(line: str) -> None:
    """A line that people and test containers wait for: stdout, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
