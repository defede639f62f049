"""The stored auth token: `auth.json` in the configuration directory, for the owner's eyes only.

The file and its key are the ones of LocalStack's command line, so that both programs share one token.
"""

from __future__ import annotations

import os
from pathlib import Path

import orjson

from cloudlet.settings import CommandSettings

KEY = "LOCALSTACK_AUTH_TOKEN"


class CredentialStore:
    """Reads and writes the stored token."""

    def __init__(self, settings: CommandSettings) -> None:
        self.path = Path(settings.config_dir) / "auth.json"

    def token(self) -> str:
        """The stored token; empty when there is none."""
        value = self._read().get(KEY)
        return value.strip() if isinstance(value, str) else ""

    def store(self, token: str) -> None:
        """Write atomically: a reader sees the old or the new file, nobody else sees either."""
        self._write(self._read() | {KEY: token})

    def clear(self) -> bool:
        """Forget the token; False when there was none. What other programs keep in the file stays."""
        content = self._read()
        if content.pop(KEY, None) is None:
            return False
        if content:
            self._write(content)
        else:
            self.path.unlink(missing_ok=True)
        return True

    def _read(self) -> dict[str, object]:
        try:
            content = orjson.loads(self.path.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return {}
        return content if isinstance(content, dict) else {}

    def _write(self, content: dict[str, object]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self.path.with_name(f".auth.{os.getpid()}.json")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(orjson.dumps(content))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)
