"""A control plane in a process of its own, with a database of its own, and hands on that database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from cloudlet.control.bootstrap import BootstrapResult, bootstrap
from cloudlet.control.db import Database
from cloudlet.control.platform import Platform
from cloudlet.license.effects import SYSTEM
from cloudlet.settings import PlatformSettings, read_platform_settings
from tests.conftest import free_port

START_LIMIT_SECONDS = 60


class RunningPlatform:
    """`url` is where it answers. `printed()` is its whole output, `database` the same database from this process."""

    def __init__(self, folder: Path, database_url: str = "", **variables: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.output = folder / "control.log"
        self.variables = {
            "PLATFORM_LISTEN": f"127.0.0.1:{self.port}",
            "PLATFORM_STATE_DIR": str(folder / "state"),
            "PLATFORM_DATABASE_URL": database_url,
            **variables,
        }
        self.settings: PlatformSettings = read_platform_settings(self.variables)
        self.platform = Platform(self.settings, SYSTEM)
        self.database = Database(self.settings)
        self.start()

    def start(self) -> None:
        with self.output.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cloudlet.control"],
                env={**os.environ, "PYTHONWARNINGS": "error", **self.variables},
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        end = time.monotonic() + START_LIMIT_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the control plane ended with {self.process.returncode}:\n{self.printed()}")
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"the control plane did not answer:\n{self.printed()}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)

    def close(self) -> None:
        if self.process.poll() is None:
            self.stop()
        self.database.close()

    def printed(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def bootstrap(self, email: str = "admin@example.com", **options: Any) -> BootstrapResult:
        return bootstrap(self.settings, email=email, **options)

    def client(self) -> httpx.Client:
        """A browser without JavaScript: keeps cookies, follows nothing by itself."""
        return httpx.Client(base_url=self.url)

    def request_license(self, token: str, path: str = "request", **changes: Any) -> httpx.Response:
        """What LocalStack's Python client sends, with changes to its parts; without a content type, as it does."""
        body: dict[str, Any] = {
            "credentials": {"type": "licensing-auth-token", "token": token},
            "product": {"name": "localstack-pro", "version": "2026.8.2"},
            "machine": {"id": "gen_0123456789ab", "cli": True, "ci": False, "system": "Linux,6.1,x86_64"},
        }
        for part, change in changes.items():
            body[part] = {**body[part], **change} if isinstance(change, dict) and part in body else change
        request = httpx.Request("POST", f"{self.url}/v1/license/{path}", json=body)
        del request.headers["content-type"]
        with httpx.Client() as client:
            return client.send(request)
