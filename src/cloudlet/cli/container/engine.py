"""Docker or Podman, over the Docker API. What the library raises becomes Failed, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from cloudlet.cli.container.settings import ContainerSettings
from cloudlet.cli.context import Failed

ASK_SECONDS = 60
HOST_MODE = "cloudlet start      (without --docker: a process of this machine, the same emulator)"
TITLE = "org.opencontainers.image.title"


class Engine:
    """A container engine that answers."""

    def __init__(self, address: str) -> None:
        """Raises DockerException when nothing answers there."""
        self.address = address
        self.client: Any = docker.DockerClient(base_url=address, timeout=ASK_SECONDS)
        self.facts: dict[str, Any] = self.client.info()

    @property
    def is_local(self) -> bool:
        """Its containers can be given files of this machine."""
        return self.address.startswith(("unix://", "npipe://"))

    @property
    def is_rootless(self) -> bool:
        """Root in a container is the user of this machine who runs the engine."""
        return any("rootless" in option for option in self.facts.get("SecurityOptions") or ())

    @property
    def is_desktop(self) -> bool:
        """Containers run in a virtual machine, in which files of this machine belong to whoever reads them."""
        return "desktop" in str(self.facts.get("OperatingSystem", "")).lower() or self.address.startswith("npipe://")

    @property
    def is_podman(self) -> bool:
        components = self.client.version().get("Components") or ()
        return any("podman" in str(component.get("Name", "")).lower() for component in components)

    def image(self, name: str, say: Any) -> Any:
        """The image; pulled when it is not here. Raises Failed."""
        try:
            return self.client.images.get(name)
        except ImageNotFound:
            say(f"Pulling {name}")
        try:
            with explained(f"The image {name} could not be pulled", "image.missing", *built(name)):
                return self.client.images.pull(*parted(name))
        except ImageNotFound:
            raise Failed(f"There is no image {name}.", code="image.missing", actions=built(name)) from None

    def container(self, name: str) -> Any | None:
        """By name or id; None when there is none."""
        with explained(f"The engine did not answer about {name}", "engine.failed"):
            try:
                return self.client.containers.get(name)
            except NotFound:
                return None


def is_ours(image: Any) -> bool:
    """The image is Cloudlet's, and so reads its token from a file."""
    return (image.labels or {}).get(TITLE) == "Cloudlet"


def built(name: str) -> tuple[str, ...]:
    return (f"Build it: docker build -f docker/Dockerfile -t {name} .", "Or name another with IMAGE_NAME.", HOST_MODE)


def parted(name: str) -> tuple[str, str]:
    """Repository and tag, or repository and digest."""
    if "@" in name:
        repository, _, digest = name.partition("@")
        return repository, digest
    folder, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return folder + slash + last, tag or "latest"


def find_engine(settings: ContainerSettings) -> Engine:
    """The first that answers: DOCKER_HOST, the current Docker context, and the usual sockets. Raises Failed."""
    tried = []
    for address in addresses(settings):
        try:
            return Engine(address)
        except (DockerException, requests.RequestException, OSError, ValueError) as error:
            tried.append(f"{address}: {innermost(error)}")
    raise Failed(
        "No container engine answers.",
        code="engine.none",
        details="\n".join(tried),
        actions=(HOST_MODE, "Or start Docker, or `podman system service`, or name an engine with DOCKER_HOST."),
    )


def addresses(settings: ContainerSettings) -> Iterator[str]:
    """Where an engine may be. Nothing else is tried where DOCKER_HOST names one."""
    if settings.engine:
        yield settings.engine
        return
    seen = set()
    for address in (current_context(), *sockets(settings)):
        if address and address not in seen:
            seen.add(address)
            yield address


def current_context() -> str:
    """What `docker context use` chose; the default is the system's socket."""
    try:
        found = docker.ContextAPI.get_current_context()
    except DockerException:
        return ""
    return str(found.Host) if found is not None else ""


def sockets(settings: ContainerSettings) -> Iterator[str]:
    paths = ["/var/run/docker.sock", "/run/podman/podman.sock"]
    if settings.runtime_dir:
        paths += [f"{settings.runtime_dir}/docker.sock", f"{settings.runtime_dir}/podman/podman.sock"]
    for path in paths:
        if Path(path).exists():
            yield f"unix://{path}"


@contextmanager
def explained(message: str, code: str, *actions: str) -> Iterator[None]:
    """What the engine refuses becomes Failed with its own words; NotFound passes."""
    try:
        yield
    except NotFound:
        raise
    except APIError as error:
        said = str(error.explanation or error).strip()
        raise Failed(f"{message}: {said}", code=code, actions=actions) from None
    except (DockerException, requests.RequestException) as error:
        raise Failed(f"{message}: {innermost(error)}", code=code, actions=actions) from None


def innermost(error: BaseException) -> str:
    """The cause at the bottom, in the system's words: `No such file or directory`."""
    seen = error
    while isinstance(following := seen.__cause__ or seen.__context__, BaseException):
        seen = following
    if isinstance(seen, OSError) and seen.strerror:
        return seen.strerror
    return str(seen) or type(seen).__name__
