"""What people fill in about themselves."""

from __future__ import annotations

import msgspec


class SignInForm(msgspec.Struct, frozen=True):
    email: str = ""
    password: str = ""
    next: str = "/"


class PasswordForm(msgspec.Struct, frozen=True):
    new: str = ""
    current: str = ""
