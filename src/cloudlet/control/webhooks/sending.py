"""One attempt over the network: one POST to an address that was judged, ten seconds at most, no redirects."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from anyio.to_thread import run_sync

from cloudlet import __version__
from cloudlet.control.lazy import LazyModule
from cloudlet.control.platform import Platform
from cloudlet.control.webhooks.addresses import AddressRefused, choose_address
from cloudlet.control.webhooks.signature import HEADER

if TYPE_CHECKING:
    import httpx
else:
    httpx = LazyModule("httpx")  # 20 MB

LIMIT_SECONDS = 10.0


class Parcel(msgspec.Struct, frozen=True):
    """What is sent. Holds the event: never log it."""

    url: str
    body: bytes
    signature: str
    event: str
    delivery_id: str


class Answer(msgspec.Struct, frozen=True):
    """`status` is HTTP's, None when there was no answer; `error` says what is wrong, "" when all is well."""

    status: int | None
    error: str
    milliseconds: int

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def make_tls() -> ssl.SSLContext:
    """What every certificate is checked with: public authorities and those of this system. Takes a while to make."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


async def send(parcel: Parcel, platform: Platform, tls: ssl.SSLContext) -> Answer:
    """Never raises for what a receiver or the network does. The answer's body is not read: nobody is shown it."""
    began = platform.effects.monotonic()
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            status = await post(parcel, platform, tls)
        error = "" if 200 <= status < 300 else refusal(status)
    except (TimeoutError, httpx.TimeoutException):
        status, error = None, f"no answer within {LIMIT_SECONDS:g} seconds"
    except AddressRefused as problem:
        status, error = None, str(problem)
    except httpx.ConnectError as problem:
        status, error = None, connect_problem(problem)
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as problem:
        status, error = None, f"the connection failed ({type(problem).__name__})"
    return Answer(status, error, round((platform.effects.monotonic() - began) * 1000))


async def post(parcel: Parcel, platform: Platform, tls: ssl.SSLContext) -> int:
    """The answer's status. The connection goes to the address that was judged; name and certificate are the URL's.

    A client for each: two names at one address must not share a connection, whose certificate was the first one's.
    """
    url = httpx.URL(parcel.url)
    port = url.port or (443 if url.scheme == "https" else 80)
    host = url.raw_host.decode("ascii")
    address = await run_sync(choose_address, host, port, platform.settings, abandon_on_cancel=True)
    async with httpx.AsyncClient(verify=tls, timeout=LIMIT_SECONDS, follow_redirects=False, trust_env=False) as client:
        request = client.build_request(
            "POST",
            url.copy_with(host=address),
            content=parcel.body,
            headers=headers_of(parcel, url),
            extensions={"sni_hostname": host},
        )
        answer = await client.send(request, stream=True)
        await answer.aclose()
        return answer.status_code


def headers_of(parcel: Parcel, url: httpx.URL) -> Mapping[str, str]:
    return {
        "Host": url.netloc.decode("ascii"),
        "Content-Type": "application/json",
        "User-Agent": f"Cloudlet-Webhooks/{__version__}",
        "Cloudlet-Event": parcel.event,
        "Cloudlet-Delivery": parcel.delivery_id,
        HEADER: parcel.signature,
    }


def refusal(status: int) -> str:
    if 300 <= status < 400:
        return f"it answered {status}, a redirect; those are not followed"
    return f"it answered {status}"


def connect_problem(problem: httpx.ConnectError) -> str:
    text = str(problem)
    if "CERTIFICATE" in text.upper():
        return "its TLS certificate is not trusted"
    if "SSL" in text.upper():
        return "it does not speak TLS"
    return "it refused the connection"
