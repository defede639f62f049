"""Start-up activation, one screen: where credentials come from, what is tried, what the outcome is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cloudlet.emulator.activation.state import ActivationState
from cloudlet.license.effects import SYSTEM, Effects

if TYPE_CHECKING:
    from cloudlet.emulator.activation.machine import Machine
    from cloudlet.settings import Settings


def activate(
    settings: Settings,
    machine: Machine,
    *,
    say: Callable[[str], None],
    effects: Effects = SYSTEM,
) -> ActivationState:
    """Decide the edition of this start. Blocking; 8 seconds at most, no network without credentials.

    `say` gets each line that belongs on stdout (success line, community hint, warnings). Raises ActivationFailed.
    """
    raise NotImplementedError
