"""`cloudlet quickstart`: control plane, first workspace, token, activated emulator; Ctrl-C stops it all.

cloudlet quickstart
├── cloudlet control start       log in <state>/logs/control.log
└── python -m cloudlet.emulator  log in <state>/logs/emulator.log
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudlet.cli import emulator
from cloudlet.cli.context import INTERRUPT, Context, Failed, pass_context
from cloudlet.cli.credentials import CredentialStore
from cloudlet.cli.endpoint import INFO, emulator_url, exchange, get_json, reachable_url, wait_until
from cloudlet.cli.ports import require_free
from cloudlet.cli.processes import ServerProcess, began, stop
from cloudlet.cli.steps import Steps
from cloudlet.license.token import mask

if TYPE_CHECKING:
    from cloudlet.control.bootstrap import BootstrapResult

COMMAND = "cloudlet quickstart"
LOOK_SECONDS = 0.25


@click.command()
@click.option("--email", metavar="ADDRESS", help="The admin's address, on the first run.")
@pass_context
def quickstart(context: Context, email: str | None) -> None:
    """Control plane and activated emulator, ready to use.

    The first run makes a workspace, its admin, a 14-day trial license and an auth token; later runs find them. Both
    servers run until Ctrl-C. Everything is kept in ~/.local/state/cloudlet and ~/.localstack.

    \b
    Examples:
      cloudlet quickstart
      GATEWAY_LISTEN=:4576 PLATFORM_LISTEN=:4590 cloudlet quickstart
    """
    with interrupted_by_signals() as stopping:
        servers = Servers(context, Steps(quiet=context.json))
        try:
            servers.start(email)
            code = servers.watch(stopping)
        except KeyboardInterrupt:
            code = 0 if servers.are_up else INTERRUPT
        finally:
            servers.stop()
    click.get_current_context().exit(code)


@contextmanager
def interrupted_by_signals() -> Iterator[threading.Event]:
    """SIGINT and SIGTERM raise KeyboardInterrupt once; more of them, while everything stops, are let pass."""
    stopping = threading.Event()

    def handle(number: int, frame: object) -> None:
        if not stopping.is_set():
            stopping.set()
            raise KeyboardInterrupt

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Servers:
    """The two children, in the order in which they start."""

    def __init__(self, context: Context, steps: Steps) -> None:
        self.context = context
        self.steps = steps
        self.own = emulator.supervisor(context)
        self.running: list[tuple[ServerProcess, subprocess.Popen[bytes], int]] = []
        self.are_up = False

    def start(self, email: str | None) -> None:
        """Everything up, or Failed."""
        context = self.context
        url = emulator_url(context.emulator)
        web = reachable_url(context.platform.listen)
        self.check_ports()
        self.own.record(url, os.getpid(), log=False)
        with self.steps.step("Starting the control plane") as step:
            workspace = self.start_control_plane(web, email)
            made = "made" if workspace.created else "found"
            step.done(f"Control plane at {workspace.web_url}; its workspace was {made}")
        with self.steps.step("Starting the emulator") as step:
            token = workspace.token or self.kept_token(workspace, web)
            info = self.start_emulator(workspace, web, token)
            activated = "activated" if info.get("is_license_activated") else "not activated"
            step.done(f"Emulator at {url}; edition {info.get('edition', 'unknown')}, {activated}")
        stored = self.store_token(token)
        self.are_up = True
        self.context.answer(
            {
                "endpoint": url,
                "web": workspace.web_url,
                "sign_in_link": workspace.sign_in_link,
                "created": workspace.created,
                "edition": info.get("edition"),
                "is_license_activated": info.get("is_license_activated"),
                "token": mask(token),
                "token_stored": stored,
            },
            farewell(workspace, url),
        )

    def check_ports(self) -> None:
        supervisor = self.own.running()
        if supervisor is not None:
            raise Failed(
                f"A quickstart runs already (process {supervisor.pid}); its emulator is at {supervisor.url}.",
                code="quickstart.running",
                actions=("cloudlet status", "cloudlet stop"),
            )
        emulator.refuse_second(self.context, COMMAND)
        require_free(self.context.platform.listen, "control plane", "PLATFORM_LISTEN", COMMAND)

    def start_control_plane(self, web: str, email: str | None) -> BootstrapResult:
        """The server comes up in its own process while this one makes sure of the first workspace."""
        process = emulator.control_plane(self.context)
        position = process.log_size()
        variables = {**self.context.command.variables, "PYTHONUNBUFFERED": "1"}
        child = process.spawn([sys.executable, "-m", "cloudlet", "control", "start"], variables, web)
        self.running.append((process, child, position))
        # lazy: the database libraries load here while they load there
        module = importlib.import_module("cloudlet.control.bootstrap")
        workspace: BootstrapResult = module.bootstrap(self.context.platform, email=email)
        ready = wait_until(
            lambda: exchange(web, "GET", "/") is not None,
            emulator.READY_SECONDS,
            broken=lambda: child.poll() is not None,
        )
        if not ready:
            raise emulator.not_ready(process, child, position)
        return workspace

    def kept_token(self, workspace: BootstrapResult, web: str) -> str:
        """Where the workspace shows no token again: the one that this machine was given before, or Failed."""
        stored = CredentialStore(self.context.command).token()
        if stored:
            return stored
        raise Failed(
            f'The workspace "{workspace.workspace}" shows no token again (its policy), and none is stored here.',
            code="credential.not_revealable",
            actions=(
                "cloudlet control start",
                f"API_ENDPOINT={web}/v1 cloudlet auth login    (or Reset Auth Token in the web application)",
                COMMAND,
            ),
        )

    def start_emulator(self, workspace: BootstrapResult, web: str, token: str) -> dict[str, object]:
        """Started with this control plane's token, whatever other credentials the environment holds."""
        position = emulator.server(self.context).log_size()
        extra = {"LOCALSTACK_AUTH_TOKEN": token, "LOCALSTACK_API_KEY": ""}
        variables = self.context.command.variables
        if not (variables.get("API_ENDPOINT") or variables.get("LOCALSTACK_API_ENDPOINT")):
            extra |= {"API_ENDPOINT": f"{web}/v1", "WEB_APP_URL": workspace.web_url}
        child, process = emulator.start_in_background(self.context, extra)
        self.running.append((process, child, position))
        return get_json(emulator_url(self.context.emulator), INFO) or {}

    def store_token(self, token: str) -> bool:
        """Keep the token for later `cloudlet start`; a different one, of another control plane, stays."""
        store = CredentialStore(self.context.command)
        stored = store.token()
        if stored and stored != token:
            self.context.warn(f"{store.where()} holds another token ({mask(stored)}); it was left as it is.")
            return False
        if not stored:
            store.store(token)
        return True

    def watch(self, stopping: threading.Event) -> int:
        """Until a child ends, which is a failure and told with its last lines."""
        while not stopping.wait(LOOK_SECONDS):
            for process, child, position in self.running:
                code = child.poll()
                if code is not None and self.was_asked_to_stop(process, code):
                    return 0
                if code is not None:
                    name = "emulator" if process.kind == "emulator" else "control plane"
                    raise Failed(
                        f"The {name} ended with exit code {code}. Its last lines:",
                        code=f"{process.kind}.ended",
                        exit_code=code if code == 55 else 1,
                        details=process.log_since(position),
                        actions=(f"The whole log: {process.log}",),
                    )
        return 0

    @staticmethod
    def was_asked_to_stop(process: ServerProcess, code: int) -> bool:
        """`POST /_localstack/health {"action": "kill"}` ends the emulator as its user wished."""
        return process.kind == "emulator" and code == 0

    def stop(self) -> None:
        """The emulator first, so that it can still talk to the control plane."""
        alive = [child for _, child, _ in reversed(self.running) if child.poll() is None]
        if alive and not self.context.json:
            click.echo("\nStopping.")
        began_at = time.monotonic()
        for child in alive:
            stop(child.pid, began(child.pid))
            child.wait()
        for process, _, _ in self.running:
            process.forget()
        record = self.own.running()
        if record is not None and record.pid == os.getpid():
            self.own.forget()
        if alive and not self.context.json:
            click.echo(f"Stopped in {time.monotonic() - began_at:.1f} s.")


def farewell(workspace: BootstrapResult, url: str) -> str:
    """What to do now: three commands that work as they stand."""
    bold = {"bold": True}
    aws = f"{program('aws')} --endpoint-url {url}"
    return f"""
Endpoint          {click.style(url, **bold)}
Web application   {click.style(workspace.web_url, **bold)}
Sign in (once)
{workspace.sign_in_link}

Try:
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  export AWS_DEFAULT_REGION=us-east-1
  {aws} s3 mb s3://photos
  {aws} sqs create-queue --queue-name orders
  curl -s {url}/_localstack/info

Logs: {program("cloudlet")} logs -f    Stop: Ctrl-C"""


def program(name: str) -> str:
    """How to type it: its name where the PATH has it, else its place beside this Python."""
    beside = Path(sys.executable).with_name(name)
    if shutil.which(name) or not beside.exists():
        return name
    return str(beside.relative_to(Path.cwd()) if beside.is_relative_to(Path.cwd()) else beside)
