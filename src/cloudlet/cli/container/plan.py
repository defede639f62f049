"""What the container will be, decided before an engine is told: image, variables, files, ports, network, user."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import click
import msgspec
from docker.utils.ports import split_port

from cloudlet.cli.container.engine import Engine
from cloudlet.cli.container.handover import (
    TOKEN_FILES,
    TOKEN_VARIABLES,
    activate_here,
    kept_license,
    name_machine,
    token_of,
    write_secret,
)
from cloudlet.cli.container.options import Options
from cloudlet.cli.container.record import RecordFile
from cloudlet.cli.container.settings import ContainerSettings
from cloudlet.cli.context import Context
from cloudlet.cli.endpoint import emulator_url
from cloudlet.settings import CI_RUN_VARIABLES, VARIABLE_NAMES, Settings

VOLUME = "/var/lib/localstack"
SECRET = "/run/secrets/localstack-auth-token"  # noqa: S105 - a path
KEPT_LICENSE = "/etc/localstack/conf.d/license.json"
KEPT_KEYS = "/etc/localstack/conf.d/license-keys.json"
# How a container calls the machine that it runs on.
HERE = "host.docker.internal"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Variables that name a file of this machine -> where the container finds it.
FILES: Mapping[str, str] = MappingProxyType(
    {
        "LICENSE_FILE": "/etc/localstack/conf.d/license-file",
        "CUSTOM_SSL_CERT_PATH": "/etc/localstack/conf.d/server.pem",
        "REQUESTS_CA_BUNDLE": "/etc/localstack/conf.d/ca-bundle.pem",
        "LICENSE_CA_BUNDLE": "/etc/localstack/conf.d/license-ca-bundle.pem",
    }
)
# About this machine and not about the emulator; a container has its own.
HOST_ONLY = frozenset(
    {
        "GATEWAY_LISTEN",
        "VOLUME_DIR",
        "INIT_DIR",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "IMAGE_NAME",
        "STATE_DIR",
        "TEMPORARY_DIR",
    }
)
FAMILIES = ("LAMBDA_", "SQS_", "S3_", "SNS_", "DYNAMODB_", "KINESIS_", "CFN_", "SFN_", "ECS_", "EC2_", "BATCH_", "DNS_")
FURTHER = frozenset({"CI", "LICENSE_CA_BUNDLE", "OUTBOUND_HTTP_PROXY", "OUTBOUND_HTTPS_PROXY", "NO_PROXY"})


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What the Docker API is asked for. `secret` is the token's file on this machine, or empty."""

    image: str
    name: str
    url: str
    variables: dict[str, str]
    binds: tuple[str, ...]
    ports: dict[str, list[tuple[str, str]]]
    network: str = ""
    user: str = ""
    sysctls: dict[str, str] = {}
    secret: str = ""

    def create(self, api: Any) -> str:
        """Make the container; returns its id. `api` is the library's low-level client, which takes binds as they are."""
        in_network = self.network != "host"
        ports = self.ports if in_network else {}
        host = api.create_host_config(
            binds=list(self.binds),
            port_bindings=ports,
            network_mode=self.network or None,
            sysctls=self.sysctls or None,
            extra_hosts={HERE: "host-gateway"} if in_network else None,
        )
        made = api.create_container(
            self.image,
            name=self.name,
            environment=self.variables,
            user=self.user or None,
            ports=[tuple(port.split("/")) for port in ports],
            labels={"cloudlet.url": self.url},
            host_config=host,
        )
        return str(made["Id"])


def make_plan(
    context: Context, settings: ContainerSettings, options: Options, engine: Engine, image: str, *, ours: bool
) -> Plan:
    """Raises Failed and click.UsageError. Writes the token's file and the machine's id; both stay on this machine."""
    variables = {**known_variables(context), **options.variables(dict(context.command.variables))}
    binds = [absolute(volume) for volume in options.volume]
    own_volume = any(volume.split(":")[1:2] == [VOLUME] for volume in binds)
    if not own_volume:
        binds.append(volume_bind(context, engine))
    for name, target in FILES.items():
        if engine.is_local and variables.get(name) and Path(variables[name]).is_file():
            binds.append(f"{Path(variables[name]).resolve()}:{target}:ro,z")
            variables[name] = target
    secret = hand_over_token(context, engine, variables, binds, ours=ours)
    if own_volume and engine.is_local:
        hand_over_license(context, variables, binds)
    ports = gateway_ports(context, settings) if options.network != "host" else {}
    for publication in options.publish:
        add_ports(ports, publication)
    listen = [address.port for address in context.emulator.gateway_listen]
    variables["GATEWAY_LISTEN"] = ",".join(f"0.0.0.0:{port}" for port in listen)
    variables["MAIN_CONTAINER_NAME"] = settings.name
    reserved = any(port < 1024 for port in listen) and options.network != "host"
    return Plan(
        image=image,
        name=settings.name,
        url=emulator_url(context.emulator),
        variables=variables,
        binds=tuple(binds),
        ports=ports,
        network=options.network,
        user=user_in(engine) if ours else "",
        sysctls={"net.ipv4.ip_unprivileged_port_start": "0"} if reserved else {},
        secret=secret,
    )


def known_variables(context: Context) -> dict[str, str]:
    """The variables of this environment and its profiles that mean something to the emulator."""
    fields = {VARIABLE_NAMES.get(field, field.upper()) for field in Settings.__struct_fields__}
    known = (fields | FURTHER | set(CI_RUN_VARIABLES)) - HOST_ONLY
    found = {}
    for name, value in context.command.variables.items():
        plain = name.removeprefix("LOCALSTACK_")
        is_known = plain in known or name in known or name.startswith(("LOCALSTACK_", *FAMILIES))
        if is_known and plain not in HOST_ONLY and name not in (*TOKEN_VARIABLES, *TOKEN_FILES):
            found[name] = value
    if context.debug:
        found["DEBUG"] = "1"
    for name in ("API_ENDPOINT", "WEB_APP_URL"):
        if name == "API_ENDPOINT" or name in found:
            found[name] = seen_from_container(found.get(name) or context.emulator.api_endpoint, name)
    return found


def seen_from_container(url: str, name: str) -> str:
    """`http://127.0.0.1:4580/v1` → `http://host.docker.internal:4580/v1`; people's links stay as they are."""
    parts = urlsplit(url)
    if name != "API_ENDPOINT" or parts.hostname not in LOOPBACK:
        return url
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=HERE + port))


def hand_over_token(
    context: Context, engine: Engine, variables: dict[str, str], binds: list[str], *, ours: bool
) -> str:
    """The token as a file that only the container's user reads; as a variable where there can be no file."""
    given = [variables.pop(name) for name in TOKEN_VARIABLES if variables.get(name)]
    token = given[0] if given else token_of(context)
    if not token:
        return ""
    if urlsplit(context.emulator.api_endpoint).hostname in LOOPBACK and context.emulator.activate_pro is not False:
        activate_here(context, token)
    if not (ours and engine.is_local):
        variables["LOCALSTACK_AUTH_TOKEN"] = token
        return ""
    path = write_secret(RecordFile(context.command, context.emulator.port), token)
    binds.append(f"{path}:{SECRET}:ro,z")
    variables["LOCALSTACK_AUTH_TOKEN_FILE"] = SECRET
    return str(path)


def hand_over_license(context: Context, variables: dict[str, str], binds: list[str]) -> None:
    """Into a volume of the user's own choice the kept license comes as files."""
    kept = kept_license(context)
    if kept is not None and not variables.get("LICENSE_TRUST_KEYS"):
        license_file, keys = kept
        binds += [f"{license_file}:{KEPT_LICENSE}:ro,z", f"{keys}:{KEPT_KEYS}:ro,z"]
        variables["LICENSE_TRUST_KEYS"] = KEPT_KEYS


def volume_bind(context: Context, engine: Engine) -> str:
    """The volume of `cloudlet start`, so that state and license are the same either way; on a remote engine, its own."""
    if not engine.is_local:
        return f"cloudlet:{VOLUME}"
    name_machine(context)
    return f"{Path(context.emulator.volume_dir).resolve()}:{VOLUME}:z"


def absolute(volume: str) -> str:
    """`./init:/etc/localstack/init/ready.d` with the whole path. A plain name is a volume of the engine's."""
    source, separator, rest = volume.partition(":")
    if not separator:
        raise click.UsageError(f"--volume {volume!r} is not SOURCE:TARGET")
    if source.startswith((".", "~")) or os.sep in source:
        source = str(Path(source).expanduser().resolve())
    return f"{source}:{rest}"


def gateway_ports(context: Context, settings: ContainerSettings) -> dict[str, list[tuple[str, str]]]:
    """The gateway's addresses; and 4510 to 4559 beside the usual port, as further emulators would want the same."""
    ports: dict[str, list[tuple[str, str]]] = {}
    for address in context.emulator.gateway_listen:
        ports.setdefault(f"{address.port}/tcp", []).append((address.host, str(address.port)))
    first = context.emulator.gateway_listen[0]
    if first.port == 4566 and settings.last_port:
        for port in range(settings.first_port, settings.last_port + 1):
            ports[f"{port}/tcp"] = [(first.host, str(port))]
    return ports


def add_ports(ports: dict[str, list[tuple[str, str]]], publication: str) -> None:
    """`[HOST:]PORT:PORT[/udp]`, ranges too."""
    try:
        inside, outside = split_port(publication)
    except ValueError as error:
        raise click.UsageError(f"--publish {publication!r}: {error}") from None
    for port, place in zip(inside, outside or [None] * len(inside), strict=True):
        host, number = place if isinstance(place, tuple) else ("", place)
        key = port if "/" in str(port) else f"{port}/tcp"
        entry = (host or "127.0.0.1", str(number or 0))
        if entry not in ports.setdefault(key, []):
            ports[key].append(entry)


def user_in(engine: Engine) -> str:
    """Who reads the token and writes the volume: the user of this machine who owns both."""
    if engine.is_desktop or not engine.is_local:
        return ""
    return "0:0" if engine.is_rootless else f"{os.getuid()}:0"


def published(ports: Mapping[str, Any]) -> Iterator[str]:
    """`127.0.0.1:4566->4566/tcp` of each port, from the engine's own list."""
    for inside, places in sorted(ports.items()):
        for place in places or ():
            yield f"{place.get('HostIp') or '0.0.0.0'}:{place.get('HostPort')}->{inside}"
