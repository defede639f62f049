"""Runs a Python function, one invocation after the other. Imports nothing of Cloudlet: the function's packages come first.

Error payloads and log lines are those of AWS's Python runtime ("AWS Lambda function errors in Python", "Log and monitor
Python Lambda functions").
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import queue
import resource
import signal
import site
import sys
import threading
import time
import traceback
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

LINE_BREAK = "\x1e"  # inside of one log event


class Fault(Exception):
    """The function cannot be called. `kind`: the error's type."""

    def __init__(self, kind: str, message: str, stack: list[str] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.stack = stack or []


class Context:
    """The second argument of a handler ("Using the Lambda context object to retrieve Python function information")."""

    def __init__(self, setup: dict[str, Any], invocation: dict[str, Any], begin: float) -> None:
        self.__dict__.update(setup["context"])
        self.aws_request_id = invocation["request_id"]
        self.invoked_function_arn = invocation["arn"]
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self.client_context = client_context(invocation.get("client_context"))
        self.tenant_id = None
        self._end = begin + invocation["limit_seconds"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))

    def log(self, message: Any) -> None:
        sys.stdout.write(str(message))


def client_context(given: dict[str, Any] | None) -> Any:
    if given is None:
        return None
    client = SimpleNamespace(**dict.fromkeys(("installation_id", "app_title", "app_version_name")))
    client.__dict__.update(given.get("client") or {})
    return SimpleNamespace(client=client, custom=given.get("custom"), env=given.get("env"))


class AwsFormatter(logging.Formatter):
    """`[INFO]	2026-11-24T10:00:00.123Z	request id	message`; several lines are one event."""

    converter = time.gmtime  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
        )

    def format(self, record: logging.LogRecord) -> str:
        record.aws_request_id = os.environ.get("_X_CLOUDLET_REQUEST_ID", "")
        return super().format(record).replace("\n", LINE_BREAK)


class JsonFormatter(logging.Formatter):
    """`{"timestamp", "level", "message", "logger", "requestId"}`, for functions whose log format is JSON."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        found = {
            "timestamp": f"{moment}Z",
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": os.environ.get("_X_CLOUDLET_REQUEST_ID", ""),
        }
        if record.exc_info and record.exc_info[0] is not None:
            found["errorType"] = record.exc_info[0].__name__
            found["errorMessage"] = str(record.exc_info[1])
            found["stackTrace"] = traceback.format_tb(record.exc_info[2])  # type: ignore[assignment]
        return json.dumps(found)


def encode(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):  # AWS's runtime writes them as text
        return value.decode()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def find_handler(name: str) -> Any:
    module_name, dot, function = name.rpartition(".")
    if not dot:
        raise Fault(
            "Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)"
        )
    try:
        module = importlib.import_module(module_name.replace("/", "."))  # lazy: the user's code
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        place = f'  File "{error.filename}" Line {error.lineno}\n    {(error.text or "").strip()}\n'
        raise Fault(
            "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", [place]
        ) from error
    found = getattr(module, function, None)
    if found is None:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module_name}'")
    return found


def failed(kind: str, message: str, request_id: str, stack: list[str], folder: str) -> tuple[str, str]:
    """The error as the caller gets it; printed as AWS prints it."""
    stack = [line.replace(folder, "/var/task") for line in stack]
    lines = [f"[ERROR] {kind}: {message}"]
    if stack:
        lines += ["Traceback (most recent call last):", "".join(stack).rstrip("\n")]
    sys.stdout.write("\n".join(lines).replace("\n", LINE_BREAK) + "\n")
    error = {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": stack}
    return "E", json.dumps(error)


def carry_out(handler: Any, setup: dict[str, Any], invocation: dict[str, Any], begin: float) -> tuple[str, str]:
    request_id, folder = invocation["request_id"], setup["folder"]
    try:
        if isinstance(handler, Fault):
            raise handler
        event = json.loads(invocation["event"])
        returned = handler(event, Context(setup, invocation, begin))
    except Fault as fault:
        return failed(fault.kind, str(fault), "", fault.stack, folder)  # it failed before there was a request
    except Exception as error:  # survives: the answer to the caller says what the function raised
        lines = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:])
        return failed(type(error).__name__, str(error), request_id, lines, folder)
    try:
        return "P", json.dumps(returned, default=encode, ensure_ascii=setup["ascii"])
    except (TypeError, ValueError) as error:
        return failed("Runtime.MarshalError", f"Unable to marshal response: {error}", request_id, [], folder)


def read_lines(requests: Any, lines: queue.SimpleQueue[bytes]) -> None:
    """Until the emulator is gone; then so is this process, with all that it started."""
    for line in requests:
        lines.put(line)
    os.killpg(0, signal.SIGKILL)


def prepare(setup: dict[str, Any]) -> Any:
    """The handler, or the fault that every invocation meets."""
    sys.path[:1] = setup["paths"]  # the folder of this program is none of the function's
    for path in setup["paths"]:
        if path.endswith("site-packages"):
            site.addsitedir(path)  # for the .pth files in it
    if setup["sdk"]:
        sys.path.append(setup["sdk"])
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter() if setup["json_logs"] else AwsFormatter())
    logging.getLogger().addHandler(handler)
    if setup["level"]:
        logging.getLogger().setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(setup["level"], setup["level"]))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        return find_handler(setup["handler"])
    except Fault as fault:
        return fault
    except Exception as error:  # survives: the module failed while it was imported; every invocation says so
        lines = traceback.format_list(traceback.extract_tb(error.__traceback__))
        own = [line for line in lines if __file__ not in line and "importlib" not in line]
        return Fault(type(error).__name__, str(error), own)


def main() -> None:
    answers = int(sys.argv[1])
    os.set_inheritable(answers, False)
    requests = os.fdopen(os.dup(0), "rb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv[:] = ["/var/runtime/bootstrap.py"]
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    setup = json.loads(requests.readline())
    threading.Thread(target=read_lines, args=(requests, lines), daemon=True).start()
    handler = prepare(setup)
    write(answers, b"READY\n")
    while True:
        invocation = json.loads(lines.get())
        begin = time.monotonic()
        os.environ["_X_CLOUDLET_REQUEST_ID"] = invocation["request_id"]
        os.environ["_X_AMZN_TRACE_ID"] = invocation.get("trace_id", "")
        kind, text = carry_out(handler, setup, invocation, begin)
        sys.stdout.flush()
        sys.stderr.flush()
        memory_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        write(answers, f"{kind} {memory_kb} ".encode() + text.encode("utf-8", "surrogatepass") + b"\n")


def write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


if __name__ == "__main__":
    main()
