"""The variables that are about containers."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cloudlet.settings import Environment, SettingError


class ContainerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment says about containers. `docs/configuration.md` has a line for each variable."""

    image: str = "cloudlet/cloudlet"  # IMAGE_NAME: the image of `start --docker`
    name: str = "localstack-main"  # MAIN_CONTAINER_NAME: what its container is called
    network: str = ""  # MAIN_DOCKER_NETWORK: the network that the container joins
    flags: str = ""  # DOCKER_FLAGS: more options of `start --docker`: -e, -p, -v, --network
    engine: str = ""  # DOCKER_HOST: the container engine: unix://…, tcp://…, ssh://…; else what is found here
    first_port: int = 4510  # EXTERNAL_SERVICE_PORTS_START: with the next, ports published beside 4566
    last_port: int = 4559  # EXTERNAL_SERVICE_PORTS_END: the last of them; 0 publishes none
    runtime_dir: str = ""  # XDG_RUNTIME_DIR: where rootless Docker and Podman have their sockets


def read_container_settings(variables: Mapping[str, str]) -> ContainerSettings:
    """Raises SettingError."""
    env = Environment(variables)
    first = env.number("EXTERNAL_SERVICE_PORTS_START", 4510)
    last = env.number("EXTERNAL_SERVICE_PORTS_END", 4559)
    if last and not 0 < first <= last <= 65535:
        raise SettingError(f"EXTERNAL_SERVICE_PORTS_START={first} and EXTERNAL_SERVICE_PORTS_END={last} are no range")
    return ContainerSettings(
        image=env.text("IMAGE_NAME") or "cloudlet/cloudlet",
        name=env.text("MAIN_CONTAINER_NAME") or "localstack-main",
        network=env.text("MAIN_DOCKER_NETWORK"),
        flags=env.text("DOCKER_FLAGS"),
        engine=env.text("DOCKER_HOST"),
        first_port=first,
        last_port=last,
        runtime_dir=env.text("XDG_RUNTIME_DIR"),
    )
