"""The license server's HTTP client: ask for a license, within one total budget, and know exactly why there is none.

An answer is a verdict only when it is the server's own: status 400, 401, 403 or 404 with `"error": true` and a
`licensing.` code. Everything else (a proxy's page, 429, 5xx, no answer) is a network failure: it says nothing about
the license, so offline activation may follow it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from email.utils import formatdate, parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cloudlet.license.effects import Effects
from cloudlet.license.reasons import Failure, failure
from cloudlet.license.token import mask_text
from cloudlet.license.transport import Answer, Deadline, Exchange, Route, TransportFailed
from cloudlet.license.verdicts import VERDICT_STATUSES, reason_of

TRIES = 3
PAUSE_SECONDS = 0.25
DOCUMENT_KEYS = frozenset({"id", "license_format", "signature", "products", "offline_data"})


class LicenseUnreachable(Exception):
    """No verdict: the network, a proxy or a fault of the server. `failure` has a `server.*` reason."""

    def __init__(self, why: Failure) -> None:
        super().__init__(why.text())
        self.failure = why


class LicenseDenied(Exception):
    """The server's definitive no."""

    def __init__(self, why: Failure) -> None:
        super().__init__(why.text())
        self.failure = why


class Budget(msgspec.Struct, frozen=True):
    """Seconds: for everything together, for one connection, for one wait for the answer."""

    total_seconds: float = 8.0
    connect_seconds: float = 3.0
    read_seconds: float = 5.0


class LicenseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a license is asked for with. `credential_type`: `licensing-auth-token` or `licensing-api-key`."""

    token: str
    credential_type: str
    version: str
    machine_id: str
    system: str
    hostname: str = ""
    product: str = "cloudlet"
    is_ci: bool = False
    is_cli: bool = False
    ci_project: str = ""
    ci_run: str = ""  # the CI run's name: all starts of one run cost one credit
    license_id: str = ""

    def body(self) -> bytes:
        data: dict[str, Any] = {
            "credentials": {"type": self.credential_type, "token": self.token},
            "product": {"name": self.product, "version": self.version},
            "machine": {"id": self.machine_id, "system": self.system, "ci": self.is_ci, "cli": self.is_cli},
        }
        if self.hostname:
            data["machine"]["hostname"] = self.hostname
        if self.ci_project:
            data["machine"]["ci_project"] = self.ci_project
        if self.ci_run:
            data["machine"]["ci_run"] = self.ci_run
        if self.license_id:
            data["license_id"] = self.license_id
        return json.dumps(data).encode()


class LicenseAnswer(msgspec.Struct, frozen=True):
    """A license document as it came (unverified), and the server's time (0 when it did not say)."""

    raw: bytes
    server_time: float
    request_id: str


class LicenseClient:
    """Talks to one control plane. `endpoint` is API_ENDPOINT and ends in `/v1`; `web` is for texts.

    `on_trouble` hears of each try that failed, before the next one.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        effects: Effects,
        route: Route | None = None,
        budget: Budget | None = None,
        web: str = "",
        agent: str = "cloudlet",
        on_trouble: Callable[[Failure], None] | None = None,
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.effects = effects
        self.route = route or Route()
        self.budget = budget or Budget()
        self.web = web
        self.agent = agent
        self.on_trouble = on_trouble
        self.deadline = Deadline(self.budget.total_seconds, effects.monotonic)

    def fetch_license(self, request: LicenseRequest) -> LicenseAnswer:
        """`/license/activate` when the license's id is known, else `/license/request`.

        Raises LicenseDenied and LicenseUnreachable.
        """
        path = "/license/activate" if request.license_id else "/license/request"
        answer = self.call("POST", self.endpoint + path, request.body())
        data = read_object(answer.body)
        if answer.status not in {200, 201} or data is None or not data.keys() >= DOCUMENT_KEYS:
            raise self.refusal(answer, data)
        return LicenseAnswer(answer.body, server_time(answer), answer.headers.get("x-request-id", ""))

    def fetch_keys(self) -> bytes:
        """The JSON of `/.well-known/license-keys.json`, beside `/v1`. Raises LicenseUnreachable."""
        answer = self.call("GET", self.endpoint.removesuffix("/v1") + "/.well-known/license-keys.json", b"")
        data = read_object(answer.body)
        if answer.status != 200 or data is None or "keys" not in data:
            raise LicenseUnreachable(self.not_ours(answer))
        return answer.body

    def ping(self) -> dict[str, Any]:
        """`{"ok": true, "time": …, "kid": …}`. Raises LicenseUnreachable."""
        answer = self.call("GET", self.endpoint + "/license/ping", b"")
        data = read_object(answer.body)
        if answer.status != 200 or data is None or data.get("ok") is not True:
            raise LicenseUnreachable(self.not_ours(answer))
        return data

    def call(self, method: str, url: str, body: bytes) -> Answer:
        """One answer that is not a passing fault, in at most three tries and within the budget."""
        headers = {
            "Accept": "application/json",
            "User-Agent": self.agent,
            "Date": formatdate(self.effects.now(), usegmt=True),
        }
        if body:
            headers["Content-Type"] = "application/json"
        for attempt in range(1, TRIES + 1):
            exchange = Exchange(url, self.route, self.deadline, self.budget.connect_seconds, self.budget.read_seconds)
            pause = PAUSE_SECONDS * attempt * (0.5 + self.effects.random_bytes(1)[0] / 255)
            try:
                answer = exchange.send(method, body, headers)
            except TransportFailed as error:
                why, retryable = self.shown(error.failure), error.retryable
            else:
                passing = self.passing_fault(answer)
                if passing is None:
                    return answer
                why, retryable = passing, True
                pause = self.retry_after(answer) or pause
            if self.on_trouble is not None:
                self.on_trouble(why)
            if not retryable or attempt == TRIES or self.deadline.is_over or pause >= self.deadline.left(60):
                raise LicenseUnreachable(why)
            self.effects.sleep(pause)
        raise AssertionError("unreachable")

    def passing_fault(self, answer: Answer) -> Failure | None:
        """429, 5xx and a proxy's 407: nothing about the license."""
        request_id = answer.headers.get("x-request-id", "")
        if answer.status == 407:
            raise LicenseUnreachable(failure("server.proxy_auth", p=self.shown_proxy(), host=self.host))
        if answer.status == 429:
            wait = self.retry_after(answer)
            return failure("server.rate_limited", n=f"{wait:.0f}" if wait else "", request_id=request_id)
        if answer.status >= 500:
            return failure("server.error", s=str(answer.status), request_id=request_id)
        return None

    def refusal(self, answer: Answer, data: dict[str, Any] | None) -> LicenseDenied | LicenseUnreachable:
        """A verdict where the answer is one, else "something other than the license server answered"."""
        message = data.get("message") if data else None
        is_verdict = (
            data is not None
            and answer.status in VERDICT_STATUSES
            and data.get("error") is True
            and isinstance(message, str)
            and message.startswith("licensing.")
        )
        if not is_verdict or data is None:
            return LicenseUnreachable(self.not_ours(answer))
        why = failure(
            reason_of(str(message), text_of(data, "code")),
            detail=text_of(data, "detail") or f"The license server said: {message}",
            hint=text_of(data, "hint"),
            request_id=text_of(data, "request_id") or answer.headers.get("x-request-id", ""),
            web=self.web,
        )
        return LicenseDenied(why)

    @property
    def host(self) -> str:
        return urlsplit(self.endpoint).hostname or "?"

    def shown_proxy(self) -> str:
        """Host and port of the proxy on the way, without a login; where none was set, one stands in the way unasked."""
        via = urlsplit(self.route.proxy_for(urlsplit(self.endpoint).scheme, self.host))
        return f"{via.hostname}:{via.port or 3128}" if via.hostname else f"on the way to {self.host}"

    def retry_after(self, answer: Answer) -> float | None:
        """Seconds that the server asks to wait; it may name a date instead."""
        value = answer.headers.get("retry-after", "")
        if value.isdecimal():
            return float(value)
        date = to_time(value)
        return max(1.0, date - (server_time(answer) or self.effects.now())) if date else None

    def not_ours(self, answer: Answer) -> Failure:
        kind = answer.headers.get("content-type", "no content type").partition(";")[0]
        return failure("server.intercepted", s=str(answer.status), type=kind, url=self.endpoint, api=self.endpoint)

    def shown(self, why: Failure) -> Failure:
        """Texts name the API address that the user can set, not the URL of one call."""
        return msgspec.structs.replace(why, values={**why.values, "api": self.endpoint})


def read_object(raw: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def text_of(data: Mapping[str, Any], name: str) -> str:
    """A text of a server's answer, for a terminal and a file: one line, no control characters, no token, not endless."""
    value = data.get(name)
    return mask_text("".join(char for char in value if char.isprintable()))[:600] if isinstance(value, str) else ""


def server_time(answer: Answer) -> float:
    return to_time(answer.headers.get("date", ""))


def to_time(header: str) -> float:
    """An HTTP date in seconds since the epoch; 0 when it is none."""
    try:
        return parsedate_to_datetime(header).timestamp()
    except ValueError:
        return 0.0
