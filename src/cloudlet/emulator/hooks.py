"""Init hooks: the user's scripts in `<INIT_DIR>/{boot,start,ready,shutdown}.d`, run when that stage is reached.

boot       before anything of the emulator is there
start      services are being set up, nothing listens yet
ready      everything answers; `Ready.` is printed and `/_localstack/ready` is 200 once these are done
shutdown   told to stop; everything still answers

`.sh` and `.py` files, sub-folders included, in the order of their paths, one at a time. A script that fails is shown in
the log and at `/_localstack/init`, and the next one runs. Scripts find the emulator through `AWS_ENDPOINT_URL`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from cloudlet.settings import Settings

LOG = logging.getLogger("cloudlet.init")
STAGES = ("BOOT", "START", "READY", "SHUTDOWN")
SHUTDOWN_LIMIT_SECONDS = 60.0

# What the AWS CLI and the SDKs need, where the environment does not say otherwise. $0: the endpoint.
ENVIRONMENT = (
    ': "${AWS_ENDPOINT_URL:=$0}" "${AWS_ACCESS_KEY_ID:=test}" "${AWS_SECRET_ACCESS_KEY:=test}" '
    '"${AWS_DEFAULT_REGION:=us-east-1}"; '
    "export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION; "
    'exec "$@"'
)
RUNNERS = MappingProxyType({".sh": "bash", ".py": sys.executable})


class Script:
    """`state` is UNKNOWN before, RUNNING, then SUCCESSFUL or ERROR."""

    __slots__ = ("name", "path", "stage", "state")

    def __init__(self, stage: str, name: str, path: Path) -> None:
        self.stage = stage
        self.name = name
        self.path = path
        self.state = "UNKNOWN"

    def shown(self) -> dict[str, str]:
        return {"stage": self.stage, "name": self.name, "state": self.state}


class InitHooks:
    """The scripts of all stages, found when the emulator is made."""

    def __init__(self, settings: Settings) -> None:
        address = settings.gateway_listen[0]
        host = "127.0.0.1" if address.host in ("", "0.0.0.0", "::") else address.host
        self._endpoint = f"{settings.protocol}://{f'[{host}]' if ':' in host else host}:{address.port}"
        root = Path(settings.init_dir)
        self.scripts = tuple(script for stage in STAGES for script in find(root, stage))
        self.completed: set[str] = set()

    async def run(self, stage: str) -> None:
        """Run a stage's scripts. Never raises because of a script."""
        for script in self.scripts:
            if script.stage == stage:
                await self._run(script)
        self.completed.add(stage)

    async def _run(self, script: Script) -> None:
        script.state = "RUNNING"
        runner = RUNNERS[script.path.suffix]
        own = script.path.suffix == ".sh" and os.access(script.path, os.X_OK)
        command = [str(script.path)] if own else [runner, str(script.path)]
        try:
            process = await asyncio.create_subprocess_exec("/bin/sh", "-c", ENVIRONMENT, self._endpoint, *command)
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                process.terminate()
                script.state = "ERROR"
                raise
        except OSError as error:
            script.state = "ERROR"
            LOG.error("init script %s (%s) could not be run: %s", script.path, script.stage, error)
            return
        script.state = "ERROR" if code else "SUCCESSFUL"
        if code:
            LOG.error("init script %s (%s) failed with exit code %d", script.path, script.stage, code)


def find(root: Path, stage: str) -> Iterator[Script]:
    """The stage's scripts in the order of their paths below its folder."""
    folder = root / f"{stage.lower()}.d"
    for path in sorted(folder.rglob("*")):
        if path.suffix in RUNNERS and path.is_file():
            yield Script(stage, path.relative_to(folder).as_posix(), path)
