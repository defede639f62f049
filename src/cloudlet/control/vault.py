"""The platform's secret and what is made with it: keyed hashes for looking secrets up, sealing for keeping them.

One secret of 32 bytes or more; a key for each purpose is derived from it, so that no two uses share one.
Losing it makes sealed tokens unreadable and all tokens unknown: back it up apart from the database.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cloudlet.license.effects import Effects
from cloudlet.settings import PlatformSettings

MINIMUM_BYTES = 32
NONCE_BYTES = 12


class SecretKeyError(Exception):
    """The secret key is missing, too short, or not the one that this database was made with."""


class Vault:
    """Derived keys. Holds secrets: never print or log it."""

    __slots__ = ("_aead", "_effects", "_pepper", "csrf_secret")

    def __init__(self, secret: bytes, effects: Effects) -> None:
        self._effects = effects
        self._pepper = derive(secret, "lookup")
        self._aead = AESGCM(derive(secret, "seal"))
        self.csrf_secret = derive(secret, "csrf").hex()

    def lookup_hash(self, purpose: str, secret: str) -> str:
        """The hash under which a secret is found; worthless without the key. The same secret, another purpose: another hash."""
        return hmac.new(self._pepper, f"{purpose}:{secret}".encode(), hashlib.sha256).hexdigest()

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypted and bound to its place (`context`, such as the row's id): it cannot be moved to another row."""
        nonce = self._effects.random_bytes(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plain, context.encode())

    def unseal(self, sealed: bytes, context: str) -> bytes:
        """Raises SecretKeyError when it was sealed with another secret, for another place, or changed."""
        try:
            return self._aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError):
            raise SecretKeyError(
                "PLATFORM_SECRET_KEY is not the key that this database was made with; restore the old key"
            ) from None


def derive(secret: bytes, purpose: str) -> bytes:
    """HKDF-SHA256 (RFC 5869) without salt, one block."""
    extracted = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    return hmac.new(extracted, b"cloudlet control " + purpose.encode() + b"\x01", hashlib.sha256).digest()


def load_secret(settings: PlatformSettings, effects: Effects) -> bytes:
    """The secret from PLATFORM_SECRET_KEY, its file, or the state directory, where the first run makes one (0600).

    Raises SecretKeyError.
    """
    if settings.secret_key:
        return checked(settings.secret_key, "PLATFORM_SECRET_KEY")
    if settings.secret_key_file:
        try:
            return checked(Path(settings.secret_key_file).read_text(encoding="utf-8"), settings.secret_key_file)
        except (OSError, UnicodeDecodeError) as error:
            raise SecretKeyError(f"PLATFORM_SECRET_KEY_FILE={settings.secret_key_file}: {error}") from None
    path = Path(settings.state_dir) / "secret.key"
    if not path.exists():
        create_secret(path, effects)
    try:
        return checked(path.read_text(encoding="ascii"), str(path))
    except OSError as error:
        raise SecretKeyError(f"{path}: {error.strerror}") from None


def checked(text: str, where: str) -> bytes:
    secret = text.strip().encode()
    if len(secret) < MINIMUM_BYTES:
        raise SecretKeyError(
            f"{where} is too short: {MINIMUM_BYTES} random characters at least (openssl rand -base64 48)"
        )
    return secret


def create_secret(path: Path, effects: Effects) -> None:
    """Atomic, and the first of several processes wins: the file appears whole or not at all."""
    text = base64.b64encode(effects.random_bytes(48))
    unfinished = path.with_name(f".{path.name}.{effects.random_bytes(6).hex()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(unfinished, path)
        except FileExistsError:
            pass
        finally:
            unfinished.unlink()
    except OSError as error:
        raise SecretKeyError(f"{path}: {error.strerror}") from None
