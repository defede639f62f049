"""What people fill in about their tokens."""

from __future__ import annotations

import msgspec


class RevealForm(msgspec.Struct, frozen=True):
    password: str = ""


class ResetForm(msgspec.Struct, frozen=True):
    confirm: str = ""
    password: str = ""


class LegacyKeyForm(msgspec.Struct, frozen=True):
    """`member` is the owner's membership."""

    member: str = ""
    name: str = ""
