"""Where a webhook may lead. Whoever may make webhooks must not reach, through us, what only we can reach.

An address is judged twice: its form when it is typed in, and what its name resolves to at each delivery; the connection
then goes to the very address that was judged, so a name that means something else a moment later helps nobody.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from cloudlet.control.errors import InvalidForm
from cloudlet.settings import PlatformSettings

LONGEST_URL = 500
NAT64 = ipaddress.ip_network("64:ff9b::/96")
LOCAL_NAMES = (".localhost", ".local", ".internal", ".localdomain")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]


class AddressRefused(Exception):
    """The delivery does not go out; the message says why."""


def check_url(text: str, settings: PlatformSettings) -> str:
    """The URL, cleaned. Raises InvalidForm with what is wrong."""
    url = text.strip()
    if not url:
        raise InvalidForm("Enter the address that events are sent to.")
    if len(url) > LONGEST_URL or not url.isprintable() or any(char.isspace() for char in url):
        raise InvalidForm(f"An address has {LONGEST_URL} characters at most, and no blanks.")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
        host.encode("idna")
    except ValueError:
        raise InvalidForm("That is no address such as https://example.com/hooks.") from None
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise InvalidForm("That is no address such as https://example.com/hooks.")
    if parts.username is not None or parts.password is not None:
        raise InvalidForm("The address must not hold user and password: the signature tells that it is us.")
    if parts.fragment:
        raise InvalidForm("The part after # is never sent; leave it out.")
    if parts.scheme == "http" and not (settings.webhooks_allow_http or is_loopback_name(host)):
        raise InvalidForm("Use https: over http anybody on the way reads the events (PLATFORM_WEBHOOKS_ALLOW_HTTP).")
    if not settings.webhooks_allow_private and (is_local_name(host) or is_private_literal(host)):
        raise InvalidForm("That address is of a private network (PLATFORM_WEBHOOKS_ALLOW_PRIVATE).")
    return url


def origin(url: str) -> str:
    """What may be written down of an address: path and query may hold the key of its receiver."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" + ("/…" if parts.path.strip("/") or parts.query else "")


def is_loopback_name(host: str) -> bool:
    literal = as_address(host)
    return host == "localhost" or host.endswith(".localhost") or (literal is not None and literal.is_loopback)


def is_local_name(host: str) -> bool:
    return host == "localhost" or host.endswith(LOCAL_NAMES)


def is_private_literal(host: str) -> bool:
    """An address in any spelling that a resolver takes, `127.1` and `0x7f000001` too."""
    literal = as_address(host)
    if literal is None:
        try:
            literal = ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return False
    return not is_public(literal)


def as_address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether the whole internet can reach it; an IPv4 address inside an IPv6 one is judged itself."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as the system finds them. Blocks. Raises AddressRefused."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressRefused(f"the name {host} cannot be resolved") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def choose_address(host: str, port: int, settings: PlatformSettings, look_up: Resolve = resolve) -> str:
    """The address to connect to. Every address of the name must be allowed. Blocks. Raises AddressRefused."""
    return choose_allowed(host, port, lambda found: settings.webhooks_allow_private or is_public(found), look_up)


def choose_allowed(host: str, port: int, is_allowed: Callable[[Address], bool], look_up: Resolve = resolve) -> str:
    """The same for whoever else connects to where people say. Blocks. Raises AddressRefused."""
    found = look_up(host, port)
    for text in found:
        literal = as_address(text)
        if literal is None or literal.is_multicast:
            raise AddressRefused(f"{host} is {text}, which nobody can connect to")
        if not is_allowed(literal):
            raise AddressRefused(f"{host} is {text}, an address of a private network")
    if not found:
        raise AddressRefused(f"the name {host} cannot be resolved")
    return found[0]
