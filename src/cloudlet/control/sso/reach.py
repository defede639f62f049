"""Requests to identity providers. Whoever sets one up must not reach, through us, what only we can reach.

As with webhooks (`webhooks.addresses`) a name is resolved once and the connection goes to the very address that was judged.
https alone, but for addresses that only private networks have, where the settings allow those at all.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudlet import __version__
from cloudlet.control.lazy import LazyModule
from cloudlet.control.platform import Platform
from cloudlet.control.webhooks.addresses import Address, AddressRefused, choose_allowed, is_public, resolve
from cloudlet.control.webhooks.sending import connect_problem, make_tls
from cloudlet.settings import PlatformSettings

if TYPE_CHECKING:
    import httpx
else:
    httpx = LazyModule("httpx")  # 20 MB

SHARED = ipaddress.ip_network("100.64.0.0/10")  # of carriers, and of networks laid over others
METADATA = ipaddress.ip_address("fd00:ec2::254")  # the others are link-local
LIMIT_SECONDS = 10.0
PATIENCE_SECONDS = 2.0
LARGEST_ANSWER = 512 * 1024


class Unreachable(Exception):
    """No answer of use; the message says why, and goes on where "the provider: " begins."""


class Answer:
    """`body` is the JSON object of the answer, {} where it is none."""

    __slots__ = ("body", "status")

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status = status
        self.body = body


def is_allowed(address: Address, settings: PlatformSettings) -> bool:
    """A public address; this machine's own from a control plane of this machine alone; private ones by setting.

    Never those where clouds keep the credentials of their machines.
    """
    if is_public(address):
        return True
    plain = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped else address
    if plain.is_loopback:
        return settings.sso_allow_private or settings.is_local
    is_inside = (plain.is_private or plain in SHARED) and not plain.is_link_local and not plain.is_unspecified
    return settings.sso_allow_private and is_inside and plain != METADATA


def ask(
    platform: Platform, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: str | None = None
) -> Answer:
    """One request, ten seconds at most, no redirects. Blocks. Raises Unreachable."""
    if not platform.waiting.acquire(timeout=PATIENCE_SECONDS):
        raise Unreachable("too many requests wait for identity providers that are slow; try again in a moment")
    try:
        return exchange(platform.settings, method, httpx.URL(url), headers or {}, body)
    except AddressRefused as problem:
        hint = " (PLATFORM_SSO_ALLOW_PRIVATE)" if "private" in str(problem) else ""
        raise Unreachable(f"{problem}{hint}") from None
    except (TimeoutError, httpx.TimeoutException):
        raise Unreachable(f"no answer within {LIMIT_SECONDS:g} seconds") from None
    except httpx.ConnectError as problem:
        raise Unreachable(connect_problem(problem)) from None
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as problem:
        raise Unreachable(f"the connection failed ({type(problem).__name__})") from None
    finally:
        platform.waiting.release()


def exchange(
    settings: PlatformSettings, method: str, url: httpx.URL, headers: Mapping[str, str], body: str | None
) -> Answer:
    is_secure = url.scheme == "https"
    host = url.raw_host.decode("ascii")  # `host` would decode xn--…, and raise for what is none
    if url.scheme not in {"http", "https"} or not host:
        raise Unreachable(f"{url} is no address that begins with https://")
    port = url.port or (443 if is_secure else 80)
    address = choose_allowed(host, port, lambda found: is_allowed(found, settings), resolve)
    if not is_secure and is_public(ipaddress.ip_address(address)):
        raise Unreachable("over http anybody on the way could sign in as anybody; it must be https")
    shown = {
        "Host": url.netloc.decode("ascii"),
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"Cloudlet-SSO/{__version__}",
        **headers,
    }
    tls: ssl.SSLContext | bool = make_tls() if is_secure else False
    request = httpx.Request(
        method, url.copy_with(host=address), content=body, headers=shown, extensions={"sni_hostname": host}
    )
    return asyncio.run(send(request, tls))


async def send(request: httpx.Request, tls: ssl.SSLContext | bool) -> Answer:
    """Within LIMIT_SECONDS for all of it: httpx's own limit begins anew with each byte that comes."""
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        httpx.AsyncClient(verify=tls, timeout=LIMIT_SECONDS, follow_redirects=False, trust_env=False) as client,
    ):
        answer = await client.send(request, stream=True)
        try:
            if answer.is_redirect:
                raise Unreachable(f"it answered {answer.status_code}, a redirect; those are not followed")
            content = b""
            async for piece in answer.aiter_raw():  # as it comes: what is packed could unpack to any size
                content += piece
                if len(content) > LARGEST_ANSWER:
                    raise Unreachable("its answer is too long")
            return Answer(answer.status_code, json_object(content))
        finally:
            await answer.aclose()


def json_object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
