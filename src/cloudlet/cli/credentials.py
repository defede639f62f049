"""What is stored for a user: the auth token that `start` uses, and a token for each workspace that they signed in to.

    auth.json              the token in use: the file and key of LocalStack's command line, so that both share one token
    cloudlet-tokens.json   tokens by workspace, and for administering it
    cloudlet.json          which workspaces there are, and where tokens are kept; no secret

All are for their owner's eyes only (0600). Where the system has a usable keyring, tokens are in it instead and the first
two files do not exist; CLOUDLET_KEYRING=file forbids that. What LocalStack's own program writes to auth.json is newer
than the keyring, so it is read first.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import msgspec
import orjson

from cloudlet.cli.context import Failed
from cloudlet.license.token import mask
from cloudlet.settings import CommandSettings

KEY = "LOCALSTACK_AUTH_TOKEN"
SERVICE = "cloudlet"
IN_USE = "auth-token"
# What keyrings raise when they are locked, forbidden or not there after all; their own class is looked up beside these.
KEYRING_TROUBLE = (OSError, RuntimeError, ValueError)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace that the user signed in to on this machine. `shown` is its masked token."""

    workspace_id: str
    workspace: str
    email: str
    endpoint: str
    shown: str
    scopes: tuple[str, ...] = ()


class Kept(msgspec.Struct, frozen=True):
    """`cloudlet.json`. `uses_keyring`: the token in use is in the keyring."""

    uses_keyring: bool = False
    places: tuple[Place, ...] = ()


class CredentialStore:
    """Reads and writes what is stored."""

    def __init__(self, settings: CommandSettings) -> None:
        folder = Path(settings.config_dir)
        self.path = folder / "auth.json"
        self.tokens_path = folder / "cloudlet-tokens.json"
        self.kept_path = folder / "cloudlet.json"
        self._allows_keyring = settings.keyring == "auto"
        # Files that call themselves a keyring have less; they are used by who asked for them.
        self._least_strength = 0.1 if settings.variables.get("PYTHON_KEYRING_BACKEND") else 1
        # Another configuration directory is another user, as far as the keyring goes.
        self._suffix = "" if folder == Path.home() / ".localstack" else f" {folder}"

    # --- the token in use

    def token(self) -> str:
        """The stored token; empty when there is none. Raises Failed when it is in a keyring that does not open."""
        value = read_json(self.path).get(KEY)
        if isinstance(value, str) and value.strip():
            return value.strip()
        return self._from_keyring(IN_USE) if self.kept().uses_keyring else ""

    def where(self) -> str:
        """Where the token in use is, for people."""
        return str(self.path) if read_json(self.path).get(KEY) else "the keyring"

    def store(self, token: str) -> str:
        """Keep it for `start`; returns where."""
        is_in_keyring = self._to_keyring(IN_USE, token)
        kept = self.kept()
        if kept.uses_keyring != is_in_keyring:
            self._keep(msgspec.structs.replace(kept, uses_keyring=is_in_keyring))
        if is_in_keyring:
            self._drop_from_file()
            return "the keyring"
        write_json(self.path, read_json(self.path) | {KEY: token})
        return str(self.path)

    def clear(self) -> bool:
        """Forget the token in use; False when there was none. What other programs keep in the file stays."""
        found = self._drop_from_file()
        kept = self.kept()
        if kept.uses_keyring:
            found = self._drop_from_keyring(IN_USE) or found
            self._keep(msgspec.structs.replace(kept, uses_keyring=False))
        return found

    def _drop_from_file(self) -> bool:
        content = read_json(self.path)
        if content.pop(KEY, None) is None:
            return False
        write_json(self.path, content) if content else self.path.unlink(missing_ok=True)
        return True

    # --- workspaces

    def kept(self) -> Kept:
        try:
            return msgspec.json.decode(self.kept_path.read_bytes(), type=Kept)
        except (FileNotFoundError, msgspec.MsgspecError):
            return Kept()

    def places(self) -> tuple[Place, ...]:
        return self.kept().places

    def current(self) -> Place | None:
        """The workspace of the token in use; None when that token was pasted."""
        shown = mask(self.token())
        return next((place for place in self.places() if place.shown == shown), None)

    def add(self, place: Place, token: str, admin_token: str) -> str:
        """Sign in to a workspace, and use it from now on; returns where its token is kept."""
        self._keep_secret(f"token {place.workspace_id}", token)
        self._keep_secret(f"admin {place.workspace_id}", admin_token)
        kept = self.kept()
        others = tuple(one for one in kept.places if one.workspace_id != place.workspace_id)
        self._keep(msgspec.structs.replace(kept, places=(*others, place)))
        return self.store(token)

    def use(self, place: Place) -> str:
        """Take the workspace's token into use. Raises Failed when it is not there any more."""
        token = self.secret(f"token {place.workspace_id}")
        if not token:
            raise Failed(
                f"The token of {place.workspace!r} is not stored any more.",
                code="workspace.no_token",
                actions=(f"cloudlet auth login --workspace {place.workspace_id}",),
            )
        return self.store(token)

    def remove(self, place: Place) -> None:
        """Forget a workspace and its tokens."""
        is_current = self.current() == place
        for name in (f"token {place.workspace_id}", f"admin {place.workspace_id}"):
            self._keep_secret(name, "")
        kept = self.kept()
        self._keep(msgspec.structs.replace(kept, places=tuple(one for one in kept.places if one != place)))
        if is_current:
            self.clear()

    def workspace_token(self, place: Place) -> str:
        return self.secret(f"token {place.workspace_id}")

    def admin_token(self, place: Place) -> str:
        """ "" when the sign-in gave none."""
        return self.secret(f"admin {place.workspace_id}")

    def secret(self, name: str) -> str:
        value = read_json(self.tokens_path).get(name)
        if isinstance(value, str):
            return value
        return self._from_keyring(name) if self._allows_keyring else ""

    def _keep_secret(self, name: str, value: str) -> None:
        """`value` "" forgets it."""
        content = read_json(self.tokens_path)
        is_in_keyring = self._to_keyring(name, value) if value else self._drop_from_keyring(name)
        before = dict(content)
        content.pop(name, None)
        if value and not is_in_keyring:
            content[name] = value
        if content != before:
            write_json(self.tokens_path, content) if content else self.tokens_path.unlink(missing_ok=True)

    def _keep(self, kept: Kept) -> None:
        if kept == Kept():
            self.kept_path.unlink(missing_ok=True)
        else:
            write_json(self.kept_path, msgspec.to_builtins(kept))

    # --- the keyring

    def _keyring(self) -> Any:
        """The keyring's module where it is allowed and has a back end that keeps something, else None."""
        if not self._allows_keyring:
            return None
        keyring = importlib.import_module("keyring")  # lazy: half of a command's start-up time, and mostly not needed
        try:
            return keyring if strength(keyring.get_keyring()) >= self._least_strength else None
        except KEYRING_TROUBLE:
            return None

    def _to_keyring(self, name: str, value: str) -> bool:
        """Whether it is kept there now; a keyring that refuses is as good as none."""
        keyring = self._keyring()
        if keyring is None:
            return False
        try:
            keyring.set_password(SERVICE, name + self._suffix, value)
        except (keyring.errors.KeyringError, *KEYRING_TROUBLE):
            return False
        return True

    def _from_keyring(self, name: str) -> str:
        """ "" when it is not in there. Raises Failed when the keyring does not open."""
        keyring = self._keyring()
        if keyring is None:
            return ""
        try:
            return str(keyring.get_password(SERVICE, name + self._suffix) or "").strip()
        except (keyring.errors.KeyringError, *KEYRING_TROUBLE) as error:
            raise Failed(
                f"The token is in the keyring, which does not open: {error}",
                code="keyring.unusable",
                actions=("Unlock the keyring.", "CLOUDLET_KEYRING=file cloudlet auth login"),
            ) from None

    def _drop_from_keyring(self, name: str) -> bool:
        keyring = self._keyring()
        if keyring is None:
            return False
        try:
            keyring.delete_password(SERVICE, name + self._suffix)
        except (keyring.errors.KeyringError, *KEYRING_TROUBLE):
            return False
        return True


def strength(keyring: Any) -> float:
    """The priority of a back end, or of the best one in a chain of them; `keyring` recommends 1 and more."""
    return float(max(one.priority for one in getattr(keyring, "backends", None) or [keyring]))


def read_json(path: Path) -> dict[str, Any]:
    try:
        content = orjson.loads(path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return content if isinstance(content, dict) else {}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Atomically: a reader sees the old or the new file, nobody else than the owner sees either."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.json")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(content))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
