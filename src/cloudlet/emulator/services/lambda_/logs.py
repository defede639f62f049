"""The log of an invocation, in text or JSON, and its way into CloudWatch Logs.

Sources: "Working with Lambda function logs", "Lambda advanced logging controls".
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from typing import Any, NamedTuple

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.lambda_.targets import Target
from cloudlet.emulator.services.lambda_.times import iso_zulu

LOG = logging.getLogger("cloudlet.lambda")
LINE_BREAK = "\x1e"  # inside of one log event; see programs/__init__.py
Lines = list[tuple[float, str]]  # seconds since the epoch, text with its line break


class Report(NamedTuple):
    """What is known of an invocation. `note`: a line that the function has not written. `status`: `timeout`, `error`."""

    request_id: str
    begin: float
    end: float
    init_output: bytes
    output: bytes
    seconds: float
    used_mb: int
    init_seconds: float
    status: str
    error_type: str
    note: str

    def lines(self, target: Target) -> Lines:
        if target.logs_json:
            return self._json(target)
        start = f"START RequestId: {self.request_id} Version: {target.version}\n"
        found: Lines = [(self.begin, text) for text in printed(self.init_output)]
        found += [(self.begin, start), *((self.end, text) for text in printed(self.output))]
        if self.note:
            stamp = f"{iso_zulu(self.end)} " if self.status == "timeout" else ""
            found.append((self.end, stamp + self.note))
        found += [(self.end, f"END RequestId: {self.request_id}\n"), (self.end, self._report(target))]
        return found

    def _report(self, target: Target) -> str:
        milliseconds = self.seconds * 1000
        parts = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {milliseconds:.2f} ms",
            f"Billed Duration: {max(1, math.ceil(milliseconds))} ms",
            f"Memory Size: {target.config['MemorySize']} MB",
            f"Max Memory Used: {self.used_mb} MB",
        ]
        if self.init_seconds:
            parts.append(f"Init Duration: {self.init_seconds * 1000:.2f} ms")
        if self.status:
            parts.append(f"Status: {self.status}")
            if self.status == "error":
                parts.append(f"Error Type: {self.error_type}")
        return "\t".join([*parts, "\n"])

    def _json(self, target: Target) -> Lines:
        metrics = {
            "durationMs": round(self.seconds * 1000, 3),
            "billedDurationMs": max(1, math.ceil(self.seconds * 1000)),
            "memorySizeMB": target.config["MemorySize"],
            "maxMemoryUsedMB": self.used_mb,
        }
        if self.init_seconds:
            metrics["initDurationMs"] = round(self.init_seconds * 1000, 3)
        start = {"requestId": self.request_id, "version": target.version}
        report = {"requestId": self.request_id, "metrics": metrics, "status": self.status or "success"}
        return [
            *((self.begin, text) for text in printed(self.init_output)),
            (self.begin, platform(self.begin, "platform.start", start)),
            *((self.end, text) for text in printed(self.output)),
            (self.end, platform(self.end, "platform.report", report)),
        ]


def platform(moment: float, kind: str, record: dict[str, Any]) -> str:
    return json.dumps({"time": iso_zulu(moment), "type": kind, "record": record}) + "\n"


def printed(output: bytes) -> list[str]:
    """What a program printed, one text for each log event."""
    text = output.decode(errors="replace")
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.replace(LINE_BREAK, "\n") + "\n" for line in lines]


def write_later(call: Call, target: Target, stream: str, lines: Lines) -> None:
    """Into the function's log group, behind the answer's back."""
    if stream:
        task = asyncio.get_running_loop().create_task(write(call, target, stream, lines))
        call.programs.run(task)


async def write(call: Call, target: Target, stream: str, lines: Lines) -> None:
    """A log that cannot be written is no failure of the function."""
    there = call.at(target.account_id, target.region)
    place = {"logGroupName": target.log_group, "logStreamName": stream}
    events = [{"timestamp": int(moment * 1000), "message": text} for moment, text in lines]
    try:
        try:
            await there.reach("logs", "PutLogEvents", {**place, "logEvents": events})
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            await make(there, "CreateLogGroup", {"logGroupName": target.log_group})
            await make(there, "CreateLogStream", place)
            await there.reach("logs", "PutLogEvents", {**place, "logEvents": events})
    except AwsError as error:
        LOG.warning("the log of %s could not be written: %s: %s", target.arn, error.code, error.message)


async def make(call: Call, operation: str, request: dict[str, Any]) -> None:
    try:
        await call.reach("logs", operation, request)
    except AwsError as error:
        if error.code != "ResourceAlreadyExistsException":
            raise
