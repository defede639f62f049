"""The commands of docs/docker.md, typed into the client that is here: `docker` onto podman's socket, or podman itself.

What differs from the page: ports (others use this machine, too), the image's name, and `-d` for `-it`, since podman's
socket does not attach a terminal.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT, free_port
from tests.image.conftest import ControlPlane
from tests.image.engine import Container, Engine
from tests.image.test_compose import free_range

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]

PAGE = ROOT / "docs" / "docker.md"
BLOCK = re.compile(r"(<!-- not run: .+? -->\n\n)?```(\w+)\n(.*?)```", re.DOTALL)
RUN = re.compile(r"^docker run .*$", re.MULTILINE)


def commands(pattern: re.Pattern[str]) -> list[str]:
    blocks = [
        body for skipped, language, body in BLOCK.findall(PAGE.read_text("utf-8")) if language == "bash" and not skipped
    ]
    return [line for body in blocks for line in pattern.findall(body)]


class Client:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.program = "docker" if shutil.which("docker") else "podman"
        self.environment = {**engine.environment, "DOCKER_HOST": engine.socket}

    def __call__(self, line: str) -> str:
        words = re.sub(r"^docker", self.program, line)
        done = subprocess.run(
            ["bash", "-c", words], env=self.environment, capture_output=True, text=True, timeout=120, cwd=ROOT
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
        return done.stdout


def adapted(line: str, control: ControlPlane) -> str:
    line = line.replace("<YOUR_AUTH_TOKEN>", control.token).replace("<CONTROL_PLANE>", "http://control:4580")
    line = line.replace("4510-4559:4510-4559", f"{free_range(50)}:4510-4559")
    line = re.sub(r"-p (4566|4580):", lambda found: f"-p 127.0.0.1:{free_port()}:", line)
    line = line.replace("cloudlet/cloudlet", "localhost/cloudlet").replace(" -it", "")
    return line.replace("docker run", f"docker run -d --network {control.network}").replace(
        "-v control:", f"-v {control.network}-page:"
    )


@pytest.mark.parametrize("line", commands(RUN))
def test_the_run_commands_of_the_page_work(line: str, engine: Engine, image: str, control: ControlPlane) -> None:
    client = Client(engine)
    container = Container(engine, client(adapted(line, control)).strip())
    try:
        container.wait_for("Control plane ready" if "control start" in line else "Ready.\n")
        if "ACTIVATE_PRO=0" in line:
            for command in commands(re.compile(r"^docker exec .*$", re.MULTILINE)):
                client(command.replace("<CONTAINER>", container.id))
        elif "LOCALSTACK_AUTH_TOKEN" in line:
            assert "Successfully" in container.logs()
    finally:
        container.remove()
        engine("volume", "rm", "--force", f"{control.network}-page", check=False)


def test_the_page_has_the_commands_that_people_type() -> None:
    lines = "\n".join(commands(RUN))
    assert "-p 4566:4566 -p 4510-4559:4510-4559 -e LOCALSTACK_AUTH_TOKEN=<YOUR_AUTH_TOKEN>" in lines


def test_every_block_is_run_or_says_why_not() -> None:
    """bash: here, in test_compose.py and test_start_docker.py. Everything else names its reason on the page."""
    others = [language for skipped, language, _ in BLOCK.findall(PAGE.read_text("utf-8")) if not skipped]
    assert set(others) == {"bash"}


def test_the_compose_files_of_the_page_are_there() -> None:
    named = set(re.findall(r"docker/[a-z]+\.yml", PAGE.read_text("utf-8")))
    assert named == {f"docker/{Path(path).name}" for path in (ROOT / "docker").glob("*.yml")}
