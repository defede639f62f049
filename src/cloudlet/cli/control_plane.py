"""Asking the control plane at API_ENDPOINT: one request, its JSON, and every failure in words with what to do.

The way there (proxies, certificate authorities, NO_PROXY) is the one of the license client.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson

from cloudlet import __version__
from cloudlet.cli.context import Context, Failed
from cloudlet.emulator.activation.online import route_of
from cloudlet.license.client import read_object, text_of
from cloudlet.license.effects import SYSTEM
from cloudlet.license.reasons import failure
from cloudlet.license.transport import Answer, Deadline, Exchange, TransportFailed

TOTAL_SECONDS = 15.0
CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0


class Unreachable(Failed):
    """There is no answer, or not the control plane's."""


class Refused(Failed):
    """The control plane said no. `status` is HTTP's."""

    def __init__(self, message: str, *, status: int, code: str, action: str, retryable: bool = False) -> None:
        super().__init__(message, code=code, actions=(action,) if action else (), retryable=retryable)
        self.status = status


class ControlPlane:
    """`/v1` at API_ENDPOINT, and `/api/v1` beside it."""

    def __init__(self, context: Context) -> None:
        self.endpoint = context.emulator.api_endpoint.rstrip("/")
        self.root = self.endpoint.removesuffix("/v1")
        self._route = route_of(context.emulator)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        bearer: str = "",
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """The JSON object of a 2xx answer ({} for an empty one). Raises Unreachable, Refused."""
        sent = {"Accept": "application/json", "User-Agent": f"cloudlet/{__version__}", **(headers or {})}
        if bearer:
            sent["Authorization"] = f"Bearer {bearer}"
        raw = b"" if body is None else orjson.dumps(body)
        if raw:
            sent["Content-Type"] = "application/json"
        deadline = Deadline(TOTAL_SECONDS, SYSTEM.monotonic)
        exchange = Exchange(self.root + path, self._route, deadline, CONNECT_SECONDS, READ_SECONDS)
        try:
            answer = exchange.send(method, raw, sent)
        except TransportFailed as error:
            why = error.failure
            raise Unreachable(why.text(), code=why.code, actions=why.advice(), retryable=error.retryable) from None
        return self.read(answer)

    def read(self, answer: Answer) -> dict[str, Any]:
        if answer.status == 204:
            return {}
        data = read_object(answer.body)
        if data is not None and 200 <= answer.status < 300:
            return data
        code = text_of(data, "code") or text_of(data, "message") if data else ""
        if not data or not code:
            kind = answer.headers.get("content-type", "no content type").partition(";")[0]
            why = failure("server.intercepted", s=str(answer.status), type=kind, url=self.endpoint, api=self.endpoint)
            raise Unreachable(why.text(), code=why.code, actions=why.advice())
        detail = text_of(data, "detail") or f"The control plane said: {code}"
        raise Refused(
            f"{detail.rstrip('.')}.",
            status=answer.status,
            code=code,
            action=text_of(data, "hint"),
            retryable=answer.status in {429, 502, 503},
        )


def segment(value: str) -> str:
    """A part of a path that somebody typed."""
    return quote(value, safe="")
