"""Execution environments: the unpacked code, the variables, and a program that has loaded the handler.

Source: "Using environment variables to configure code in Lambda", "Lambda execution environment lifecycle".
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cloudlet.emulator.effects.clock import monotonic
from cloudlet.emulator.effects.processes import Ended, Program, TookTooLong
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.lambda_.runtimes import CannotRun, find_python, link_sdk, program_of
from cloudlet.emulator.services.lambda_.targets import Package, Target, read_package

CREDENTIALS_SECONDS = 12 * 3600
PROVISIONED, ON_DEMAND = "provisioned-concurrency", "on-demand"
SDK_FOLDER = "sdk"
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


async def environment_of(call: Call, target: Target, provisioned: bool) -> Environment:
    """One that waits, or a new one. Raises CannotRun, Failed."""
    key = (*target.key, PROVISIONED if provisioned else ON_DEMAND)
    if target.local:  # a change of a file is a change of the function
        key = (*key, await call.programs.in_thread(lambda: newest(target.local)))
    waiting = call.programs.take(key)
    if waiting is not None:
        return Environment(waiting, key, waiting.label)
    if target.local:
        call.programs.forget(target.key)
    return await begin(call, target, key, provisioned)


def newest(folder: str) -> str:
    """When a file of the folder was last changed, and how many there are."""
    times = [path.stat().st_mtime_ns for path in Path(folder).rglob("*") if path.is_file()]
    return f"{len(times)}/{max(times, default=0)}"


async def begin(call: Call, target: Target, key: tuple[str, ...], provisioned: bool) -> Environment:
    runtime = str(target.config.get("Runtime") or "")
    python = await python_of(call, runtime) if runtime.startswith("python3") else ""
    command = program_of(runtime, python)
    code = Path(target.local) if target.local else await folder_of(call, (target.code,))
    opt = await folder_of(call, target.layers) if target.layers else None
    stream = log_stream(call, target)
    variables = {
        **variables_of(call, target, code, opt, stream),
        "AWS_LAMBDA_INITIALIZATION_TYPE": PROVISIONED if provisioned else ON_DEMAND,
        **await credentials_of(call, target),
        **own_variables(target),
    }
    started = monotonic()
    try:
        program = await call.programs.start(wrapped(command, variables, code, opt), variables, code)
    except OSError as error:
        raise Failed("Runtime.InvalidEntrypoint", f"the runtime cannot be started: {error}") from error
    program.label = stream
    limit = max(call.settings.lambda_runtime_environment_timeout, target.timeout_seconds)
    try:
        sdk = "" if python == sys.executable else str(call.programs.home / SDK_FOLDER)
        await program.ask(set_up(target, code, opt, stream, sdk), limit)
    except TookTooLong:
        program.end()
        words = f"Task timed out after {limit:.2f} seconds"
        raise Failed("Sandbox.Timedout", words, program.take_output()) from None
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


async def python_of(call: Call, runtime: str) -> str:
    """Found out once for each runtime."""
    facts = call.programs.facts
    if runtime not in facts:
        found = facts[runtime] = await call.programs.in_thread(lambda: find_python(runtime))
        if found != sys.executable:
            folder = call.programs.home / SDK_FOLDER
            await call.programs.in_thread(lambda: link_sdk(folder))
    return facts[runtime]


def set_up(target: Target, code: Path, opt: Path | None, stream: str, sdk: str) -> bytes:
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
            "sdk": sdk,
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
    """AWS's variables, without credentials."""
    config, settings = target.config, call.settings
    endpoint = f"http://127.0.0.1:{settings.port}"
    found = {
        "AWS_DEFAULT_REGION": target.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_NAME": target.name,
        "AWS_LAMBDA_FUNCTION_VERSION": target.version,
        "AWS_LAMBDA_LOG_GROUP_NAME": target.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_REGION": target.region,
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
    return found


def own_variables(target: Target) -> dict[str, str]:
    found: dict[str, str] = (target.config.get("Environment") or {}).get("Variables") or {}
    return found


async def credentials_of(call: Call, target: Target) -> dict[str, str]:
    """Those of the function's role; the account's where the role cannot be assumed."""
    request = {
        "RoleArn": target.config["Role"],
        "RoleSessionName": target.name,
        "DurationSeconds": CREDENTIALS_SECONDS,
    }
    try:
        given = (await call.at(target.account_id, target.region).reach("sts", "AssumeRole", request))["Credentials"]
    except AwsError:
        given = {"AccessKeyId": target.account_id, "SecretAccessKey": "test", "SessionToken": "test"}
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


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
    """Raises CannotRun for what was a ZIP file by its list of entries only."""
    part.mkdir(parents=True)
    try:
        for content in contents:
            extract(content, part)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError) as error:
        shutil.rmtree(part, ignore_errors=True)
        raise CannotRun(f"its package or a layer cannot be unpacked: {error}") from error
    try:
        part.rename(folder)
    except OSError:  # another invocation was faster
        shutil.rmtree(part, ignore_errors=True)


def extract(content: bytes, part: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, part))
            mode = entry.external_attr >> 16 & 0o777
            if mode and not entry.is_dir():
                path.chmod(mode | 0o444)
