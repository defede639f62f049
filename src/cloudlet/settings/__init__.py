"""Everything that the environment can say, as frozen records: of the emulator, the control plane, the command line.

Nothing else in the project reads the environment.
"""

from __future__ import annotations

from cloudlet.settings.command import CommandSettings, parse_profile, read_command_settings
from cloudlet.settings.emulator import CI_RUN_VARIABLES, Settings, read_localstack_host, read_remarks, read_settings
from cloudlet.settings.environment import (
    Address,
    Environment,
    SettingError,
    default_volume_dir,
    in_container,
    parse_addresses,
)
from cloudlet.settings.platform import PlatformSettings, read_platform_settings
from cloudlet.settings.shown import SECRET_FIELDS, SHOWN_OF_A_SECRET, VARIABLE_NAMES, shown_settings

__all__ = (
    "CI_RUN_VARIABLES",
    "SECRET_FIELDS",
    "SHOWN_OF_A_SECRET",
    "VARIABLE_NAMES",
    "Address",
    "CommandSettings",
    "Environment",
    "PlatformSettings",
    "SettingError",
    "Settings",
    "default_volume_dir",
    "in_container",
    "parse_addresses",
    "parse_profile",
    "read_command_settings",
    "read_localstack_host",
    "read_platform_settings",
    "read_remarks",
    "read_settings",
    "shown_settings",
)
