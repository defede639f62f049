"""What people fill in about their tokens."""

from __future__ import annotations

import msgspec


class RevealForm(msgspec.Struct, frozen=True):
    """`code`: of the second factor, where there is one."""

    password: str = ""
    code: str = ""


class ResetForm(msgspec.Struct, frozen=True):
    confirm: str = ""
    password: str = ""
    code: str = ""


class LegacyKeyForm(msgspec.Struct, frozen=True):
    """`member` is the owner's membership."""

    member: str = ""
    name: str = ""
