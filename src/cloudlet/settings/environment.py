"""Reading the environment: the one place that looks at `os.environ`, and what every kind of settings needs."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

import msgspec

FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})


class SettingError(Exception):
    """A variable holds something that it cannot mean. The message names variable, value and what is expected."""


class Environment:
    """Typed reads of environment variables; each read accepts the name with and without the `LOCALSTACK_` prefix."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables

    def text(self, name: str, default: str = "") -> str:
        value = self.variables.get(name)
        if value is None:
            value = self.variables.get("LOCALSTACK_" + name)
        return default if value is None else value.strip()

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.text(name, "1" if default else "0").lower()
        if value in TRUE_WORDS:
            return True
        if value in FALSE_WORDS:
            return False
        raise SettingError(f"{name}={value!r} is neither true (1) nor false (0)")

    def number(self, name: str, default: int) -> int:
        value = self.text(name, str(default)) or str(default)
        try:
            return int(value)
        except ValueError:
            raise SettingError(f"{name}={value!r} is not a whole number") from None

    def share(self, name: str) -> float:
        """A number from 0 to 1; 0 when it is not set."""
        value = self.text(name) or "0"
        try:
            number = float(value)
        except ValueError:
            number = -1
        if not 0 <= number <= 1:
            raise SettingError(f"{name}={value!r} is not a number from 0 to 1")
        return number

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default).lower() or default
        if value not in choices:
            raise SettingError(f"{name}={value!r} is none of {', '.join(choices)}")
        return value

    def names(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(name).split(",") if part.strip())


class Address(msgspec.Struct, frozen=True):
    """Where to listen."""

    host: str
    port: int


def parse_addresses(text: str, default_port: int = 4566) -> tuple[Address, ...]:
    """`GATEWAY_LISTEN`: a comma-separated list of host:port, :port, host or [v6]:port."""
    found = []
    for part in text.split(","):
        entry = part.strip()
        if not entry:
            continue
        host, separator, port = entry.rpartition(":")
        if entry.startswith("[") and entry.endswith("]"):
            host, separator, port = entry, "", ""
        if not separator:
            host, port = host or entry if entry.startswith("[") else entry, str(default_port)
        try:
            number = int(port)
        except ValueError:
            raise SettingError(f"GATEWAY_LISTEN={text!r}: {entry!r} is not host:port") from None
        if not 0 <= number <= 65535:
            raise SettingError(f"GATEWAY_LISTEN={text!r}: port {number} is out of range")
        found.append(Address(host.strip("[]") or "0.0.0.0", number))
    if not found:
        raise SettingError(f"GATEWAY_LISTEN={text!r} names no address")
    return tuple(found)


def default_volume_dir(variables: Mapping[str, str]) -> str:
    """The user's state directory, by the XDG rule."""
    base = variables.get("XDG_STATE_HOME") or os.path.join(
        variables.get("HOME") or tempfile.gettempdir(), ".local", "state"
    )
    return os.path.join(base, "cloudlet", "volume")


def in_container() -> bool:
    return Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()


def read_patterns(name: str, env: Environment) -> tuple[str, ...]:
    """A comma-separated list of regular expressions."""
    patterns = env.names(name)
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise SettingError(f"{name}: {pattern!r} is no regular expression: {error}") from None
    return patterns


def read_networks(name: str, env: Environment) -> tuple[str, ...]:
    """A comma-separated list of addresses and networks. Raises SettingError."""
    networks = env.names(name)
    for network in networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise SettingError(f"{name}: {network!r} is no address and no network like 10.0.0.0/8: {error}") from None
    return networks


def given(variables: Mapping[str, str] | None) -> Mapping[str, str]:
    """These variables, or the process's own."""
    return os.environ if variables is None else variables
