"""Functions of Python and Node.js, a queue into which they tell, and a clock of their own."""

from __future__ import annotations

import io
import json
import time
import urllib.request
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import RunningEmulator

ROLE = "arn:aws:iam::000000000000:role/lambda-role"
ECHO = "def handler(event, context):\n    return event\n"
TELL = """
import json, os, urllib.request
import boto3
def handler(event, context):
    text = json.dumps(event)
    boto3.client("sqs").send_message(QueueUrl=os.environ["TOLD"], MessageBody=text)
    if "boom" in text:
        raise ValueError("boom")
    return json.loads(os.environ.get("ANSWER", "null"))
"""
LIMIT_SECONDS = 40


def packed(source: str, name: str = "app.py", **files: str) -> bytes:
    """A ZIP file with a module; further files by `path/with.dots` written `path__with.dots`."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, source)
        for path, text in files.items():
            archive.writestr(path.replace("__", "/"), text)
    return content.getvalue()


def eventually(look: Callable[[], Any]) -> Any:
    """What `look` finds, once it finds something."""
    end = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("nothing was found in time")


class Functions:
    """Makes functions in one emulator and calls them."""

    def __init__(self, emulator: RunningEmulator, unique: Callable[..., str]) -> None:
        self.emulator = emulator
        self.unique = unique
        self.aws = emulator.client("lambda")

    def make(self, source: str = ECHO, **options: Any) -> str:
        """The function's name."""
        name = options.pop("FunctionName", None) or self.unique("function")
        request = {
            "FunctionName": name,
            "Runtime": "python3.12",
            "Handler": "app.handler",
            "Role": ROLE,
            "Timeout": 20,
            "Code": {"ZipFile": packed(source)},
            **options,
        }
        self.aws.create_function(**request)
        return name

    def node(self, source: str, **options: Any) -> str:
        code = {"ZipFile": packed(source, "index.js")}
        return self.make(Runtime="nodejs20.x", Handler="index.handler", Code=code, **options)

    def call(self, name: str, event: Any = None, **options: Any) -> Any:
        """What the function returned."""
        answer = self.aws.invoke(FunctionName=name, Payload=json.dumps(event or {}), **options)
        payload = answer["Payload"].read()
        assert "FunctionError" not in answer, payload
        return json.loads(payload)

    def fail(self, name: str, event: Any = None) -> dict[str, Any]:
        """The error that the function ended with."""
        answer = self.aws.invoke(FunctionName=name, Payload=json.dumps(event or {}))
        assert answer["FunctionError"] == "Unhandled"
        error: dict[str, Any] = json.loads(answer["Payload"].read())
        return error


class Told:
    """A queue that functions tell their events to."""

    def __init__(self, emulator: RunningEmulator, name: str) -> None:
        self.sqs = emulator.client("sqs")
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"

    def take(self) -> Any:
        """The next message, read as JSON."""
        return json.loads(self.message()["Body"])

    def message(self) -> dict[str, Any]:
        def look() -> Any:
            return self.sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=1, WaitTimeSeconds=1, MessageAttributeNames=["All"]
            ).get("Messages")

        message: dict[str, Any] = eventually(look)[0]
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return message


def move_clock(emulator: RunningEmulator, seconds: float) -> None:
    body = json.dumps({"seconds": seconds}).encode()
    request = urllib.request.Request(f"{emulator.url}/_cloudlet/clock/advance", body, method="POST")
    urllib.request.urlopen(request, timeout=60).close()


@pytest.fixture
def functions(emulator: RunningEmulator, unique: Callable[..., str]) -> Functions:
    return Functions(emulator, unique)


@pytest.fixture
def told(emulator: RunningEmulator, unique: Callable[..., str]) -> Told:
    return Told(emulator, unique("told"))
