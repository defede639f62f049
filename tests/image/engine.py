"""Podman as the tests use it: its own storage and settings, so that nothing of the machine's containers is touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

SETTINGS = """\
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
runtime = "{runtime}"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
STORAGE = """\
[storage]
driver = "{driver}"
graphroot = "{folder}/images"
runroot = "{folder}/run"
"""
PROGRAMS = ("podman", "mmdebstrap")
DEADLINE = 120.0


class NoEngine(Exception):
    """Containers cannot run here; says why."""


class Engine:
    """Runs `podman …`. Raises NoEngine where that cannot work.

    CLOUDLET_IMAGE_STORE=FOLDER keeps the storage there, so that the next run builds only what has changed.
    """

    def __init__(self) -> None:
        for name in PROGRAMS:
            if shutil.which(name) is None:
                raise NoEngine(f"{name} is not installed")
        if os.geteuid() != 0:
            raise NoEngine("the tests of the image need root, for mmdebstrap and networks of containers")
        kept = os.environ.get("CLOUDLET_IMAGE_STORE", "")
        self.is_kept = bool(kept)
        self.folder = Path(kept or tempfile.mkdtemp(prefix="cloudlet-image-", dir="/var/tmp"))
        self.folder.mkdir(exist_ok=True)
        runtime = "runc" if shutil.which("runc", path=os.environ["PATH"] + ":/usr/sbin:/sbin") else "crun"
        (self.folder / "containers.conf").write_text(SETTINGS.format(runtime=runtime))
        self.environment = {
            **os.environ,
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
        }
        self.environment.pop("STORAGE_DRIVER", None)
        self.service: subprocess.Popen[bytes] | None = None
        self._use_driver("overlay" if "overlay" in Path("/proc/filesystems").read_text() else "vfs")

    def _use_driver(self, driver: str) -> None:
        (self.folder / "storage.conf").write_text(STORAGE.format(driver=driver, folder=self.folder))

    def prove(self, image: Callable[[], object], name: str) -> None:
        """Run something in a container. `image` imports the image `name`; raises NoEngine where it does not work."""
        reason = ["no message"]
        for driver in ("as it is", "vfs"):
            if driver == "vfs":
                self._unmount()
                shutil.rmtree(self.folder / "images", ignore_errors=True)
                self._use_driver("vfs")
            try:
                image()
                self("run", "--rm", name, "true")
                return
            except subprocess.CalledProcessError as error:
                reason = (error.stderr or "").strip().splitlines()[-1:] or reason
        raise NoEngine(f"podman runs no container here: {reason[0][:200]}")

    def __call__(
        self, *words: str, check: bool = True, input: str | None = None, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["podman", *words], env=self.environment, input=input or "", capture_output=True, text=True, timeout=timeout
        )
        if check and done.returncode:
            error = subprocess.CalledProcessError(done.returncode, done.args, done.stdout, done.stderr)
            error.add_note(done.stderr)
            raise error
        return done

    def start(
        self, image: str, *options: str, variables: Mapping[str, str] | None = None, command: tuple[str, ...] = ()
    ) -> Container:
        """`podman run --detach`; the container is not removed when it ends."""
        given = [word for name, value in (variables or {}).items() for word in ("--env", f"{name}={value}")]
        done = self("run", "--detach", *options, *given, image, *command)
        return Container(self, done.stdout.strip())

    def inspect(self, name: str) -> Any:
        return json.loads(self("inspect", name).stdout)[0]

    @property
    def socket(self) -> str:
        """URL of the Docker API, served by podman."""
        path = self.folder / "podman.sock"
        if self.service is None:
            self.service = subprocess.Popen(
                ["podman", "system", "service", "--time=0", f"unix://{path}"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            poll(path.exists)
        return f"unix://{path}"

    def close(self) -> None:
        if self.service is not None:
            self.service.terminate()
            self.service.wait()
        self("rm", "--all", "--force", "--time=0", check=False)
        self._unmount()
        if not self.is_kept:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _unmount(self) -> None:
        """Podman mounts its storage onto itself."""
        for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
            point = line.split()[4]
            if point.startswith(str(self.folder)):
                subprocess.run(["umount", point], capture_output=True)


class Container:
    """A container that was started."""

    def __init__(self, engine: Engine, identifier: str) -> None:
        self.engine = engine
        self.id = identifier

    def logs(self) -> str:
        done = self.engine("logs", self.id)
        return done.stdout + done.stderr

    def wait_for(self, text: str) -> str:
        """The log, once it contains the text. Fails when the container ends before that."""

        def found() -> bool:
            return text in self.logs() or not self.running()

        poll(found)
        log = self.logs()
        assert text in log, log
        return log

    def running(self) -> bool:
        return bool(self.engine.inspect(self.id)["State"]["Running"])

    def exit_code(self) -> int:
        """Once it has ended."""
        return int(self.engine("wait", self.id).stdout)

    def execute(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.engine("exec", self.id, *command, check=check)

    def port(self, port: int) -> int:
        """The port of this machine that leads to a published port."""
        return int(self.engine("port", self.id, f"{port}/tcp").stdout.strip().splitlines()[0].rpartition(":")[2])

    def stop(self, seconds: int = 5) -> int:
        """SIGTERM, and SIGKILL after the seconds; the exit code is 137 when that was necessary."""
        self.engine("stop", "--time", str(seconds), self.id)
        return self.exit_code()

    def remove(self) -> None:
        self.engine("rm", "--force", "--time=0", "--volumes", self.id, check=False)


def poll(found: Callable[[], Any], seconds: float = DEADLINE) -> Any:
    """The first truthy answer; fails when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = found()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")
