"""Activation by a license that is on this machine already; the control plane is asked first only where that will not do.

A license file needs no network. A fresh license from the control plane starts the emulator while `check` asks whether
it still holds, and `refresh` renews it from then on. `Licenses` is what a start, a refresh and `cloudlet license` all
work with.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from cloudlet import __version__
from cloudlet.emulator.activation.block import failed, refuse
from cloudlet.emulator.activation.cache import LicenseCache
from cloudlet.emulator.activation.check import Start, StartCheck, success_line
from cloudlet.emulator.activation.clock import ClockGuard, moment
from cloudlet.emulator.activation.credentials import Credentials
from cloudlet.emulator.activation.entitlements import edition_of, open_services
from cloudlet.emulator.activation.loops import LoopGuard
from cloudlet.emulator.activation.machine import Machine
from cloudlet.emulator.activation.state import ActivationState, Phase
from cloudlet.license.effects import Effects
from cloudlet.license.envelope import EnvelopeRefused, TrustStore, UnknownKey, confirmation
from cloudlet.license.reasons import Failure, failure
from cloudlet.license.verify import Circumstances, LicenseRefused, VerifiedLicense, verify_license
from cloudlet.settings import Settings

LOG = logging.getLogger("cloudlet.license")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What lies on this machine: a license that opens a start, one that only names itself, and what is wrong.

    `usable` is fresh; `known` is good but stale (its id is worth sending); `given_problem` is about LICENSE_FILE.
    """

    usable: VerifiedLicense | None = None
    path: Path = Path()
    known: VerifiedLicense | None = None
    given_problem: Failure | None = None
    problem: Failure | None = None
    clock_problem: Failure | None = None


class Licenses:
    """The licenses of this machine, for one token (or none: a license file may need none)."""

    def __init__(self, settings: Settings, machine: Machine, credentials: Credentials | None, effects: Effects) -> None:
        self.settings = settings
        self.machine = machine
        self.credentials = credentials
        self.effects = effects
        self.cache = LicenseCache(settings)
        self.clock = ClockGuard(self.cache, machine.id)
        token = credentials.token if credentials else ""
        self.loops = LoopGuard(self.cache, f"{confirmation(token)[:16]} {settings.api_endpoint}")

    def now(self) -> float:
        """The true time, on which windows are judged."""
        return self.clock.true_time(self.effects.now())

    def circumstances(self, where: str, *, from_server: bool = False, now: float = 0) -> Circumstances:
        return Circumstances(
            token=self.credentials.token if self.credentials else "",
            machine_id=self.machine.id,
            version=__version__,
            now=now or self.now(),
            where=where,
            from_server=from_server,
        )

    def trusted(self) -> TrustStore:
        """Pinned keys and no others; else the keys learned before. A damaged file counts as none.

        Raises EnvelopeRefused for pins that are no keys.
        """
        pins = self.settings.license_trust_keys
        if pins and "/" in pins:
            return TrustStore.parse(self.cache.read(Path(pins)) or b"")
        if pins:
            return TrustStore.parse_pins(pins)
        raw = self.cache.read(self.cache.trust_path)
        try:
            return TrustStore.parse(raw) if raw else TrustStore()
        except EnvelopeRefused:
            return TrustStore()

    def judge(self, path: Path, trust: TrustStore) -> VerifiedLicense | Failure | None:
        """The license in a file, good but perhaps stale; why it is no good; None when there is none."""
        raw = self.cache.read(path)
        if raw is None:
            return None
        try:
            return verify_license(raw, trust, self.circumstances(str(path)))
        except UnknownKey as error:
            trust_file = str(self.cache.trust_path)
            return failure("license.signature", path=str(path), kid=error.kid, trust=trust_file)
        except LicenseRefused as error:
            return error.failure

    def find(self, trust: TrustStore) -> Found:
        """The first license that opens this start. A candidate that is no good is passed over."""
        now = self.now()
        known = problem = given_problem = clock_problem = None
        for path in self.cache.candidates():
            judged = self.judge(path, trust)
            if isinstance(judged, VerifiedLicense) and self.loops.denies(judged):
                judged = self.loops.last()
            if isinstance(judged, VerifiedLicense):
                rolled_back = self.clock.problem(now, judged.claims.iat)
                clock_problem = clock_problem or rolled_back
                if judged.is_fresh(now) and rolled_back is None:
                    return Found(usable=judged, path=path, known=None if judged.is_file else judged)
                known = known or (None if judged.is_file else judged)
            elif judged is not None:
                LOG.debug("the license at %s is not used: %s", path, judged.text())
                problem = problem or judged
            if path == self.cache.given and not isinstance(judged, VerifiedLicense):
                given_problem = judged or failure("license.format", path=str(path), problem="cannot be read")
        return Found(known=known, problem=problem, given_problem=given_problem, clock_problem=clock_problem)

    def open_with(self, found: Found, say: Callable[[str], None]) -> ActivationState:
        """The state under a license that was found here."""
        verified = found.usable
        assert verified is not None
        self.clock.advance(self.now())
        state = self.state_here(verified, found.path)
        say(success_line(state))
        return state

    def state_here(self, verified: VerifiedLicense, path: Path) -> ActivationState:
        """Under a license that lies on this machine."""
        return self.state(verified, "active_file" if verified.is_file else "active_cached", str(path))

    def state(self, verified: VerifiedLicense, phase: Phase, source: str) -> ActivationState:
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
            next_check=0 if verified.is_file else next_check(verified),
            offline_until=claims.ra,
            expires=claims.exp,
            source=source,
            last_online=0 if verified.is_file else claims.iat,
            endpoint=self.settings.api_endpoint,
            budget_seconds=self.settings.license_timeout_seconds,
            activation_id=claims.jti,
        )

    def stale(self, known: VerifiedLicense, cause: str) -> Failure:
        """`license.stale`, with the reason why the control plane could not be asked."""
        since = self.now() - known.claims.iat
        return failure(
            "license.stale",
            t=moment(known.claims.iat),
            h=str(int(since) // 3600),
            w=str(known.claims.win // 3600),
            api=self.settings.api_endpoint,
            cause=cause,
        )


def start_licensed(
    settings: Settings,
    machine: Machine,
    credentials: Credentials | None,
    say: Callable[[str], None],
    effects: Effects,
) -> Start:
    """A start with an active state. Raises ActivationFailed."""
    licenses = Licenses(settings, machine, credentials, effects)
    try:
        trust = licenses.trusted()
    except EnvelopeRefused as error:
        raise refuse(failure("license.format", problem=error.problem), settings) from error
    found = licenses.find(trust)
    told = licenses.loops.verdict(effects.now())
    if found.usable is not None and (found.usable.is_file or settings.license_offline != "never"):
        if found.usable.is_file or credentials is None or settings.license_offline == "only":
            licenses.loops.forget()
            return Start(licenses.open_with(found, say))
        if told is not None:
            raise failed(licenses, told, 0.0)
        licenses.clock.advance(licenses.now())
        state = licenses.state_here(found.usable, found.path)
        return Start(state, StartCheck(licenses, state), say)
    if credentials is None or settings.license_offline == "only":
        raise refuse(why_not(licenses, found), settings)
    if told is not None:
        raise failed(licenses, told, 0.0)
    online = importlib.import_module("cloudlet.emulator.activation.online")  # lazy: brings http and ssl
    return Start(online.activate_online(licenses, trust, found, say))


def why_not(licenses: Licenses, found: Found) -> Failure:
    """Why no license on this machine opens a start that may ask nobody."""
    if found.clock_problem is not None:
        return found.clock_problem
    if found.known is not None:
        return licenses.stale(found.known, "LICENSE_OFFLINE=only")
    problem = found.given_problem or found.problem
    return problem or failure("license.format", problem="there is no license file on this machine")


def next_check(verified: VerifiedLicense) -> float:
    """Half the window after it was issued."""
    return min(verified.claims.iat + verified.claims.win / 2, float(verified.claims.ra))
