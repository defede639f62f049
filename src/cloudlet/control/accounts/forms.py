"""What people fill in about themselves."""

from __future__ import annotations

import msgspec


class SignInForm(msgspec.Struct, frozen=True):
    email: str = ""
    password: str = ""
    next: str = "/"


class LinkForm(msgspec.Struct, frozen=True):
    next: str = ""


class CodeForm(msgspec.Struct, frozen=True):
    """A code of an authenticator app, or a recovery code."""

    code: str = ""
    next: str = "/"


class SignUpForm(msgspec.Struct, frozen=True):
    name: str = ""
    email: str = ""
    password: str = ""


class VerifyForm(msgspec.Struct, frozen=True):
    """`password` in a browser other than the one that signed up."""

    password: str = ""


class AddressForm(msgspec.Struct, frozen=True):
    email: str = ""


class NewPasswordForm(msgspec.Struct, frozen=True):
    new: str = ""


class PasswordForm(msgspec.Struct, frozen=True):
    new: str = ""
    current: str = ""
    code: str = ""


class ProfileForm(msgspec.Struct, frozen=True):
    name: str = ""


class EmailForm(msgspec.Struct, frozen=True):
    email: str = ""
    password: str = ""
    code: str = ""


class ProofForm(msgspec.Struct, frozen=True):
    """`code`: of the second factor, where there is one and they did not sign in a moment ago."""

    password: str = ""
    code: str = ""
