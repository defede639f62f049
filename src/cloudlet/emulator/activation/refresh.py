"""Renewing the license of a running emulator: at half its window, with jitter, and again with growing pauses.

Nothing that happens here stops the emulator. A refusal or a window that ran out makes its state `stale`: it goes on,
the log says so, and the next start will be told why.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable

import msgspec

from cloudlet.emulator.activation.check import Outcome, StartCheck
from cloudlet.emulator.activation.clock import TOLERANCE_SECONDS
from cloudlet.emulator.activation.credentials import Credentials, find_credentials
from cloudlet.emulator.activation.licensed import Licenses
from cloudlet.emulator.activation.machine import Machine
from cloudlet.emulator.activation.online import ask
from cloudlet.emulator.activation.state import ActivationState
from cloudlet.license.effects import SYSTEM, Effects
from cloudlet.license.reasons import Failure
from cloudlet.settings import Settings

LOG = logging.getLogger("cloudlet.license")
LONGEST_WAIT_SECONDS = 900.0  # a machine that slept notices soon that time has passed
LONGEST_PAUSE_SECONDS = 3600.0
JITTER = 0.1  # of half a window
WARN_AT = 0.75  # of the window


class Refresher:
    """`step` does what is due now; `run` steps until it is cancelled. `use` gets each new state.

    `check` is the start's own question, which may still be under way.
    """

    def __init__(
        self,
        licenses: Licenses,
        state: ActivationState,
        use: Callable[[ActivationState], None],
        check: StartCheck | None = None,
    ) -> None:
        self.licenses = licenses
        self.effects = licenses.effects
        self.state = state
        self.use = use
        self.failures = 0
        self.warned = ""
        self.anchor = (licenses.now(), self.effects.monotonic())
        # A start from the cache that had no answer yet gets it first thing.
        self.check = check
        self.due = 0.0 if check else state.next_check + self.jitter(state)

    async def run(self) -> None:
        while True:
            try:
                state, wait = await in_thread(self.step)
            except Exception:  # survives: the emulator must not end for its license
                LOG.exception("renewing the license failed")
                wait = LONGEST_WAIT_SECONDS
            else:
                self.use(state)
            await asyncio.sleep(wait)

    def step(self) -> tuple[ActivationState, float]:
        """The state from now on, and seconds to wait. Blocks for LICENSE_TIMEOUT at most."""
        now = self.now()
        if now >= self.due:
            self.state = self.renew(now)
            now = self.now()
        state = self.judge(self.state, now)
        return state, self.wait(state, now)

    def wait(self, state: ActivationState, now: float) -> float:
        """Seconds until something is to be done or said. `now` as it was judged: no moment may pass in between."""
        moments = (self.due, *(moment for moment in (near_end(state), state.offline_until) if moment > now))
        return min(LONGEST_WAIT_SECONDS, max(1.0, min(moments) - now))

    def now(self) -> float:
        """The true time. A clock that is turned back while this runs does not stop it."""
        wall, steady = self.licenses.now(), self.steady_time()
        return steady if wall < steady - TOLERANCE_SECONDS else wall

    def steady_time(self) -> float:
        """What time it is by the clock that nobody sets, which stands still while the machine sleeps."""
        began, began_steady = self.anchor
        return began + self.effects.monotonic() - began_steady

    def renew(self, now: float) -> ActivationState:
        check, self.check = self.check, None
        outcome = check.outcome() if check else ask(self.licenses, self.state)
        if outcome.problem is not None:
            return self.failed(now, outcome.problem, refused=outcome.is_verdict)
        return self.renewed(outcome)

    def renewed(self, outcome: Outcome) -> ActivationState:
        state = outcome.state
        assert state is not None
        for line in outcome.warnings:
            self.warn(line, line)
        self.failures = 0
        self.warned = ""
        self.anchor = (self.licenses.now(), self.effects.monotonic())
        self.due = state.next_check + self.jitter(state)
        LOG.info("the license was renewed; offline until %s", state.offline_until)
        return state

    def failed(self, now: float, why: Failure, *, refused: bool) -> ActivationState:
        code, text = why.code, why.text()
        self.failures += 1
        spread = 0.75 + self.fraction() / 2
        self.due = now + min(LONGEST_PAUSE_SECONDS, 30.0 * 2 ** min(self.failures, 10)) * spread
        if refused:
            self.warn(code, f"The license server refused to renew the license: {text} This emulator goes on.")
        else:
            LOG.debug("the license was not renewed: %s", text)
        phase = "stale" if refused else self.state.phase
        return msgspec.structs.replace(self.state, reason_code=code, phase=phase)

    def judge(self, state: ActivationState, now: float) -> ActivationState:
        """Warn at 75 % of the window and at its end."""
        if now <= self.steady_time() + TOLERANCE_SECONDS:  # else the machine slept, or its clock leapt: not certain
            self.licenses.clock.advance(now)
        if now >= state.offline_until:
            self.warn(
                "end", "The offline window of the license is over. This emulator goes on; the next start will not."
            )
            return msgspec.structs.replace(state, phase="stale")
        if now >= near_end(state):
            hours = (state.offline_until - now) / 3600
            self.warn("near", f"The license could not be renewed ({state.reason_code}); {hours:.1f} h are left.")
        return state

    def warn(self, about: str, text: str) -> None:
        """Once for each thing."""
        if self.warned != about:
            self.warned = about
            if self.licenses.settings.log_license_issues:
                LOG.warning("%s", text)

    def jitter(self, state: ActivationState) -> float:
        """So that a fleet that started together does not ask together; never later than the window's end."""
        half = max(0.0, state.offline_until - state.next_check)
        return half * JITTER * self.fraction()

    def fraction(self) -> float:
        return self.effects.random_bytes(1)[0] / 255


def near_end(state: ActivationState) -> float:
    """When it is time to warn."""
    return state.last_online + WARN_AT * (state.offline_until - state.last_online)


async def in_thread(step: Callable[[], tuple[ActivationState, float]]) -> tuple[ActivationState, float]:
    """In a thread that a stop need not wait for, unlike the event loop's own."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[tuple[ActivationState, float]] = loop.create_future()

    def deliver(value: tuple[ActivationState, float] | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        elif value is not None:
            result.set_result(value)

    def work() -> None:
        value: tuple[ActivationState, float] | None = None
        problem: BaseException | None = None
        try:
            value = step()
        except Exception as error:  # renders: handed to whoever waits
            problem = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(deliver, value, problem)

    threading.Thread(target=work, name="license", daemon=True).start()
    return await result


def make_refresher(
    settings: Settings,
    machine: Machine,
    state: ActivationState,
    use: Callable[[ActivationState], None],
    check: StartCheck | None = None,
    effects: Effects = SYSTEM,
) -> Refresher | None:
    """None where there is nothing to renew: a license file, or LICENSE_OFFLINE=only."""
    credentials = find_credentials(settings)
    if state.phase == "active_file" or settings.license_offline == "only" or not isinstance(credentials, Credentials):
        return None
    return Refresher(Licenses(settings, machine, credentials, effects), state, use, check)
