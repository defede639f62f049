"""Start-up activation, one screen: where credentials come from, what is tried, what the outcome is.

    ACTIVATE_PRO=0                        community, no network
    no credentials                        community with a hint; refused with ACTIVATE_PRO=1
    credentials that cannot be right      refused, no network
    a license file                        verified → active_file, no network
    credentials, a fresh license here     verified → active_cached, no network; `refresh` renews it while running
    credentials                           `online`: ask the control plane → active_online, or refused

The modules that need cryptography or a network are imported for the last case only.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from cloudlet.emulator.activation.block import refuse
from cloudlet.emulator.activation.cache import LicenseCache
from cloudlet.emulator.activation.credentials import Credentials, find_credentials
from cloudlet.emulator.activation.entitlements import COMMUNITY_SERVICES
from cloudlet.emulator.activation.machine import Machine
from cloudlet.emulator.activation.state import ActivationFailed, ActivationState
from cloudlet.license.effects import SYSTEM, Effects
from cloudlet.license.reasons import Failure, failure
from cloudlet.settings import Settings

COMMUNITY = ActivationState(phase="community", open_services=COMMUNITY_SERVICES)
OFF_LINE = "License activation is off (ACTIVATE_PRO=0): community edition."
HINT_LINE = "No auth token: community edition. Your token is on {web}/workspace/auth-tokens; `cloudlet auth set-token` stores it."


def activate(
    settings: Settings,
    machine: Machine,
    *,
    say: Callable[[str], None],
    effects: Effects = SYSTEM,
) -> ActivationState:
    """Decide the edition of this start. Blocking; LICENSE_TIMEOUT (8) seconds at most, no network without credentials.

    `say` gets each line that belongs on stdout (success line, community hint, warnings). Raises ActivationFailed.
    """
    if settings.activate_pro is False:
        say(OFF_LINE)
        return COMMUNITY
    found = find_credentials(settings)
    if isinstance(found, Credentials):
        state: ActivationState = start_licensed(settings, machine, found, say, effects)
        return state
    if isinstance(found, Failure):
        raise refuse(found, settings)
    if has_license_file(settings):
        return start_with_file(settings, machine, say, effects)
    if settings.activate_pro:
        raise refuse(failure("credentials.missing", web=settings.web_app_url), settings)
    if settings.log_license_issues:
        say(HINT_LINE.format(web=settings.web_app_url))
    return COMMUNITY


def start_licensed(
    settings: Settings,
    machine: Machine,
    credentials: Credentials | None,
    say: Callable[[str], None],
    effects: Effects,
) -> ActivationState:
    """`licensed.start_licensed`, loaded only now: it brings cryptography, which a community start does without."""
    module = importlib.import_module("cloudlet.emulator.activation.licensed")  # lazy: see above
    state: ActivationState = module.start_licensed(settings, machine, credentials, say, effects)
    return state


def has_license_file(settings: Settings) -> bool:
    return LicenseCache(settings).has_license_file()


def start_with_file(
    settings: Settings, machine: Machine, say: Callable[[str], None], effects: Effects
) -> ActivationState:
    """A license file without a token. One that is no good ends the start only where it was asked for."""
    try:
        return start_licensed(settings, machine, None, say, effects)
    except ActivationFailed as error:
        if settings.license_file or settings.activate_pro:
            raise
        if settings.log_license_issues:
            say(f"The installed license file is not used: {error.failure.text()} Community edition.")
        return COMMUNITY
