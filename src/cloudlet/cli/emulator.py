"""The emulator as a process: its environment, starting it, finding it, stopping it."""

from __future__ import annotations

import subprocess
import sys

from cloudlet.cli.context import Context, Failed
from cloudlet.cli.credentials import CredentialStore
from cloudlet.cli.endpoint import HEALTH, emulator_url, get_json, is_emulator, post_json, wait_until
from cloudlet.cli.ports import require_free
from cloudlet.cli.processes import ProcessRecord, ServerProcess, stop

MODULE = "cloudlet.emulator"
READY_SECONDS = 60.0


def command_line() -> list[str]:
    return [sys.executable, "-m", MODULE]


def environment(context: Context, extra: dict[str, str]) -> dict[str, str]:
    """What the emulator's process gets: our environment, the profiles, `extra`, and the stored token if there is no other."""
    variables = dict(context.command.variables) | extra
    if context.debug:
        variables["DEBUG"] = "1"
    if not context.command.has_credentials and "LOCALSTACK_AUTH_TOKEN" not in extra:
        token = CredentialStore(context.command).token()
        if token:
            variables["LOCALSTACK_AUTH_TOKEN"] = token
    variables["PYTHONUNBUFFERED"] = "1"
    return variables


def server(context: Context) -> ServerProcess:
    """The emulator that we started on the configured port."""
    return ServerProcess(context.command, "emulator", context.emulator.port)


def supervisor(context: Context) -> ServerProcess:
    """The quickstart that watches it."""
    return ServerProcess(context.command, "quickstart", context.emulator.port)


def control_plane(context: Context) -> ServerProcess:
    """The control plane that a quickstart started on the configured port."""
    return ServerProcess(context.command, "control", context.platform.listen.port)


def current_url(context: Context) -> str:
    """Of the emulator that we started if it runs, else of the configured address."""
    record = server(context).running()
    return record.url if record else emulator_url(context.emulator)


def refuse_second(context: Context, command: str) -> None:
    """Raises Failed when an emulator runs already, or when something else has one of its ports."""
    record = server(context).running()
    if record is not None:
        raise Failed(
            f"The emulator runs already at {record.url} (process {record.pid}).",
            code="emulator.running",
            actions=("cloudlet status", "cloudlet restart"),
        )
    for address in context.emulator.gateway_listen:
        require_free(address, "emulator", "GATEWAY_LISTEN", command)


def start_in_background(context: Context, extra: dict[str, str]) -> tuple[subprocess.Popen[bytes], ServerProcess]:
    """Start and wait until it answers. Raises Failed, with the last lines of its log, when it ends before that."""
    process = server(context)
    url = emulator_url(context.emulator)
    position = process.log_size()
    child = process.spawn(command_line(), environment(context, extra), url)
    try:
        ready = wait_until(
            lambda: is_emulator(get_json(url, HEALTH)), READY_SECONDS, broken=lambda: child.poll() is not None
        )
    except BaseException:  # a Ctrl-C while it comes up: leave nothing behind
        child.terminate()
        child.wait()
        process.forget()
        raise
    if not ready:
        raise not_ready(process, child, position)
    return child, process


def not_ready(process: ServerProcess, child: subprocess.Popen[bytes], position: int) -> Failed:
    """Why a server did not come up: it ended (with its exit code), or it does not answer (and is stopped)."""
    name = "The emulator" if process.kind == "emulator" else "The control plane"
    code = child.poll()
    if code is None:
        child.kill()
        child.wait()
        message = f"{name} did not answer within {READY_SECONDS:.0f} seconds; it was stopped."
    else:
        message = f"{name} ended with exit code {code} before it was ready. Its last lines:"
    process.forget()
    return Failed(
        message,
        code=f"{process.kind}.start",
        exit_code=code if code == 55 else 1,
        details=process.log_since(position),
        actions=(f"The whole log: {process.log}",),
    )


def stop_emulator(context: Context) -> ProcessRecord | str | None:
    """Stop the emulator that we started, or the one at the configured address.

    Returns its record, its URL where it was somebody else's process, or None when none runs.
    """
    watching = supervisor(context).running()
    own = server(context)
    record = own.running()
    if watching is not None:
        stop(watching.pid, watching.began, seconds=20)  # it stops its emulator and its control plane
    if record is not None:
        stop(record.pid, record.began)
        own.forget()
        return record
    url = emulator_url(context.emulator)
    if watching is not None:
        return watching
    if not is_emulator(get_json(url, HEALTH)):
        return None
    if not post_json(url, HEALTH, {"action": "kill"}):
        raise Failed(f"The emulator at {url} did not accept the request to stop.", code="emulator.stop")
    if not wait_until(lambda: get_json(url, HEALTH) is None, 12):
        raise Failed(f"The emulator at {url} goes on although it was asked to stop.", code="emulator.stop")
    return url
