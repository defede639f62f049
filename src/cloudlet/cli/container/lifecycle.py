"""From start to stop of the emulator's container."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from cloudlet.cli.container.engine import Engine, explained, find_engine, is_ours
from cloudlet.cli.container.options import Options
from cloudlet.cli.container.plan import Plan, make_plan, published
from cloudlet.cli.container.record import ContainerRecord, RecordFile
from cloudlet.cli.container.settings import ContainerSettings, read_container_settings
from cloudlet.cli.context import LICENSE, Context, Failed
from cloudlet.cli.ports import require_free

READY = "Ready."
READY_SECONDS = 120.0
STOP_SECONDS = 12
POLL_SECONDS = 0.1
LAST_LINES = 15


class Running:
    """The emulator's container on an engine."""

    def __init__(self, engine: Engine, container: Any, file: RecordFile) -> None:
        self.engine = engine
        self.container = container
        self.file = file

    @property
    def name(self) -> str:
        return str(self.container.name)

    def is_running(self) -> bool:
        self.container.reload()
        return bool(self.container.status == "running")

    def text(self, tail: int | str = "all") -> str:
        found: bytes = self.container.logs(tail=tail)
        return found.decode("utf-8", "replace")

    def follow(self, tail: int | str = "all") -> Iterator[str]:
        """What it prints, from now on until it ends."""
        for block in self.container.logs(stream=True, follow=True, tail=tail):
            yield block.decode("utf-8", "replace")

    def exit_code(self) -> int:
        return int(self.container.wait()["StatusCode"])

    def wait_ready(self, starts: int = 1) -> None:
        """Until its log has said `Ready.` so often. Raises Failed, with its last lines, when it ends before that."""
        end = time.monotonic() + READY_SECONDS
        while self.text().count(READY + "\n") < starts:
            if not self.is_running():
                raise self.ended()
            if time.monotonic() > end:
                message = f"The container {self.name} did not become ready within {READY_SECONDS:.0f} seconds."
                raise Failed(message, code="container.start", details=self.text(LAST_LINES))
            time.sleep(POLL_SECONDS)

    def ended(self) -> Failed:
        code = self.exit_code()
        return Failed(
            f"The container {self.name} ended with exit code {code} before it was ready. Its last lines:",
            code="container.start",
            exit_code=code if code == LICENSE else 1,
            details=self.text(LAST_LINES).rstrip(),
        )

    def stop(self) -> None:
        with explained(f"The container {self.name} could not be stopped", "container.stop"):
            self.container.stop(timeout=STOP_SECONDS)

    def remove(self) -> None:
        with explained(f"The container {self.name} could not be removed", "container.stop"):
            self.container.remove(force=True)
        self.file.forget()

    def facts(self) -> dict[str, Any]:
        """For `status docker`."""
        self.container.reload()
        attributes = self.container.attrs
        return {
            "running": self.container.status == "running",
            "container": self.name,
            "image": attributes["Config"]["Image"],
            "state": self.container.status,
            "health": (attributes["State"].get("Health") or {}).get("Status") or None,
            "ports": ", ".join(published(attributes["NetworkSettings"].get("Ports") or {})) or None,
            "engine": self.engine.address,
        }


def start(context: Context, options: Options, say: Callable[[str], None]) -> tuple[Running, Plan]:
    """Create and start it; it may not be ready yet. Raises Failed and click.UsageError."""
    settings = read_container_settings(context.command.variables)
    options = options.with_flags(settings.flags)
    if settings.network and not options.network:
        options = Options(**{**fields(options), "network": settings.network})
    name = options.image(settings.image)
    engine = find_engine(settings)
    refuse_second(context, engine, settings)
    image = engine.image(name, say)
    plan = make_plan(context, settings, options, engine, name, ours=is_ours(image))
    file = RecordFile(context.command, context.emulator.port)
    try:
        container = create(engine, plan)
    except BaseException:
        file.forget()
        raise
    file.write(ContainerRecord(container.id, settings.name, engine.address, plan.url, plan.secret))
    running = Running(engine, container, file)
    try:
        with explained(f"The container {settings.name} could not be started", "container.start"):
            container.start()
    except BaseException:
        running.remove()
        raise
    return running, plan


def fields(options: Options) -> dict[str, Any]:
    return {name: getattr(options, name) for name in options.__struct_fields__}


def create(engine: Engine, plan: Plan) -> Any:
    if plan.network and plan.network not in ("host", "bridge"):
        with explained(f"The engine did not answer about network {plan.network}", "engine.failed"):
            if not engine.client.networks.list(names=[plan.network]):
                raise Failed(
                    f"There is no network {plan.network!r}.",
                    code="network.missing",
                    actions=(f"docker network create {plan.network}",),
                )
    with explained(f"The container {plan.name} could not be made", "container.start"):
        return engine.client.containers.get(plan.create(engine.client.api))


def refuse_second(context: Context, engine: Engine, settings: ContainerSettings) -> None:
    """Remove what has ended; raises Failed when one runs, or when something else has a port."""
    found = engine.container(settings.name)
    if found is not None and found.status in ("running", "paused", "restarting"):
        raise Failed(
            f"The container {settings.name} runs already.",
            code="emulator.running",
            actions=("cloudlet status docker", "cloudlet restart", "cloudlet stop"),
        )
    if found is not None:
        found.remove(force=True)
    if engine.is_local:
        for address in context.emulator.gateway_listen:
            require_free(address, "emulator", "GATEWAY_LISTEN", "cloudlet start --docker")


def find_running(context: Context) -> Running | None:
    """The container that `start --docker` wrote down, or the one of the usual name; None when there is none.

    A record whose container is gone is forgotten. Raises Failed when its engine does not answer.
    """
    settings = read_container_settings(context.command.variables)
    file = RecordFile(context.command, context.emulator.port)
    record = file.read()
    if record is not None:
        settings = ContainerSettings(engine=record.engine, name=record.name, image=settings.image)
    engine = find_engine(settings)
    container = engine.container(record.id if record is not None else settings.name)
    if container is None:
        file.forget()
        return None
    return Running(engine, container, file)


def restart(running: Running) -> None:
    """Stop and start the same container. Raises Failed."""
    starts = running.text().count(READY + "\n")
    with explained(f"The container {running.name} could not be restarted", "container.start"):
        running.container.restart(timeout=STOP_SECONDS)
    running.wait_ready(starts + 1)
