"""HTTP requests to the outside world: the one way out, used by jobs only (`JobHandler(…, delivers=True)`).

Loaded when the first job needs it: the HTTP client is heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import httpx

from cloudlet.emulator.effects.jobs import Refused

LARGEST_ANSWER = 1024 * 1024


class DeliveryFailed(Refused):
    """No answer came: the address does not exist, refuses, is too slow, or is no HTTP server. The message says which."""


class HttpDelivery(Protocol):
    """Sends one request."""

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", timeout_seconds: float = 15.0
    ) -> int:
        """The status of the answer, whatever it is; redirects are not followed. Raises DeliveryFailed."""
        ...

    async def fetch(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", timeout_seconds: float = 15.0
    ) -> tuple[int, bytes]:
        """Status and body of the answer, of which no more than `LARGEST_ANSWER` is read. Raises DeliveryFailed."""
        ...

    async def close(self) -> None: ...


class HttpxDelivery:
    """Real requests. Connections are kept for the next one to the same host; proxies are taken from the environment."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(follow_redirects=False)

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", timeout_seconds: float = 15.0
    ) -> int:
        try:
            async with self._client.stream(
                method, url, headers=dict(headers), content=body, timeout=timeout_seconds
            ) as response:
                return response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DeliveryFailed(f"{method} {url}: {error or type(error).__name__}") from error

    async def fetch(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", timeout_seconds: float = 15.0
    ) -> tuple[int, bytes]:
        try:
            async with self._client.stream(
                method, url, headers=dict(headers), content=body, timeout=timeout_seconds
            ) as response:
                read = b""
                async for piece in response.aiter_bytes():
                    read += piece
                    if len(read) > LARGEST_ANSWER:
                        raise DeliveryFailed(f"{method} {url}: an answer of more than {LARGEST_ANSWER} bytes")
                return response.status_code, read
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DeliveryFailed(f"{method} {url}: {error or type(error).__name__}") from error

    async def close(self) -> None:
        await self._client.aclose()


class RecordedDelivery:
    """For tests: remembers what was sent and answers what it is told to, in turn; the last answer stays."""

    def __init__(self, *answers: int | DeliveryFailed) -> None:
        self.sent: list[tuple[str, str, dict[str, str], bytes]] = []
        self._answers = list(answers) or [200]

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", timeout_seconds: float = 15.0
    ) -> int:
        self.sent.append((method, url, dict(headers), body))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, DeliveryFailed):
            raise answer
        return answer

    async def fetch(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", timeout_seconds: float = 15.0
    ) -> tuple[int, bytes]:
        return await self.send(method, url, headers, body, timeout_seconds), b""

    async def close(self) -> None:
        return None
