"""Which certificate TLS clients get. Nothing happens, and nothing is imported, before the first TLS byte.

CUSTOM_SSL_CERT_PATH    that file, as it is
otherwise               a local authority (`ca.pem`, `ca.key`) and a certificate under it (`server.pem`), kept in
                        `directory` so that a trusted authority stays trusted; without a directory only in memory.
                        A client that asks for a further name (SNI) gets a certificate for that name.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cloudlet.emulator.effects.clock import Clock

if TYPE_CHECKING:
    from cloudlet.emulator.gateway.http.certificates import Authority

BASE_DOMAIN = "localhost.localstack.cloud"
NAMES = (
    "localhost",
    "127.0.0.1",
    "::1",
    BASE_DOMAIN,
    f"*.{BASE_DOMAIN}",
    f"*.s3.{BASE_DOMAIN}",
    "*.s3.localhost",
    "host.docker.internal",
    "localstack",
    "cloudlet",
)
MAX_NAMES = 256  # certificates for further names that are kept
RENEW_SECONDS = 30 * 86400  # before the end of a certificate's validity


class TlsError(Exception):
    """There is no certificate to serve with. The message is for people."""


class ServerCertificates:
    """Gives TLS contexts. `directory` holds what is made; `custom_path` is a PEM file with key and chain."""

    def __init__(
        self,
        directory: Path | None = None,
        custom_path: str = "",
        names: tuple[str, ...] = (),
        now: Callable[[], float] = Clock.wall,
    ) -> None:
        self.directory = directory
        self.custom_path = custom_path
        self.names = tuple(dict.fromkeys((*NAMES, *names)))
        self.now = now
        self._authority: Authority | None = None
        self._by_name: dict[str, ssl.SSLContext] = {}

    @functools.cached_property
    def context(self) -> ssl.SSLContext:
        """The context that every TLS connection begins with. Raises TlsError."""
        if self.custom_path:
            try:
                return new_context(Path(self.custom_path))
            except (OSError, ssl.SSLError) as error:
                raise TlsError(
                    f"CUSTOM_SSL_CERT_PATH={self.custom_path}: not a PEM file with a key and its certificates: {error}"
                ) from error
        try:
            context = self._own_context()
        except (OSError, ssl.SSLError, ValueError) as error:
            raise TlsError(f"no TLS certificate could be made: {error}") from error
        context.sni_callback = self._choose_by_name
        return context

    @property
    def authority(self) -> Authority:
        """The local authority: loaded, or made and kept."""
        if self._authority is None:
            # lazy: cryptography, for the first TLS connection
            made = importlib.import_module("cloudlet.emulator.gateway.http.certificates").Authority
            key_file, certificate_file = self._file("ca.key"), self._file("ca.pem")
            if (
                key_file is not None
                and certificate_file is not None
                and key_file.exists()
                and certificate_file.exists()
            ):
                authority: Authority = made.load(key_file.read_bytes(), certificate_file.read_bytes())
            else:
                authority = made.create(self.now())
                if key_file is not None and certificate_file is not None:
                    write_private(key_file, authority.key_pem())
                    write_private(certificate_file, authority.certificate_pem(), mode=0o644)
            self._authority = authority
        return self._authority

    def _file(self, name: str) -> Path | None:
        return None if self.directory is None else self.directory / name

    def _own_context(self) -> ssl.SSLContext:
        server_file, about_file = self._file("server.pem"), self._file("server.json")
        if server_file is None or about_file is None:
            return context_from(self.authority.server_pem(self.names, self.now()))
        if not self._is_current(server_file, about_file):
            server_file.parent.mkdir(parents=True, exist_ok=True)
            write_private(server_file, self.authority.server_pem(self.names, self.now()))
            about = {"names": list(self.names), "made": self.now()}
            write_private(about_file, json.dumps(about).encode(), mode=0o644)
        return new_context(server_file)

    def _is_current(self, server_file: Path, about_file: Path) -> bool:
        try:
            about = json.loads(about_file.read_bytes())
        except (OSError, ValueError):
            return False
        if not isinstance(about, dict) or about.get("names") != list(self.names) or not server_file.exists():
            return False
        made = about.get("made")
        age = self.now() - made if isinstance(made, float) else -1.0
        return 0 <= age < 397 * 86400 - RENEW_SECONDS

    def _choose_by_name(self, connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        if name is None or covers(self.names, name):
            return
        found = self._by_name.get(name)
        if found is None:
            if len(self._by_name) >= MAX_NAMES:
                self._by_name.clear()
            try:
                found = context_from(self.authority.server_pem((name,), self.now()))
            except ValueError:
                return  # not a name that a certificate can hold: the client gets the usual one
            self._by_name[name] = found
        connection.context = found


def covers(names: tuple[str, ...], name: str) -> bool:
    """Whether a certificate for `names` is good for `name`. A wildcard stands for one label; `*.localhost` for none."""
    return name in names or "*." + name.partition(".")[2] in names


def new_context(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(pem)
    context.set_alpn_protocols(["http/1.1"])
    return context


def context_from(pem: bytes) -> ssl.SSLContext:
    """A context from PEM text; Python's ssl reads files only, so there is one for a moment."""
    descriptor, path = tempfile.mkstemp(prefix="cloudlet-tls-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        return new_context(Path(path))
    finally:
        os.unlink(path)


def write_private(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a file whole, readable by its owner only; a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    os.replace(fresh, path)
