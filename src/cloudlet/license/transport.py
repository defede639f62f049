"""One HTTP request within a budget, and on failure the exact step that failed: name, connection, TLS, proxy, answer.

The standard library's client underneath: importing it costs the emulator's start nothing, and each step stays visible.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from cloudlet.hosts import is_loopback
from cloudlet.license.issuer import issuer_of
from cloudlet.license.reasons import Failure, failure

MAX_ANSWER_BYTES = 256 * 1024


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """How to get out: proxies by scheme (`http`, `https`), hosts that go around them, certificate authorities."""

    proxies: dict[str, str] = {}
    no_proxy: tuple[str, ...] = ()
    ca_bundles: tuple[str, ...] = ()
    verify_tls: bool = True

    def proxy_for(self, scheme: str, host: str) -> str:
        """The proxy's URL, "" for none. Loopback addresses never go through a proxy."""
        if is_loopback(host) or any(matches(host, pattern) for pattern in self.no_proxy):
            return ""
        return self.proxies.get(scheme, "")


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class TransportFailed(Exception):
    """No answer; `failure` has a `server.*` reason. `retryable`: the same request may succeed in a moment."""

    def __init__(self, why: Failure, retryable: bool = False) -> None:
        super().__init__(why.text())
        self.failure = why
        self.retryable = retryable


class Deadline:
    """The end of a budget on a monotonic clock."""

    __slots__ = ("_began", "_end", "_monotonic", "seconds")

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self.seconds = seconds
        self._monotonic = monotonic
        self._began = monotonic()
        self._end = self._began + seconds

    def left(self, at_most: float) -> float:
        """Seconds that the next step may take: what is left, `at_most` at most, never quite 0."""
        return max(0.001, min(at_most, self._end - self._monotonic()))

    @property
    def is_over(self) -> bool:
        return self._monotonic() >= self._end

    @property
    def spent(self) -> float:
        return self._monotonic() - self._began


class Guard:
    """Ends a connection when the budget does, in whatever step it is.

    A socket's own time limit begins anew with every byte, so an answer that comes byte by byte would never run into it.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self.twin = sock.dup()
        self.timer = threading.Timer(deadline.left(deadline.seconds), self.end)
        self.timer.daemon = True
        self.timer.start()

    def end(self) -> None:
        with contextlib.suppress(OSError):  # it has ended already
            self.twin.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.timer.cancel()
        self.twin.close()


class Exchange:
    """One request to one URL. `send` raises TransportFailed."""

    def __init__(self, url: str, route: Route, deadline: Deadline, connect_seconds: float, read_seconds: float) -> None:
        parts = urllib.parse.urlsplit(url)
        self.url = url
        self.scheme = parts.scheme
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        self.route = route
        self.deadline = deadline
        self.connect_seconds = connect_seconds
        self.read_seconds = read_seconds
        self.proxy = route.proxy_for(self.scheme, self.host)
        self.guard: Guard | None = None

    def send(self, method: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if self.scheme not in {"http", "https"} or not self.host:
            why = failure("server.intercepted", s="none", type="API_ENDPOINT is not an http(s) URL", url=self.url)
            raise TransportFailed(why)
        connection = self.open(make_tls_context(self.route, self.host) if self.scheme == "https" else None)
        try:
            target = self.url if self.proxy and self.scheme == "http" else self.path
            connection.request(method, target, body or None, {"Connection": "close", **self.proxy_login(), **headers})
            return self.read(connection)
        except TimeoutError as error:
            raise self.timed_out() from error
        except (OSError, http.client.HTTPException) as error:
            raise self.broken(error) from error
        finally:
            self.close(connection)

    def open(self, tls: ssl.SSLContext | None) -> http.client.HTTPConnection:
        """A connection that is ready for the request: through the proxy, with TLS where the URL asks for it."""
        via = urllib.parse.urlsplit(self.proxy) if self.proxy else None
        host = (via.hostname or "") if via else self.host
        port = (via.port or 3128) if via else self.port
        connection = http.client.HTTPConnection(self.host, self.port)
        connection.sock = self.connect(host, port)
        self.guard = Guard(connection.sock, self.deadline)
        try:
            if tls is not None:
                if via:
                    self.tunnel(connection)
                connection.sock = self.wrap(connection.sock, tls)
        except BaseException:
            self.close(connection)
            raise
        return connection

    def close(self, connection: http.client.HTTPConnection) -> None:
        if self.guard is not None:
            self.guard.close()
        connection.close()

    def connect(self, host: str, port: int) -> socket.socket:
        """The first address that accepts, each tried within what is left of the connect time."""
        last: OSError | None = None
        for family, kind, protocol, _, address in self.resolve(host, port):
            candidate = socket.socket(family, kind, protocol)
            candidate.settimeout(self.deadline.left(self.connect_seconds))
            try:
                candidate.connect(address)
            except OSError as error:
                candidate.close()
                last = error
                continue
            candidate.settimeout(self.deadline.left(self.read_seconds))
            return candidate
        if isinstance(last, TimeoutError):
            raise self.timed_out(host, port) from last
        if last is None or isinstance(last, ConnectionRefusedError):
            raise TransportFailed(self.place("server.connect", host, port), retryable=True) from last
        did = f"cannot be reached ({(last.strerror or 'no reason given').lower()})"
        raise TransportFailed(self.manner(did, host, port), retryable=True) from last

    def resolve(self, host: str, port: int) -> list[tuple[Any, ...]]:
        """getaddrinfo knows no time limit, so it runs in a thread that is left behind when it takes too long."""
        try:
            ipaddress.ip_address(host)
            return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except ValueError:
            pass
        found: list[tuple[Any, ...]] = []
        problems: list[OSError | UnicodeError] = []

        def look_up() -> None:
            try:
                found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as error:
                problems.append(error)

        thread = threading.Thread(target=look_up, name="resolve", daemon=True)
        thread.start()
        thread.join(self.deadline.left(self.connect_seconds))
        if found:
            return found
        again = bool(problems) and isinstance(problems[0], socket.gaierror) and problems[0].errno == socket.EAI_AGAIN
        raise TransportFailed(failure("server.dns", host=host, api=self.url), retryable=again)

    def tunnel(self, connection: http.client.HTTPConnection) -> None:
        """CONNECT through the proxy."""
        lines = [f"CONNECT {self.host}:{self.port} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in self.proxy_login(tunnel=True).items()]
        try:
            connection.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            answer = http.client.HTTPResponse(connection.sock, method="CONNECT")
            answer.begin()
        except TimeoutError as error:
            raise self.timed_out() from error
        except (OSError, http.client.HTTPException) as error:
            raise self.broken(error) from error
        if answer.status == 407:
            raise TransportFailed(failure("server.proxy_auth", p=self.shown_proxy, host=self.host))
        if answer.status != 200:
            why = self.place("server.intercepted", s=str(answer.status), type="the proxy's refusal", url=self.url)
            raise TransportFailed(why)

    def proxy_login(self, tunnel: bool = False) -> dict[str, str]:
        via = urllib.parse.urlsplit(self.proxy)
        if not via.username or (self.scheme == "https" and not tunnel):
            return {}
        login = f"{urllib.parse.unquote(via.username)}:{urllib.parse.unquote(via.password or '')}"
        return {"Proxy-Authorization": "Basic " + base64.b64encode(login.encode()).decode()}

    def wrap(self, sock: socket.socket, tls: ssl.SSLContext) -> socket.socket:
        """TLS. Raises TransportFailed with what is wrong about the certificate."""
        try:
            return tls.wrap_socket(sock, server_hostname=self.host)
        except ssl.SSLCertVerificationError as error:
            problem = error.verify_message.rstrip(".")
        except TimeoutError as error:
            raise self.timed_out() from error
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise self.broken(error) from error
        except ssl.SSLError as error:
            spoken = (error.reason or str(error)).replace("_", " ").lower()
            raise TransportFailed(failure("server.tls", host=self.host, port=str(self.port), spoken=spoken)) from error
        except OSError as error:
            raise self.broken(error) from error
        raise TransportFailed(failure("server.tls", host=self.host, problem=problem, issuer=self.issuer()))

    def issuer(self) -> str:
        """Who signed the certificate that is not trusted; "" when that cannot be found out. Nothing is sent to it."""
        again = Exchange(self.url, self.route, self.deadline, self.connect_seconds, self.read_seconds)
        try:
            connection = again.open(make_tls_context(self.route, self.host, verify=False))
        except TransportFailed:
            return ""
        try:
            sock = connection.sock
            certificate = sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None
            return issuer_of(certificate) if certificate else ""
        finally:
            again.close(connection)

    def read(self, connection: http.client.HTTPConnection) -> Answer:
        """The whole answer, within the budget even when it comes byte by byte."""
        sock = connection.sock
        sock.settimeout(self.deadline.left(self.read_seconds))
        answer = connection.getresponse()
        pieces: list[bytes] = []
        size = 0
        while True:
            piece = answer.read1(65536)
            if self.deadline.is_over:
                raise self.timed_out()
            if not piece:
                break
            pieces.append(piece)
            size += len(piece)
            if size > MAX_ANSWER_BYTES:
                why = self.place("server.intercepted", s=str(answer.status), type="an endless answer", url=self.url)
                raise TransportFailed(why)
            if answer.isclosed():
                break
            sock.settimeout(self.deadline.left(self.read_seconds))
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, headers, b"".join(pieces))

    @property
    def shown_proxy(self) -> str:
        via = urllib.parse.urlsplit(self.proxy)
        return f"{via.hostname}:{via.port or 3128}" if self.proxy else "none"

    def place(self, code: str, host: str = "", port: int = 0, **values: str) -> Failure:
        where = {"host": host or self.host, "port": str(port or self.port)}
        return failure(code, **{**where, "proxies": self.shown_proxy, "api": self.url, **values})

    def manner(self, did: str, host: str = "", port: int = 0) -> Failure:
        """`server.connect` in another way than a refusal."""
        where = f"{host or self.host}:{port or self.port}"
        return failure("server.connect", place=where, did=did, proxies=self.shown_proxy, api=self.url)

    def timed_out(self, host: str = "", port: int = 0) -> TransportFailed:
        seconds = f"{self.deadline.spent:.1f}".removesuffix(".0")
        return TransportFailed(self.place("server.timeout", host, port, s=seconds), retryable=True)

    def broken(self, error: Exception) -> TransportFailed:
        """The connection ended before a whole answer, or what came was not HTTP."""
        if self.deadline.is_over:
            return self.timed_out()
        if isinstance(error, http.client.HTTPException) and not isinstance(error, http.client.RemoteDisconnected):
            why = self.place("server.intercepted", s="none", type="not HTTP", url=self.url)
            return TransportFailed(why, retryable=isinstance(error, http.client.IncompleteRead))
        return TransportFailed(self.manner("closed the connection without an answer"), retryable=True)


def make_tls_context(route: Route, host: str, *, verify: bool = True) -> ssl.SSLContext:
    """Raises TransportFailed for a bundle of authorities that cannot be used."""
    context = ssl.create_default_context()
    for bundle in route.ca_bundles:
        try:
            is_folder = Path(bundle).is_dir()
            context.load_verify_locations(None if is_folder else bundle, bundle if is_folder else None)
        except OSError as error:
            problem = getattr(error, "reason", None) or error.strerror or str(error)
            raise TransportFailed(
                failure("server.tls", host=host, bundle=bundle, unread=problem.replace("_", " ").lower())
            ) from error
    if not (verify and route.verify_tls):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def matches(host: str, pattern: str) -> bool:
    """`NO_PROXY`'s rule: a name covers itself and its subdomains, `*` covers all, an address or network its members."""
    pattern = pattern.strip().lower().lstrip(".")
    if pattern == "*" or host.lower() == pattern or host.lower().endswith("." + pattern):
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return False
