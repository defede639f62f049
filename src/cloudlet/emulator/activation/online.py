"""Activation with credentials: ask the control plane, verify what it sends, remember it.

A verdict is final. When there is no verdict (the control plane cannot be reached), a remembered license that is
verified again and still within its window (24 hours by default) starts the emulator.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from cloudlet import __version__
from cloudlet.emulator.activation.block import refuse
from cloudlet.emulator.activation.cache import LicenseCache
from cloudlet.emulator.activation.credentials import Credentials
from cloudlet.emulator.activation.entitlements import edition_of, open_services
from cloudlet.emulator.activation.machine import Machine
from cloudlet.emulator.activation.state import ActivationState, Phase
from cloudlet.license.client import Budget, LicenseClient, LicenseDenied, LicenseRequest, LicenseUnreachable
from cloudlet.license.effects import Effects
from cloudlet.license.envelope import EnvelopeRefused, TrustStore, UnknownKey
from cloudlet.license.reasons import Failure, failure
from cloudlet.license.transport import Route
from cloudlet.license.verify import Circumstances, LicenseRefused, VerifiedLicense, verify_license
from cloudlet.settings import Settings


class Attempt:
    """One start's way to a license: the same settings, machine, token, cache and client for each step."""

    def __init__(self, settings: Settings, machine: Machine, credentials: Credentials, effects: Effects) -> None:
        self.settings = settings
        self.machine = machine
        self.credentials = credentials
        self.effects = effects
        self.cache = LicenseCache(settings)
        self.client = LicenseClient(
            settings.api_endpoint,
            effects=effects,
            route=route_of(settings),
            budget=Budget(total_seconds=settings.license_timeout_seconds),
            web=settings.web_app_url,
            agent=f"cloudlet/{__version__}",
        )

    def circumstances(self, where: str, *, from_server: bool) -> Circumstances:
        return Circumstances(
            token=self.credentials.token,
            machine_id=self.machine.id,
            version=__version__,
            now=self.effects.now(),
            where=where,
            from_server=from_server,
        )

    def trusted(self) -> TrustStore:
        """Pinned keys and no others; else the keys learned before. A damaged file counts as none."""
        if self.settings.license_trust_keys:
            return TrustStore.parse_pins(self.settings.license_trust_keys)
        raw = self.cache.read(self.cache.trust_path)
        try:
            return TrustStore.parse(raw) if raw else TrustStore()
        except EnvelopeRefused:
            return TrustStore()

    def remembered(self, trust: TrustStore) -> VerifiedLicense | Failure | None:
        """The cached license, good but perhaps stale; why it is no good; None when there is none."""
        raw = self.cache.read(self.cache.license_path)
        if raw is None:
            return None
        try:
            return verify_license(raw, trust, self.circumstances(str(self.cache.license_path), from_server=False))
        except UnknownKey as error:
            return failure("license.signature", path=str(self.cache.license_path), kid=error.kid)
        except LicenseRefused as error:
            return error.failure

    def fetch(self, trust: TrustStore, known: VerifiedLicense | None) -> tuple[VerifiedLicense, tuple[str, ...]]:
        """A fresh license and warnings of the cache. Raises LicenseDenied, LicenseUnreachable, LicenseRefused."""
        request = LicenseRequest(
            token=self.credentials.token,
            credential_type=self.credentials.type,
            version=__version__,
            machine_id=self.machine.id,
            system=self.machine.system,
            hostname=self.machine.hostname,
            is_ci=self.settings.ci,
            license_id=known.document.id if known else "",
        )
        answer = self.client.fetch_license(request)
        here = self.circumstances(self.settings.api_endpoint, from_server=True)
        warnings = []
        try:
            fresh = verify_license(answer.raw, trust, here)
        except UnknownKey as error:
            trust = self.learn_keys(trust, error)
            fresh = verify_license(answer.raw, trust, here)
            warnings.append(self.cache.write(self.cache.trust_path, trust.render()))
        warnings.append(self.cache.write(self.cache.license_path, answer.raw))
        return fresh, tuple(line for line in warnings if line)

    def learn_keys(self, trust: TrustStore, unknown: UnknownKey) -> TrustStore:
        """The server's keys, once trusted on first use; a pinned set never grows. Raises LicenseRefused."""
        where = {"server": self.settings.api_endpoint, "kid": unknown.kid, "trust": str(self.cache.trust_path)}
        if self.settings.license_trust_keys or (trust.keys and not self.announces(unknown.kid, trust)):
            raise LicenseRefused(failure("license.signature", **where)) from unknown
        try:
            learned = trust.with_keys(TrustStore.parse(self.client.fetch_keys()).keys.values())
        except EnvelopeRefused as error:
            raise LicenseRefused(failure("license.signature", **where)) from error
        if unknown.kid not in learned.keys:
            raise LicenseRefused(failure("license.signature", **where)) from unknown
        return learned

    def announces(self, kid: str, trust: TrustStore) -> bool:
        """A new key is taken over from a server that still shows a key which is trusted already."""
        try:
            published = TrustStore.parse(self.client.fetch_keys()).keys
        except EnvelopeRefused:
            return False
        return kid in published and bool(published.keys() & trust.keys.keys())


def activate_online(
    settings: Settings, machine: Machine, credentials: Credentials, say: Callable[[str], None], effects: Effects
) -> ActivationState:
    """An active state. Raises ActivationFailed."""
    attempt = Attempt(settings, machine, credentials, effects)
    try:
        trust = attempt.trusted()
    except EnvelopeRefused as error:
        raise refuse(failure("license.format", problem=error.problem), settings) from error
    remembered = attempt.remembered(trust)
    known = remembered if isinstance(remembered, VerifiedLicense) else None
    try:
        fresh, warnings = attempt.fetch(trust, known)
    except LicenseDenied as error:
        attempt.cache.remove(attempt.cache.license_path)
        raise refuse(error.failure, settings) from error
    except LicenseRefused as error:
        raise refuse(error.failure, settings) from error
    except LicenseUnreachable as error:
        return activate_offline(attempt, known, error.failure, say)
    if settings.log_license_issues:
        for line in warnings:
            say(f"License cache cannot be written, offline starts will not work: {line}")
    verb = "activated" if known else "requested and activated new"
    say(f"Successfully {verb} license {short(fresh)} 🔑✅ (online, next check {moment(next_check(fresh))})")
    return state_of(fresh, "active_online")


def activate_offline(
    attempt: Attempt, known: VerifiedLicense | None, cause: Failure, say: Callable[[str], None]
) -> ActivationState:
    """The remembered license while its window lasts. Raises ActivationFailed with the network's cause in it."""
    settings = attempt.settings
    if known is None:
        raise refuse(cause, settings)
    now = attempt.effects.now()
    if not known.is_fresh(now):
        stale = failure(
            "license.stale",
            t=moment(known.claims.iat),
            h=str(int(now - known.claims.iat) // 3600),
            w=str(known.claims.win // 3600),
            api=settings.api_endpoint,
            cause=cause.text(),
        )
        raise refuse(stale, settings)
    if settings.log_license_issues:
        say(f"License server not reached, going on offline: {cause.text()}")
    path = attempt.cache.license_path
    say(
        f"Successfully activated cached license {short(known)} from {path} 🔑✅"
        f" (offline until {moment(known.claims.ra)})"
    )
    return state_of(known, "active_cached")


def state_of(verified: VerifiedLicense, phase: Phase) -> ActivationState:
    claims = verified.claims
    limits = claims.limits()
    return ActivationState(
        phase=phase,
        edition=edition_of(claims.plan),
        is_license_activated=True,
        plan=claims.plan,
        license_id=claims.lic,
        entitlements=limits,
        open_services=open_services(name for name, _ in limits),
        next_check=next_check(verified),
        offline_until=claims.ra,
        expires=claims.exp,
    )


def next_check(verified: VerifiedLicense) -> float:
    """Half the window after it was issued; `refresh` (to come) goes by it."""
    return min(verified.claims.iat + verified.claims.win / 2, float(verified.claims.ra))


def short(verified: VerifiedLicense) -> str:
    """The end of the id (its beginning is a date that many share), and the plan."""
    return f"{verified.claims.lic[-6:]}:{verified.claims.plan}"


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def route_of(settings: Settings) -> Route:
    proxies = {"http": settings.http_proxy, "https": settings.https_proxy}
    return Route(
        proxies={scheme: url for scheme, url in proxies.items() if url},
        no_proxy=settings.no_proxy,
        ca_bundles=settings.ca_bundles,
        verify_tls=not settings.ssl_no_verify,
    )
