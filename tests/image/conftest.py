"""The image is built once, and one control plane runs from it, for all tests of this folder that are marked `image`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.image.building import BASE, IMAGE, PACKAGES, build_image, make_debian
from tests.image.engine import Container, Engine, NoEngine, poll

Start = Callable[..., Container]


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    try:
        engine = Engine()
    except NoEngine as error:
        pytest.skip(str(error))
    try:
        base = make_debian(PACKAGES)
        engine.prove(lambda: engine("import", str(base), BASE), BASE)
    except NoEngine as error:
        engine.close()
        pytest.skip(str(error))
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def image(engine: Engine) -> str:
    build_image(engine)
    return IMAGE


@pytest.fixture(scope="session")
def network(engine: Engine) -> Iterator[str]:
    """A network on which containers find each other by name."""
    name = f"cloudlet-{engine.folder.name[-6:]}"
    engine("network", "create", name)
    yield name
    engine("network", "rm", "--force", name, check=False)


class ControlPlane:
    """The control plane in a container; `token` is its first admin's. `variables` lead an emulator to it."""

    def __init__(self, container: Container, network: str) -> None:
        self.container = container
        self.network = network
        self.token: str = self.run("admin", "bootstrap", "--show-token", "--json")["data"]["token"]
        self.variables = {"API_ENDPOINT": "http://control:4580/v1", "LOCALSTACK_AUTH_TOKEN": self.token}

    def run(self, *words: str) -> Any:
        return json.loads(self.container.execute("cloudlet", *words).stdout)


@pytest.fixture(scope="session")
def control(engine: Engine, image: str, network: str) -> Iterator[ControlPlane]:
    container = engine.start(image, "--network", network, "--network-alias", "control", command=("control", "start"))
    container.wait_for("Control plane ready")
    yield ControlPlane(container, network)
    container.remove()


@pytest.fixture
def start(engine: Engine, image: str) -> Iterator[Start]:
    """Start a container of the image, with port 4566 published; removed after the test."""
    started: list[Container] = []

    def run(*options: str, command: tuple[str, ...] = (), **variables: str) -> Container:
        publish = () if any("publish" in option or option == "-p" for option in options) else ("-p", "127.0.0.1::4566")
        container = engine.start(image, *publish, *options, variables=variables, command=command)
        started.append(container)
        return container

    yield run
    for container in started:
        container.remove()


def info(container: Container, port: int = 4566) -> dict[str, Any]:
    """`/_localstack/info`, asked from outside of the container."""

    def answer() -> dict[str, Any] | None:
        try:
            response = httpx.get(f"http://127.0.0.1:{container.port(port)}/_localstack/info", trust_env=False)
        except httpx.TransportError:
            return None
        found: dict[str, Any] = response.json()
        return found

    found: dict[str, Any] = poll(answer)
    return found
