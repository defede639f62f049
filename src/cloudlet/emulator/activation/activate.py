"""Start-up activation, one screen: where credentials come from, what is tried, what the outcome is.

    ACTIVATE_PRO=0                        community, no network
    no credentials                        community with a hint; refused with ACTIVATE_PRO=1
    credentials that cannot be right      refused, no network
    a license file                        verified → active_file, no network
    credentials, a fresh license here     verified → active_cached at once; `check` asks beside the start whether it holds
    credentials                           `online`: ask the control plane → active_online, or refused

The modules that need cryptography or a network are imported for the last case only.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from cloudlet.emulator.activation.block import refuse
from cloudlet.emulator.activation.cache import LicenseCache
from cloudlet.emulator.activation.check import Start
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
    """Decide the edition of a start that has nothing else to do meanwhile. See `begin`."""
    return begin(settings, machine, say=say, effects=effects).settle()


def begin(
    settings: Settings,
    machine: Machine,
    *,
    say: Callable[[str], None],
    effects: Effects = SYSTEM,
) -> Start:
    """Decide the edition of this start as far as it can be without waiting; `settle` ends it, before `Ready.`

    Blocks for LICENSE_TIMEOUT (8) seconds at most, and only without a fresh license; no network without credentials.
    `say` gets each line that belongs on stdout (success line, community hint, warnings). Raises ActivationFailed.
    """
    if settings.activate_pro is False:
        say(OFF_LINE)
        return Start(COMMUNITY)
    found = find_credentials(settings)
    if isinstance(found, Credentials):
        return start_licensed(settings, machine, found, say, effects)
    if isinstance(found, Failure):
        raise refuse(found, settings)
    if has_license_file(settings):
        return start_with_file(settings, machine, say, effects)
    if settings.activate_pro:
        raise refuse(failure("credentials.missing", web=settings.web_app_url), settings)
    if settings.log_license_issues:
        say(HINT_LINE.format(web=settings.web_app_url))
    return Start(COMMUNITY)


def start_licensed(
    settings: Settings,
    machine: Machine,
    credentials: Credentials | None,
    say: Callable[[str], None],
    effects: Effects,
) -> Start:
    """`licensed.start_licensed`, loaded only now: it brings cryptography, which a community start does without."""
    module = importlib.import_module("cloudlet.emulator.activation.licensed")  # lazy: see above
    start: Start = module.start_licensed(settings, machine, credentials, say, effects)
    return start


def has_license_file(settings: Settings) -> bool:
    return LicenseCache(settings).has_license_file()


def start_with_file(settings: Settings, machine: Machine, say: Callable[[str], None], effects: Effects) -> Start:
    """A license file without a token. One that is no good ends the start only where it was asked for."""
    try:
        return start_licensed(settings, machine, None, say, effects)
    except ActivationFailed as error:
        if settings.license_file or settings.activate_pro:
            raise
        if settings.log_license_issues:
            say(f"The installed license file is not used: {error.failure.text()} Community edition.")
        return Start(COMMUNITY)
