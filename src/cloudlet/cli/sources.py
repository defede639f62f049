"""Where the token in use comes from: variables outrank files, files outrank what is stored."""

from __future__ import annotations

from pathlib import Path

import msgspec

from cloudlet.cli.context import Failed
from cloudlet.cli.credentials import CredentialStore
from cloudlet.license.reasons import Failure
from cloudlet.license.token import clean, find_key_problem, find_problem
from cloudlet.settings import CommandSettings

VARIABLES = ("LOCALSTACK_AUTH_TOKEN", "LOCALSTACK_API_KEY")
FILE_VARIABLES = ("LOCALSTACK_AUTH_TOKEN_FILE", "AUTH_TOKEN_FILE")


class ActiveToken(msgspec.Struct, frozen=True):
    """`value` "" where there is none. `source` is for people; `variable` what to name in sentences, "" for a stored one."""

    value: str = ""
    source: str = ""
    variable: str = ""

    @property
    def is_stored(self) -> bool:
        return bool(self.value) and not self.variable

    def problem(self, web: str) -> Failure | None:
        """Why it cannot be a token, without a network."""
        check = find_key_problem if self.variable == "LOCALSTACK_API_KEY" else find_problem
        return check(self.value, variable=self.variable or "The stored token", web=web)


def active_token(settings: CommandSettings) -> ActiveToken:
    """What `start` would use. Raises Failed for a token file that cannot be read, or a keyring that does not open."""
    for name in VARIABLES:
        value = clean(settings.variables.get(name, ""))
        if value:
            return ActiveToken(value, f"the variable {name}", name)
    for name in FILE_VARIABLES:
        path = settings.variables.get(name, "").strip()
        if path:
            return from_file(name, path)
    store = CredentialStore(settings)
    token = store.token()
    return ActiveToken(token, store.where()) if token else ActiveToken()


def from_file(name: str, path: str) -> ActiveToken:
    try:
        value = clean(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not a text file"
        raise Failed(f"{name}: {why}: {path}", code="credentials.file") from None
    return ActiveToken(value, f"the file {path} ({name})", name)
