"""The command line's settings."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from cloudlet.settings.environment import Environment, SettingError, default_volume_dir, given


class CommandSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The command line's settings. `docs/configuration.md` has a line for each variable."""

    config_dir: str  # CONFIG_DIR: the stored auth token and the profiles; ~/.localstack
    state_dir: str  # XDG_STATE_HOME: logs and process files, in its folder `cloudlet`; ~/.local/state
    profiles: tuple[str, ...] = ()  # CONFIG_PROFILE: names of files NAME.env in the configuration directory
    keyring: Literal["auto", "file"] = "auto"  # CLOUDLET_KEYRING: file uses no keyring, but files
    admin_token: str = ""  # CLOUDLET_ADMIN_TOKEN: an admin token (lsadm_…) for `cloudlet ci-key`
    variables: Mapping[str, str] = {}  # the whole environment with the profiles' variables, for child processes

    @property
    def has_credentials(self) -> bool:
        """The environment itself names a token, a token file or an API key."""
        names = ("LOCALSTACK_AUTH_TOKEN", "LOCALSTACK_AUTH_TOKEN_FILE", "AUTH_TOKEN_FILE", "LOCALSTACK_API_KEY")
        return any(self.variables.get(name, "").strip() for name in names)


def read_command_settings(
    variables: Mapping[str, str] | None = None, profiles: tuple[str, ...] = ()
) -> CommandSettings:
    """Settings of the command line; `profiles` outranks CONFIG_PROFILE. Raises SettingError.

    A profile is a file of NAME=VALUE lines. `default` is used where none is named and it exists; the environment wins.
    """
    own = dict(given(variables))
    home = own.get("HOME") or tempfile.gettempdir()
    config_dir = Path(own.get("CONFIG_DIR") or Path(home, ".localstack"))
    named = profiles or Environment(own).names("CONFIG_PROFILE")
    found: dict[str, str] = {}
    for name in named or ("default",):
        path = config_dir / f"{name}.env"
        if path.is_file():
            found.update(parse_profile(path.read_text(encoding="utf-8"), str(path)))
        elif named:
            raise SettingError(f"profile {name!r}: there is no file {path}")
    merged = found | own
    volume_dir = default_volume_dir(merged)
    # Not /var/lib/localstack, the default inside a container: that may be a dev container with several users.
    merged.setdefault("LOCALSTACK_VOLUME_DIR", volume_dir)
    state_dir = Path(volume_dir).parent
    keyring = Environment(merged).choice("CLOUDLET_KEYRING", "auto", ("auto", "file"))
    return CommandSettings(
        config_dir=str(config_dir),
        state_dir=str(state_dir),
        profiles=named,
        keyring="file" if keyring == "file" else "auto",
        admin_token=Environment(merged).text("CLOUDLET_ADMIN_TOKEN"),
        variables=merged,
    )


def parse_profile(text: str, path: str) -> dict[str, str]:
    """Lines `NAME=VALUE`, `export NAME="VALUE"`, blank lines and `# remarks`."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.strip().removeprefix("export ").strip()
        if not entry or entry.startswith("#"):
            continue
        name, separator, value = entry.partition("=")
        if not separator or not name.strip().isidentifier():
            raise SettingError(f"{path}, line {number}: not NAME=VALUE")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        found[name.strip()] = value
    return found
