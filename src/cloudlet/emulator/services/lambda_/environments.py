"""Execution environments: the unpacked code, the variables, and a program that has loaded the handler.

Source: "Using environment variables to configure code in Lambda", "Lambda execution environment lifecycle".
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cloudlet.emulator.effects.clock import monotonic
from cloudlet.emulator.effects.processes import Ended, Program, TookTooLong
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.lambda_.runtimes import program_of
from cloudlet.emulator.services.lambda_.targets import Package, Target, read_package

PATHS = "/usr/local/bin:/usr/bin:/bin"
ESCAPING_ASCII = frozenset(("python3.6", "python3.7", "python3.8", "python3.9", "python3.10", "python3.11"))


class Environment(NamedTuple):
    """`init_seconds`: how long it took to begin, 0.0 for one that was waiting. `init_output`: what was printed then."""

    program: Program
    key: tuple[str, ...]
    stream: str
    init_seconds: float = 0.0
    init_output: bytes = b""


class Failed(Exception):
    """The environment did not come up. `output` is what it printed."""

    def __init__(self, kind: str, message: str, output: bytes = b"") -> None:
        super().__init__(message)
        self.kind = kind
        self.output = output


async def environment_of(call: Call, target: Target) -> Environment:
    """One that waits, or a new one. Raises CannotRun, Failed."""
    key = target.key
    if target.local:  # a change of a file is a change of the function
        key = (*key, await call.programs.in_thread(lambda: newest(target.local)))
    waiting = call.programs.take(key)
    if waiting is not None:
        return Environment(waiting, key, waiting.label)
    if target.local:
        call.programs.forget(target.key)
    return await begin(call, target, key)


def newest(folder: str) -> str:
    """When a file of the folder was last changed, and how many there are."""
    times = [path.stat().st_mtime_ns for path in Path(folder).rglob("*") if path.is_file()]
    return f"{len(times)}/{max(times, default=0)}"


async def begin(call: Call, target: Target, key: tuple[str, ...]) -> Environment:
    command = program_of(str(target.config.get("Runtime") or ""))
    code = Path(target.local) if target.local else await folder_of(call, (target.code,))
    opt = await folder_of(call, target.layers) if target.layers else None
    stream = log_stream(call, target)
    variables = variables_of(call, target, code, opt, stream)
    started = monotonic()
    try:
        program = await call.programs.start(wrapped(command, variables, code, opt), variables, code)
    except OSError as error:
        raise Failed("Runtime.InvalidEntrypoint", f"the runtime cannot be started: {error}") from error
    program.label = stream
    try:
        await program.ask(set_up(target, code, opt, stream), call.settings.lambda_runtime_environment_timeout)
    except TookTooLong:
        program.end()
        raise Failed("Sandbox.Timedout", "the runtime did not begin in time", program.take_output()) from None
    except Ended as end:
        raise Failed("Runtime.ExitError", exit_words(end.code), program.take_output()) from None
    return Environment(program, key, stream, monotonic() - started, program.take_output())


def exit_words(code: int) -> str:
    if code == 0:
        return "Runtime exited without providing a reason"
    return f"Runtime exited with error: {'exit status' if code > 0 else 'signal'} {abs(code)}"


def wrapped(command: list[str], variables: dict[str, str], code: Path, opt: Path | None) -> list[str]:
    """With the script of AWS_LAMBDA_EXEC_WRAPPER before it."""
    wrapper = variables.get("AWS_LAMBDA_EXEC_WRAPPER", "")
    if wrapper.startswith("/var/task/"):
        return [str(code / wrapper.removeprefix("/var/task/")), *command]
    if wrapper.startswith("/opt/") and opt is not None:
        return [str(opt / wrapper.removeprefix("/opt/")), *command]
    return [wrapper, *command] if wrapper else command


def set_up(target: Target, code: Path, opt: Path | None, stream: str) -> bytes:
    config = target.config
    paths = [str(code)]
    if opt is not None:
        paths += [*map(str, sorted(opt.glob("python/lib/python3*/site-packages"))), str(opt / "python")]
    context = {
        "function_name": target.name,
        "function_version": target.version,
        "log_group_name": target.log_group,
        "log_stream_name": stream,
        "memory_limit_in_mb": str(config["MemorySize"]),
    }
    return json.dumps(
        {
            "handler": config["Handler"],
            "folder": str(code),
            "paths": paths,
            "ascii": config["Runtime"] in ESCAPING_ASCII,
            "json_logs": target.logs_json,
            "level": config["LoggingConfig"].get("ApplicationLogLevel", ""),
            "context": context,
        }
    ).encode()


def log_stream(call: Call, target: Target) -> str:
    day = time.strftime("%Y/%m/%d", time.gmtime(call.now))
    return f"{day}/[{target.version}]{call.ids.hex(32)}"


def variables_of(call: Call, target: Target, code: Path, opt: Path | None, stream: str) -> dict[str, str]:
    """AWS's variables, then the function's own."""
    config, settings = target.config, call.settings
    endpoint = f"http://127.0.0.1:{settings.port}"
    found = {
        "AWS_ACCESS_KEY_ID": target.account_id,
        "AWS_DEFAULT_REGION": target.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_NAME": target.name,
        "AWS_LAMBDA_FUNCTION_VERSION": target.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": target.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_REGION": target.region,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "HOME": "/tmp",  # noqa: S108 - where Lambda lets functions write
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": str(code),
        "LANG": "en_US.UTF-8",
        "LOCALSTACK_HOSTNAME": "127.0.0.1",
        "NODE_PATH": ":".join(node_paths(code, opt)),
        "PATH": f"{opt}/bin:{PATHS}" if opt is not None else PATHS,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "TZ": ":UTC",
        "_HANDLER": str(config["Handler"]),
        "_LAMBDA_TELEMETRY_LOG_FD": "1",
    }
    if not settings.lambda_disable_aws_endpoint_url:
        found["AWS_ENDPOINT_URL"] = endpoint
    own: dict[str, str] = (config.get("Environment") or {}).get("Variables") or {}
    return found | own


def node_paths(code: Path, opt: Path | None) -> Iterator[str]:
    yield f"{code}/node_modules"
    if opt is not None:
        yield f"{opt}/nodejs/node_modules"


async def folder_of(call: Call, packages: tuple[Package, ...]) -> Path:
    """The folder that the packages are unpacked into, later ones over earlier ones; once for the same content."""
    name = hashlib.sha256("|".join(package.digest for package in packages).encode()).hexdigest()[:32]
    folder = call.programs.home / name
    if not folder.exists():
        contents = [read_package(call, package) for package in packages]
        part = folder.with_name(f"{name}.{call.ids.hex(8)}")
        await call.programs.in_thread(lambda: unpack(contents, part, folder))
    return folder


def unpack(contents: list[bytes], part: Path, folder: Path) -> None:
    part.mkdir(parents=True)
    for content in contents:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                path = Path(archive.extract(entry, part))
                mode = entry.external_attr >> 16 & 0o777
                if mode and not entry.is_dir():
                    path.chmod(mode | 0o444)
    try:
        part.rename(folder)
    except OSError:  # another invocation was faster
        shutil.rmtree(part, ignore_errors=True)
