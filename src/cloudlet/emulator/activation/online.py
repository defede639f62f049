"""Activation by asking the control plane: verify what it sends, remember it.

A verdict is final. Starts at the same time ask once: the first holds the lock, the others find its license in the
cache, or learn why there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from cloudlet import __version__
from cloudlet.emulator.activation.block import failed, refuse
from cloudlet.emulator.activation.check import Outcome, success_line
from cloudlet.emulator.activation.clock import SKEW_SECONDS
from cloudlet.emulator.activation.licensed import Found, Licenses
from cloudlet.emulator.activation.lock import exclusive
from cloudlet.emulator.activation.state import ActivationState
from cloudlet.license.client import (
    Budget,
    LicenseAnswer,
    LicenseClient,
    LicenseDenied,
    LicenseRequest,
    LicenseUnreachable,
)
from cloudlet.license.envelope import EnvelopeRefused, TrustStore, UnknownKey
from cloudlet.license.reasons import Failure, failure
from cloudlet.license.transport import Route
from cloudlet.license.verify import LicenseRefused, VerifiedLicense, verify_license
from cloudlet.settings import Settings

LOCK = ".license.lock"


class Attempt:
    """One way to a license within one budget. `warnings` collects what went wrong without hindering it."""

    def __init__(self, licenses: Licenses, on_trouble: Callable[[Failure], None] | None = None) -> None:
        settings = licenses.settings
        self.licenses = licenses
        self.settings = settings
        self.effects = licenses.effects
        self.cache = licenses.cache
        self.began = self.effects.monotonic()
        self.began_at = self.effects.now()
        self.warnings: list[str] = []
        self.client = make_client(licenses, on_trouble)

    @property
    def spent(self) -> float:
        return self.effects.monotonic() - self.began

    def fetch(self, trust: TrustStore, known: VerifiedLicense | None) -> VerifiedLicense:
        """A fresh license, kept. Raises LicenseDenied, LicenseUnreachable, LicenseRefused."""
        answer = self.client.fetch_license(request_of(self.licenses, known))
        here = self.licenses.circumstances(self.settings.api_endpoint, from_server=True, now=self.true_time(answer))
        kept = []
        try:
            fresh = verify_license(answer.raw, trust, here)
        except UnknownKey as error:
            trust = self.learn_keys(trust, error)
            fresh = verify_license(answer.raw, trust, here)
            kept.append(self.cache.write(self.cache.trust_path, trust.render()))
        kept.append(self.cache.write(self.cache.license_path, answer.raw))
        kept.append(self.licenses.clock.set(answer.server_time or fresh.claims.iat, self.effects.now()))
        problems = [problem for problem in kept if problem]
        if problems:  # one is enough to know
            self.warnings.append(f"The license cannot be kept, offline starts will not work: {problems[0]}")
        return fresh

    def ask(self, trust: TrustStore, known: VerifiedLicense | None) -> Outcome:
        """`fetch`, with what may come of it as a value. A verdict takes the kept license with it."""
        try:
            fresh = self.fetch(trust, known)
        except LicenseDenied as error:
            self.cache.remove(self.cache.license_path)
            if known is not None:
                self.licenses.loops.deny(error.failure, known, self.effects.now())
            return Outcome(problem=error.failure, is_verdict=True, spent_seconds=self.spent)
        except (LicenseRefused, LicenseUnreachable) as error:
            return Outcome(problem=error.failure, spent_seconds=self.spent)
        self.licenses.loops.forget()
        state = msgspec.structs.replace(
            self.licenses.state(fresh, "active_online", self.settings.api_endpoint),
            spent_seconds=round(self.spent, 3),
            proxy=shown_proxy(self.settings, self.client.route),
        )
        return Outcome(state=state, warnings=tuple(self.warnings), spent_seconds=self.spent)

    def true_time(self, answer: LicenseAnswer) -> float:
        """The control plane's time where this machine's clock is wrong."""
        now = self.effects.now()
        skew = now - answer.server_time
        if not answer.server_time or abs(skew) <= SKEW_SECONDS:
            return now
        direction = "ahead of" if skew > 0 else "behind"
        self.warnings.append(f"This machine's clock is {abs(skew) / 60:.0f} min {direction} the license server's.")
        return answer.server_time

    def learn_keys(self, trust: TrustStore, unknown: UnknownKey) -> TrustStore:
        """The server's keys, trusted on first use; a pinned set never grows. Raises LicenseRefused.

        A new key is taken over from a server that still shows a key which is trusted already; keys that it does not
        show any more are retired.
        """
        where = {"server": self.settings.api_endpoint, "kid": unknown.kid, "trust": str(self.cache.trust_path)}
        if self.settings.license_trust_keys:
            raise LicenseRefused(failure("license.signature", **where)) from unknown
        try:
            published = TrustStore.parse(self.client.fetch_keys())
        except EnvelopeRefused as error:
            raise LicenseRefused(failure("license.signature", **where)) from error
        continues = not trust.keys or bool(published.keys.keys() & trust.keys.keys())
        if unknown.kid not in published.keys or not continues:
            raise LicenseRefused(failure("license.signature", **where)) from unknown
        return published


def activate_online(licenses: Licenses, trust: TrustStore, found: Found, say: Callable[[str], None]) -> ActivationState:
    """An active state. Raises ActivationFailed."""
    outcome = fetch_first(licenses, trust, found)
    if outcome.problem is not None and outcome.is_learned:
        raise refuse(outcome.problem, licenses.settings, spent=outcome.spent_seconds)
    if outcome.problem is not None:
        raise failed(licenses, outcome.problem, outcome.spent_seconds)
    state = outcome.state
    assert state is not None
    licenses.loops.forget()
    for line in outcome.warnings if licenses.settings.log_license_issues else ():
        say(line)
    say(success_line(state, is_new=found.known is None))
    return state


def fetch_first(licenses: Licenses, trust: TrustStore, found: Found) -> Outcome:
    """For a start that has no fresh license. Of starts at the same time one asks, in the name of all."""
    attempt = Attempt(licenses)
    with exclusive(licenses.cache.folder / LOCK, attempt.client.deadline.left(60), licenses.effects) as lock:
        learned = licenses.loops.told_since(attempt.began_at) if lock.has_waited else None
        if learned is not None:
            return Outcome(problem=learned, is_learned=True, spent_seconds=attempt.spent)
        again = licenses.find(licenses.trusted())  # another start may have fetched one while this one waited
        if again.usable is not None and licenses.settings.license_offline != "never":
            return Outcome(state=licenses.state_here(again.usable, again.path))
        if not lock.is_mine:
            return Outcome(problem=busy(licenses.settings), spent_seconds=attempt.spent)
        outcome = attempt.ask(trust, found.known)
        if outcome.problem is None:
            unused = (f"LICENSE_FILE is not used: {found.given_problem.text()}",) if found.given_problem else ()
            return msgspec.structs.replace(outcome, warnings=(*unused, *outcome.warnings))
        problem = outcome.problem
        if not problem.reason.is_final:
            problem = without_server(licenses, found, problem)
        licenses.loops.note(problem, licenses.effects.now())
        return msgspec.structs.replace(outcome, problem=problem)


def ask(
    licenses: Licenses,
    current: ActivationState,
    on_trouble: Callable[[Failure], None] | None = None,
    *,
    is_start: bool = False,
) -> Outcome:
    """Does the license of an emulator that starts or runs still hold? Within the budget.

    `on_trouble` hears of each try that failed. After a verdict the license on this machine is gone. Starts at the same
    time (`is_start`) ask once: the others find a newer license, or what one of them was told.
    """
    attempt = Attempt(licenses, on_trouble)
    trust = licenses.trusted()
    with exclusive(licenses.cache.folder / LOCK, attempt.client.deadline.left(60), licenses.effects) as lock:
        learned = licenses.loops.told_since(attempt.began_at) if is_start and lock.has_waited else None
        if learned is not None and learned.reason.nature == "verdict":
            return Outcome(problem=learned, is_verdict=True, is_learned=True, spent_seconds=attempt.spent)
        found = licenses.find(trust)
        if is_newer(found.usable, current):
            assert found.usable is not None
            return Outcome(state=licenses.state_here(found.usable, found.path))
        if not lock.is_mine:
            return Outcome(problem=busy(licenses.settings), spent_seconds=attempt.spent)
        outcome = attempt.ask(trust, found.known)
        if outcome.is_verdict and outcome.problem is not None and is_start:
            licenses.loops.note(outcome.problem, licenses.effects.now())
        return outcome


def is_newer(found: VerifiedLicense | None, current: ActivationState) -> bool:
    """Did another start or a refresh on this volume fetch a license since?"""
    return (
        found is not None
        and not found.is_file
        and found.claims.jti != current.activation_id
        and found.claims.iat >= current.last_online
    )


def without_server(licenses: Licenses, found: Found, cause: Failure) -> Failure:
    """What to say when there is no verdict: what hinders the license that lies here, with the network's cause."""
    if found.clock_problem is not None:
        return found.clock_problem
    if found.given_problem is not None:
        return found.given_problem
    if found.known is not None and not found.known.is_fresh(licenses.now()):
        return licenses.stale(found.known, cause.text())
    return cause


def busy(settings: Settings) -> Failure:
    parts = urlsplit(settings.api_endpoint)
    port = str(parts.port or (443 if parts.scheme == "https" else 80))
    seconds = f"{settings.license_timeout_seconds - for_telling(settings):g}"
    return failure(
        "server.timeout",
        host=parts.hostname or "?",
        port=port,
        s=seconds,
        proxies="asked by another start",
        api=settings.api_endpoint,
    )


def make_client(licenses: Licenses, on_trouble: Callable[[Failure], None] | None = None) -> LicenseClient:
    settings = licenses.settings
    return LicenseClient(
        settings.api_endpoint,
        effects=licenses.effects,
        route=route_of(settings),
        budget=Budget(total_seconds=settings.license_timeout_seconds - for_telling(settings)),
        web=settings.web_app_url,
        agent=f"cloudlet/{__version__}",
        on_trouble=on_trouble,
    )


def for_telling(settings: Settings) -> float:
    """What is kept of LICENSE_TIMEOUT so that all of it, with the threads' late awakenings, stays within it."""
    return min(1.0, settings.license_timeout_seconds / 4)


def request_of(licenses: Licenses, known: VerifiedLicense | None) -> LicenseRequest:
    credentials, settings, machine = licenses.credentials, licenses.settings, licenses.machine
    assert credentials is not None
    return LicenseRequest(
        token=credentials.token,
        credential_type=credentials.type,
        version=__version__,
        machine_id=machine.id,
        system=machine.system,
        hostname=machine.hostname,
        is_ci=settings.ci or credentials.token.startswith("lsci-"),
        ci_project=settings.ci_project,
        ci_run=settings.ci_run,
        license_id=known.claims.lic if known else "",
    )


def route_of(settings: Settings) -> Route:
    proxies = {"http": settings.http_proxy, "https": settings.https_proxy}
    return Route(
        proxies={scheme: url for scheme, url in proxies.items() if url},
        no_proxy=settings.no_proxy,
        ca_bundles=settings.ca_bundles,
        verify_tls=not settings.ssl_no_verify,
    )


def shown_proxy(settings: Settings, route: Route) -> str:
    """Host and port of the proxy, without a login; "" for none."""
    parts = urlsplit(settings.api_endpoint)
    proxy = urlsplit(route.proxy_for(parts.scheme, parts.hostname or ""))
    return f"{proxy.hostname}:{proxy.port or 3128}" if proxy.hostname else ""
