"""Password hashes: argon2id with the library's current parameters."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

HASHER = PasswordHasher()
# Verified in place of a user who does not exist or has no password, so that both answers take as long.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c2l4dGVlbiBieXRlcyAhIQ$pO/YKVtIu+wlr9c4Fmj3JH2Bmd93FVJNJ7r6Y3n2NCM"


def hash_password(password: str) -> str:
    return HASHER.hash(password)


def is_correct(password_hash: str | None, password: str) -> bool:
    """False for a wrong password and for a user without one, after the same work."""
    try:
        HASHER.verify(password_hash or NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
