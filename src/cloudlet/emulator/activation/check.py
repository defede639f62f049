"""A start from a license that is here already, and the question that goes out beside it: does it still hold?

The question leaves at once, in a thread of its own, while the rest of the emulator starts. `settle` waits for what comes
first: the answer, the first sign of trouble on the way (nobody listens, no such name, a proxy's page), or the end of
WAIT_SECONDS since the question left. A verdict that arrives in that time is final. In all other cases the start goes
on from the cache, the question with it: `Refresher` takes the answer when it comes. See docs/decisions/0009.

This module loads no network modules: the thread does.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from cloudlet.emulator.activation.block import failed, refuse
from cloudlet.emulator.activation.clock import moment
from cloudlet.emulator.activation.state import ActivationState
from cloudlet.license.reasons import Failure

if TYPE_CHECKING:
    from cloudlet.emulator.activation.licensed import Licenses

WAIT_SECONDS = 1.0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What asking gave: a `state`, or a `problem`; `is_verdict` when that is the control plane's definitive no.

    `spent_seconds`: what it took. `warnings`: lines about what went wrong without hindering it.
    """

    state: ActivationState | None = None
    problem: Failure | None = None
    is_verdict: bool = False
    is_learned: bool = False  # another start at the same time was told it
    warnings: tuple[str, ...] = ()
    spent_seconds: float = 0


class StartCheck:
    """Asks as soon as it is made. `state` is what the license on this machine opens."""

    def __init__(self, licenses: Licenses, state: ActivationState) -> None:
        self.licenses = licenses
        self.state = state
        self.began = licenses.effects.monotonic()
        self.trouble: Failure | None = None
        self._outcome: Outcome | None = None
        self._error: BaseException | None = None
        self._told = threading.Event()
        self._ended = threading.Event()
        threading.Thread(target=self._run, name="license", daemon=True).start()

    def _run(self) -> None:
        try:
            online = importlib.import_module("cloudlet.emulator.activation.online")  # lazy: brings http and ssl
            self._outcome = online.ask(self.licenses, self.state, self._have_trouble, is_start=True)
        except BaseException as error:  # renders: `outcome` raises it
            self._error = error
        finally:
            self._ended.set()
            self._told.set()

    def _have_trouble(self, why: Failure) -> None:
        """A try failed. More may follow, but the start need not wait for them."""
        self.trouble = self.trouble or why
        self._told.set()

    def settle(self, say: Callable[[str], None]) -> ActivationState:
        """The state that this start has. `say` gets its lines. Raises ActivationFailed after a verdict."""
        effects = self.licenses.effects
        waited_since = effects.monotonic()
        self._told.wait(max(0.0, self.began + WAIT_SECONDS - waited_since))
        waited = min(WAIT_SECONDS, effects.monotonic() - waited_since)
        outcome = self._outcome if self._ended.is_set() else None
        if outcome is not None and outcome.is_verdict and outcome.problem is not None:
            if outcome.is_learned:
                raise refuse(outcome.problem, self.licenses.settings, spent=outcome.spent_seconds)
            raise failed(self.licenses, outcome.problem, outcome.spent_seconds)
        state, lines = self.state, []
        if outcome is not None and outcome.state is not None:
            self.licenses.loops.forget()
            state, lines = outcome.state, list(outcome.warnings)
        else:
            why = outcome.problem if outcome is not None else self.trouble
            state = msgspec.structs.replace(state, reason_code=why.code if why else "")
            lines.append(without_answer(why))
        if self.licenses.settings.log_license_issues:
            for line in lines:
                say(line)
        say(success_line(state))
        return msgspec.structs.replace(state, waited_seconds=round(waited, 3))

    @property
    def is_answered(self) -> bool:
        """The control plane gave a license."""
        return self._outcome is not None and self._outcome.state is not None

    def outcome(self) -> Outcome:
        """The answer, waited for within the budget of the license client. Raises what went wrong in the thread."""
        self._ended.wait()
        if self._error is not None:
            raise self._error
        assert self._outcome is not None
        return self._outcome


class Start:
    """A start whose license was found; `settle` ends it. `check` is None where nothing is asked, or it was answered."""

    def __init__(
        self, state: ActivationState, check: StartCheck | None = None, say: Callable[[str], None] = print
    ) -> None:
        self.state = state
        self.check = check
        self._say = say

    def settle(self) -> ActivationState:
        """What this emulator may do. Blocks for WAIT_SECONDS at most. Raises ActivationFailed."""
        if self.check is not None:
            self.state = self.check.settle(self._say)
            if self.state is not self.check.state and self.check.is_answered:
                self.check = None
        return self.state


def success_line(state: ActivationState, *, is_new: bool = False) -> str:
    """`Successfully activated …`; people and scripts look for it."""
    name = f"{short(state.license_id)}:{state.plan}"
    if state.phase == "active_online":
        verb = "requested and activated new" if is_new else "activated"
        return f"Successfully {verb} license {name} 🔑✅ (online, next check {moment(state.next_check)})"
    if state.phase == "active_file":
        return f"Successfully activated license file {name} from {state.source} 🔑✅ (until {moment(state.expires)})"
    return (
        f"Successfully activated cached license {name} from {state.source} 🔑✅"
        f" (offline until {moment(state.offline_until)})"
    )


def without_answer(why: Failure | None) -> str:
    if why is None:
        return f"The license server did not answer within {WAIT_SECONDS:g} s; the license is checked beside the start."
    return f"The license could not be checked: {why.text()}"


def short(license_id: str) -> str:
    """The end of the id; its beginning is a date that many share."""
    return license_id[-6:]
