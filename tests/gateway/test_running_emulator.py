"""The emulator as a process: TLS beside plain HTTP, several addresses, taken ports, settings, signals, the log."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import free_port


def run_emulator(**variables: str) -> subprocess.CompletedProcess[str]:
    """Start an emulator that is expected to end by itself."""
    environment = {**os.environ, "ACTIVATE_PRO": "0", **variables}
    return subprocess.run(
        [sys.executable, "-m", "cloudlet.emulator"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_tls_and_plain_http_answer_on_one_port(start_emulator: Callable[..., Any], tmp_path: Path) -> None:
    emulator = start_emulator(LOCALSTACK_VOLUME_DIR=str(tmp_path / "volume"))
    ssl_context = ssl.create_default_context()
    ssl_context.check_hostname = False
    ssl_context.verify_mode = ssl.CERT_NONE
    url = f"https://localhost:{emulator.port}/_localstack/health"
    urllib.request.urlopen(url, context=ssl_context).close()  # makes the authority

    trusting = ssl.create_default_context(cafile=str(tmp_path / "volume" / "tls" / "ca.pem"))
    with urllib.request.urlopen(url, context=trusting) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(f"{emulator.url}/_localstack/health") as answer:
        assert answer.status == 200
    s3 = emulator.client(
        "s3", endpoint_url=f"https://localhost:{emulator.port}", verify=str(tmp_path / "volume/tls/ca.pem")
    )
    s3.create_bucket(Bucket="over-tls")
    s3.put_object(Bucket="over-tls", Key="k", Body=b"x" * 100_000)
    assert len(s3.get_object(Bucket="over-tls", Key="k")["Body"].read()) == 100_000


def test_it_listens_on_every_address(start_emulator: Callable[..., Any]) -> None:
    other = free_port()
    emulator = start_emulator()
    emulator.stop()
    emulator = start_emulator(GATEWAY_LISTEN=f"127.0.0.1:{emulator.port},127.0.0.1:{other}")
    with urllib.request.urlopen(f"http://127.0.0.1:{other}/_localstack/health") as answer:
        assert answer.status == 200


def test_a_taken_port_is_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = run_emulator(GATEWAY_LISTEN=f"127.0.0.1:{taken.getsockname()[1]}")
    assert ended.returncode == 1
    assert "already in use" in ended.stderr
    assert "GATEWAY_LISTEN" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_setting_that_means_nothing_is_a_sentence() -> None:
    ended = run_emulator(PERSISTENCE="perhaps")
    assert ended.returncode == 2
    assert "PERSISTENCE='perhaps' is neither true (1) nor false (0)" in ended.stderr


def test_a_state_in_use_is_a_sentence(start_emulator: Callable[..., Any], tmp_path: Path) -> None:
    volume = str(tmp_path / "shared")
    start_emulator(PERSISTENCE="1", LOCALSTACK_VOLUME_DIR=volume)
    ended = run_emulator(PERSISTENCE="1", LOCALSTACK_VOLUME_DIR=volume, GATEWAY_LISTEN=f"127.0.0.1:{free_port()}")
    assert ended.returncode == 1
    assert "in use by another emulator" in ended.stderr
    assert "LOCALSTACK_VOLUME_DIR" in ended.stderr


def test_ready_stands_alone_on_a_line_and_each_request_has_one(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator()
    emulator.client("sts").get_caller_identity()
    emulator.stop()
    printed = emulator.printed()
    assert "\nReady.\n" in printed or printed.startswith("Ready.\n")
    assert re.search(r"INFO cloudlet.request : AWS sts.GetCallerIdentity => 200 \(POST, \d+\.\d ms\)", printed)


def test_the_log_is_quiet_when_asked(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(LS_LOG="warn")
    emulator.client("sts").get_caller_identity()
    emulator.stop()
    assert "GetCallerIdentity" not in emulator.printed()


def test_a_signal_stops_it_cleanly(start_emulator: Callable[..., Any]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        emulator = start_emulator()
        emulator.process.send_signal(number)
        assert emulator.process.wait(20) == 0


def test_what_was_acknowledged_survives_a_kill_with_persistence(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    s3, sqs = emulator.client("s3"), emulator.client("sqs")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="large", Body=b"y" * 300_000)
    url = sqs.create_queue(QueueName="kept")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="kept")
    emulator.kill()
    emulator.restart()
    assert s3.get_object(Bucket="kept", Key="large")["Body"].read() == b"y" * 300_000
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "kept"


def test_it_answers_durably_on_disk(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(PERSISTENCE="1", DURABILITY="disk")
    sqs = emulator.client("sqs")
    url = sqs.create_queue(QueueName="durable")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="kept")
    emulator.kill()
    emulator.restart()
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "kept"
