"""Where the emulator's credentials come from, judged before any network is touched.

    LOCALSTACK_AUTH_TOKEN → LOCALSTACK_AUTH_TOKEN_FILE → LOCALSTACK_API_KEY

The command line passes its stored token on as LOCALSTACK_AUTH_TOKEN.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from cloudlet.license.reasons import Failure, failure
from cloudlet.license.token import clean, find_key_problem, find_problem
from cloudlet.settings import Settings


class Credentials(msgspec.Struct, frozen=True):
    """A token that may be good. `source` is the variable that it came from."""

    token: str
    source: str

    @property
    def type(self) -> str:
        """As the license API calls it."""
        return "licensing-auth-token" if self.token.startswith("ls") else "licensing-api-key"


def find_credentials(settings: Settings) -> Credentials | Failure | None:
    """The credentials, None when there are none, or why they cannot be right."""
    web = settings.web_app_url
    token, key = clean(settings.auth_token), clean(settings.api_key)
    source = "LOCALSTACK_AUTH_TOKEN"
    if not token and settings.auth_token_file:
        source = "LOCALSTACK_AUTH_TOKEN_FILE"
        try:
            token = clean(Path(settings.auth_token_file).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            problem = getattr(error, "strerror", None) or "not a text file"
            return failure("credentials.file", path=settings.auth_token_file, problem=problem.lower())
    if token and key and token != key:
        return failure("credentials.conflict")
    if token:
        return find_problem(token, variable=source, web=web) or Credentials(token, source)
    if key:
        return find_key_problem(key, web=web) or Credentials(key, "LOCALSTACK_API_KEY")
    return None
