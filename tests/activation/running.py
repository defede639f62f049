"""Emulators in processes of their own, for tests of what they do about their license."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import orjson

from cloudlet.license.envelope import TrustStore
from tests.conftest import RunningEmulator, free_port
from tests.license.samples import TOKEN, TRUST, license_document

STARTED = "\nReady.\n"
HOUR = 3600
DAY = 24 * HOUR
NOBODY = "http://127.0.0.1:1/v1"
FOREIGN = (
    "LOCALSTACK_",
    "ACTIVATE_PRO",
    "API_ENDPOINT",
    "CI",
    "GITHUB_",
    "BUILD",
    "LICENSE_",
    "OUTBOUND_",
    "LOG_LICENSE",
)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Variables of a start on `<folder>/volume` that takes nothing from whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {
        **kept,
        "GATEWAY_LISTEN": f"127.0.0.1:{free_port()}",
        "LOCALSTACK_VOLUME_DIR": str(folder / "volume"),
        "PYTHONWARNINGS": "error",
        "LICENSE_TIMEOUT": "3",
        **more,
    }


def begin(folder: Path, **more: str) -> subprocess.Popen[str]:
    """A start that is expected to end by itself; `communicate` with it."""
    return subprocess.Popen(
        [sys.executable, "-m", "cloudlet.emulator"],
        env=environment(folder, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start(folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """What became of a start that is expected to end by itself."""
    process = begin(folder, **more)
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def refused(folder: Path, **more: str) -> dict[str, Any]:
    """The one line of JSON of a start that ended with 55."""
    done = start(folder, LICENSE_ERROR_FORMAT="json", **more)
    assert done.returncode == 55, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("{")]
    found: dict[str, Any] = orjson.loads(line)
    return found


def get(emulator: RunningEmulator, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{emulator.url}/_localstack/{path}") as answer:
        found: dict[str, Any] = orjson.loads(answer.read())
    return found


def keep_license(volume: Path, raw: bytes | None = None, *, age: int = HOUR, trust: TrustStore = TRUST) -> None:
    """Put a license into a volume's cache: the sample's, issued `age` seconds ago, unless given."""
    (volume / "cache").mkdir(parents=True, exist_ok=True)
    (volume / "cache" / "license.json").write_bytes(raw if raw is not None else aged(age))
    (volume / "cache" / "trust.json").write_bytes(trust.render())


def aged(age: int, **changes: Any) -> bytes:
    """A license document that was issued `age` seconds ago for 14 days, with a window of 24 hours."""
    issued = int(time.time()) - age
    times = {"iat": issued, "nbf": issued, "ra": issued + DAY, "exp": issued + 14 * DAY}
    return license_document(**{**times, **changes})


def with_token(url: str) -> dict[str, str]:
    return {"ACTIVATE_PRO": "", "LOCALSTACK_AUTH_TOKEN": TOKEN, "API_ENDPOINT": url, "WEB_APP_URL": "http://web"}


def licensed(volume: Path, **changes: Any) -> dict[str, str]:
    """Variables of an emulator that a verified license in this volume opens, whatever `changes` of it leave open."""
    keep_license(volume, aged(60, **changes))
    return {"LOCALSTACK_VOLUME_DIR": str(volume), **with_token(NOBODY)}
