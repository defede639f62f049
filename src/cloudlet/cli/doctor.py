"""The steps of `cloudlet license doctor`, in the order in which a start takes them.

    sources → form → proxy → name → connection → TLS → server → clock → verdict → license on this machine

Each is looked at by itself; what cannot be looked at because an earlier step failed is skipped, not guessed. Nothing here
uses a license up: the control plane is asked `/license/ping`, and `/license/check`, which decides and keeps nothing.
"""

from __future__ import annotations

import shutil
import ssl
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec

from cloudlet.cli.context import Failed
from cloudlet.cli.sources import VARIABLES, ActiveToken
from cloudlet.cli.tables import WIDTH
from cloudlet.emulator.activation.clock import SKEW_SECONDS, moment
from cloudlet.emulator.activation.licensed import Found, Licenses
from cloudlet.emulator.activation.online import make_client, request_of, route_of
from cloudlet.license.client import LicenseClient, LicenseDenied, LicenseUnreachable, read_object, text_of
from cloudlet.license.envelope import EnvelopeRefused
from cloudlet.license.issuer import issuer_of
from cloudlet.license.reasons import Failure, failure
from cloudlet.license.token import clean, mask
from cloudlet.license.transport import Deadline, Exchange, TransportFailed, make_tls_context
from cloudlet.settings import CommandSettings, Settings

STEP_SECONDS = 5.0
TOTAL_SECONDS = 20.0
NAME_WIDTH = 10
WAY = ("Proxy", "Name", "Connection", "TLS", "Server", "Clock")


class Step(msgspec.Struct, frozen=True):
    """`ok` is None for what was not looked at. `fix` is "" when nothing is to be done, `code` then too."""

    name: str
    ok: bool | None
    found: str
    fix: str = ""
    code: str = ""


def good(name: str, found: str) -> Step:
    return Step(name, True, found)


def bad(name: str, why: Failure) -> Step:
    advice = why.advice()
    return Step(name, False, why.text(), str(advice[0]) if advice else "", why.code)


def skipped(name: str, why: str) -> Step:
    return Step(name, None, f"not looked at: {why}")


class Doctor:
    """Examines one machine's way to a license. `active` is the token that `start` would use."""

    def __init__(self, command: CommandSettings, settings: Settings, licenses: Licenses, active: ActiveToken) -> None:
        self.command = command
        self.settings = settings
        self.licenses = licenses
        self.active = active
        self.found: Found | None = None

    def examine(self) -> Iterator[Step]:
        """The steps as they are done."""
        keys = self.look_here()
        token_problem = None
        for step in self.token_steps():
            token_problem = token_problem or (None if step.ok else step)
            yield step
        way_problem: Step | None = None
        for step in self.way_steps():
            way_problem = way_problem or (None if step.ok else step)
            yield step
        verdict = self.verdict_step(token_problem or way_problem)
        yield verdict
        yield keys or self.cache_step(is_allowed=bool(verdict.ok))

    def look_here(self) -> Step | None:
        """The licenses on this machine; a step when the pinned keys are no keys."""
        try:
            self.found = self.licenses.find(self.licenses.trusted())
        except EnvelopeRefused as error:
            return Step("License", False, error.problem, "Correct LICENSE_TRUST_KEYS.", "license.format")
        return None

    @property
    def has_file(self) -> bool:
        return bool(self.found and self.found.usable and self.found.usable.is_file)

    # --- the token

    def token_steps(self) -> Iterator[Step]:
        if self.settings.activate_pro is False:
            fix = "Unset ACTIVATE_PRO to use a license."
            yield Step("Edition", False, "ACTIVATE_PRO=0: no license is looked for", fix, "edition.community")
        if not self.active.value and self.has_file:
            yield good("Sources", "no token; the license file on this machine needs none")
            return
        if not self.active.value:
            yield bad("Sources", failure("credentials.missing", web=self.settings.web_app_url))
            return
        values = {clean(self.command.variables.get(name, "")) for name in VARIABLES} - {""}
        if len(values) > 1:
            yield bad("Sources", failure("credentials.conflict"))
        else:
            yield good("Sources", f"{mask(self.active.value)} from {self.active.source}")
        problem = self.active.problem(self.settings.web_app_url)
        yield bad("Form", problem) if problem else good("Form", "length, characters and checksum are right")

    # --- the way to the control plane

    def way_steps(self) -> Iterator[Step]:
        """Up to the first that fails; the others are skipped."""
        if self.settings.license_offline == "only":
            yield from (skipped(name, "LICENSE_OFFLINE=only") for name in WAY)
            return
        done: list[Step] = []
        for step in self.walk():
            done.append(step)
            yield step
            if step.ok is False and step.name != "Clock":
                break
        names = {step.name for step in done}
        yield from (skipped(name, f"{done[-1].name.lower()} comes first") for name in WAY if name not in names)

    def walk(self) -> Iterator[Step]:
        settings, route = self.settings, route_of(self.settings)
        deadline = Deadline(TOTAL_SECONDS, self.licenses.effects.monotonic)
        exchange = Exchange(settings.api_endpoint, route, deadline, STEP_SECONDS, STEP_SECONDS)
        if exchange.scheme not in {"http", "https"} or not exchange.host:
            url = settings.api_endpoint
            yield bad(
                "Proxy", failure("server.intercepted", s="none", type="API_ENDPOINT is not an http(s) URL", url=url)
            )
            return
        yield good("Proxy", self.proxy_words(exchange))
        via = urlsplit(exchange.proxy) if exchange.proxy else None
        host, port = (via.hostname or "", via.port or 3128) if via else (exchange.host, exchange.port)
        try:
            addresses = sorted({entry[4][0] for entry in exchange.resolve(host, port)})
        except TransportFailed as error:
            yield bad("Name", error.failure)
            return
        words = f"{host} is {', '.join(map(str, addresses[:4]))}"
        yield good("Name", "an address, no name to look up" if addresses == [host] else words)
        try:
            exchange.connect(host, port).close()
        except TransportFailed as error:
            yield bad("Connection", error.failure)
            return
        yield good("Connection", f"{host}:{port} accepts connections")
        yield self.tls_step(exchange)
        yield from self.server_steps()

    def proxy_words(self, exchange: Exchange) -> str:
        if exchange.proxy:
            return f"through {exchange.shown_proxy}"
        configured = self.settings.https_proxy if exchange.scheme == "https" else self.settings.http_proxy
        return "one is set, and NO_PROXY or the loopback address goes around it" if configured else "none"

    def tls_step(self, exchange: Exchange) -> Step:
        """The handshake by itself, and what the certificate says."""
        if exchange.scheme == "http":
            is_near = exchange.host in {"localhost", "::1"} or exchange.host.startswith("127.")
            return good("TLS", "none: http" + ("" if is_near else ", so tokens travel in clear"))
        try:
            tls = make_tls_context(exchange.route, exchange.host)
            connection = exchange.open(tls)
        except TransportFailed as error:
            return bad("Proxy" if error.failure.code == "server.proxy_auth" else "TLS", error.failure)
        try:
            sock = connection.sock
            if not isinstance(sock, ssl.SSLSocket):
                return good("TLS", "none")
            words = f"{sock.version()}, issued by {issuer_of(sock.getpeercert(binary_form=True) or b'') or 'unknown'}"
            if not exchange.route.verify_tls:
                return good("TLS", words + "; not verified: SSL_NO_VERIFY=1")
            ends = str((sock.getpeercert() or {}).get("notAfter", ""))
            return good("TLS", f"{words}, good until {ends}" if ends else words)
        finally:
            exchange.close(connection)

    def server_steps(self) -> Iterator[Step]:
        try:
            data = make_client(self.licenses).ping()
        except LicenseUnreachable as error:
            yield bad("Server", error.failure)
            return
        yield good(
            "Server", f"{self.settings.api_endpoint} answers, signs with key {text_of(data, 'kid') or 'unknown'}"
        )
        skew = clock_skew(str(data.get("time", "")), self.licenses.effects.now())
        words = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the server's" if abs(skew) >= 1 else "right"
        if abs(skew) <= SKEW_SECONDS:
            yield good("Clock", words)
        else:
            yield Step("Clock", False, words, "Set this machine's clock (NTP).", "clock.skew")

    # --- what the control plane would say

    def verdict_step(self, earlier: Step | None) -> Step:
        if not self.active.value:
            return skipped("Verdict", "there is no token")
        if earlier is not None:
            return skipped("Verdict", f"{earlier.name.lower()} comes first")
        if self.licenses.credentials is None:
            return skipped("Verdict", "there is no token that can be sent")
        client = make_client(self.licenses)
        try:
            data = self.ask(client)
        except LicenseDenied as error:
            return bad("Verdict", error.failure)
        except LicenseUnreachable as error:
            if error.failure.code == "server.intercepted":
                return skipped("Verdict", "this server cannot be asked without using a license up")
            return bad("Verdict", error.failure)
        plan, until = text_of(data, "plan"), text_of(data, "expires_at")
        return good("Verdict", f"a start would get plan {plan}, until {until} (asked only, nothing was used up)")

    def ask(self, client: LicenseClient) -> dict[str, Any]:
        """Raises LicenseDenied, LicenseUnreachable."""
        request = request_of(self.licenses, None)
        answer = client.call("POST", client.endpoint + "/license/check", request.body())
        data = read_object(answer.body)
        if answer.status != 200 or data is None or data.get("ok") is not True:
            raise client.refusal(answer, data)
        return data

    # --- what is here already

    def cache_step(self, *, is_allowed: bool) -> Step:
        found = self.found
        assert found is not None
        if found.usable is not None:
            kind = "license file" if found.usable.is_file else "license"
            until = moment(found.usable.claims.ra)
            return good("License", f"{kind} of plan {found.usable.claims.plan} in {found.path}, offline until {until}")
        why = found.clock_problem or found.given_problem
        if why is not None:
            return bad("License", why)
        if found.known is not None or found.problem is not None:
            old = found.problem.text() if found.problem else "the one on this machine is too old"
            if is_allowed:
                return good("License", f"{old.rstrip('.')}; the next start fetches a new one")
            return Step(
                "License",
                False,
                old,
                "cloudlet license activate",
                found.problem.code if found.problem else "license.stale",
            )
        words = "none on this machine yet; the next start fetches one"
        return good("License", words) if is_allowed else skipped("License", "there is none on this machine")


def clock_skew(server: str, now: float) -> float:
    """Seconds that this machine is ahead."""
    try:
        told = datetime.fromisoformat(server)
    except ValueError:
        return 0.0
    return now - (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()


# --- how it is told


def draw(step: Step) -> None:
    """One line a step, wrapped at the window's width, with its fix below."""
    width = min(shutil.get_terminal_size((WIDTH, 24)).columns, 100)
    mark = {
        True: click.style("✔", fg="green"),
        False: click.style("✖", fg="red"),
        None: click.style("–", dim=True),
    }[step.ok]
    indent = " " * (NAME_WIDTH + 3)
    found = step.found.replace(f"{Path.home()}/", "~/")
    for number, line in enumerate(fold(found, width - len(indent))):
        click.echo(f"{mark} {step.name:<{NAME_WIDTH}} {line}" if number == 0 else indent + line)
    for number, line in enumerate(fold(step.fix, width - len(indent) - 2)):
        click.echo(indent + (click.style("→ ", fg="yellow") if number == 0 else "  ") + line)


def fold(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(20, width), break_on_hyphens=False, break_long_words=False)


def outcome(steps: list[Step], exit_code: int) -> Failed | None:
    """None when a start would be activated, else the first thing to put right."""
    wrong = [step for step in steps if step.ok is False]
    if not wrong:
        return None
    first, more = wrong[0], len(wrong) - 1
    others = f" ({more} more)" if more else ""
    actions = (first.fix,) if first.fix else ()
    return Failed(
        f"{first.name}: {first.found}{others}", code=first.code or "failed", actions=actions, exit_code=exit_code
    )
