"""The processes that functions run in: gone when nobody wants them, with the emulator, however it ends."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import RunningEmulator
from tests.services.lambda_.conftest import Functions, eventually

PID = """
import os, time
def handler(event, context):
    time.sleep(event.get("seconds", 0))
    return os.getpid()
"""
NODE_PID = "exports.handler = async () => process.pid;"


def is_gone(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture
def started(start_emulator: Callable[..., RunningEmulator], unique: Callable[..., str]) -> Callable[..., Functions]:
    return lambda **variables: Functions(start_emulator(**variables), unique)


def test_they_end_with_the_emulator(started: Callable[..., Functions]) -> None:
    functions = started()
    pids = [functions.call(functions.make(PID)), functions.call(functions.node(NODE_PID))]
    assert not any(map(is_gone, pids))
    assert functions.emulator.stop() == 0
    assert all(map(is_gone, pids))


def test_they_end_when_the_emulator_is_killed(started: Callable[..., Functions]) -> None:
    functions = started()
    pids = [functions.call(functions.make(PID)), functions.call(functions.node(NODE_PID))]
    functions.emulator.kill()
    eventually(lambda: all(map(is_gone, pids)))


def test_they_end_when_nobody_calls(started: Callable[..., Functions]) -> None:
    functions = started(LAMBDA_KEEPALIVE_MS="50")
    pid = functions.call(functions.make(PID))
    eventually(lambda: is_gone(pid))


def test_none_is_kept_without_a_time_to_wait(started: Callable[..., Functions]) -> None:
    functions = started(LAMBDA_KEEPALIVE_MS="0")
    name = functions.make(PID)
    assert functions.call(name) != functions.call(name)


def test_they_end_with_their_function(functions: Functions) -> None:
    name = functions.make(PID)
    pid = functions.call(name)
    functions.aws.delete_function(FunctionName=name)
    eventually(lambda: is_gone(pid))


def test_calls_at_the_same_time_have_processes_of_their_own(functions: Functions) -> None:
    name = functions.make(PID)
    with ThreadPoolExecutor(3) as threads:
        pids = list(threads.map(lambda _: functions.call(name, {"seconds": 2}), range(3)))
    assert len(set(pids)) == 3
    assert os.getpid() not in pids


def test_a_function_may_call_another(functions: Functions) -> None:
    inner = functions.make()
    source = (
        "import boto3, json\n"
        "def handler(event, context):\n"
        f"    answer = boto3.client('lambda').invoke(FunctionName='{inner}', Payload=json.dumps(event))\n"
        "    return json.loads(answer['Payload'].read())\n"
    )
    assert functions.call(functions.make(source), {"a": 1}) == {"a": 1}
