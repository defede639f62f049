"""What command lines send to sign in. LocalStack's Go client sends `actor` and `version`; ours the rest as well.

Bodies are read whatever their content type is called, as those of the license API are.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from cloudlet.control.devices.errors import BodyUnreadable, ScopeUnknown
from cloudlet.control.fields import one_line
from cloudlet.control.inputs import refuse_nul_in
from cloudlet.control.permissions import PERMISSIONS

MAX_BODY_BYTES = 16 * 1024
Form = TypeVar("Form")


class SignInRequest(msgspec.Struct, frozen=True):
    """`scopes`: permissions that the program asks for beside a license, `workspace` where its user wants to be."""

    actor: str = ""
    version: str = ""
    host: str = ""
    workspace: str = ""
    scopes: tuple[str, ...] = ()


class ExchangeForm(msgspec.Struct, frozen=True):
    exchange_token: str = ""


class DecisionForm(msgspec.Struct, frozen=True):
    """The page's form: `decision` is `approve` or `deny`."""

    decision: str = ""
    membership_id: str = ""
    password: str = ""
    code: str = ""


def read(raw: bytes, form: type[Form]) -> Form:
    """Raises BodyUnreadable, NulCharacter."""
    if len(raw) > MAX_BODY_BYTES:
        raise BodyUnreadable("The body is larger than 16 KiB.")
    try:
        found = msgspec.json.decode(raw or b"{}", type=form)
        refuse_nul_in(raw)
        return found
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BodyUnreadable(f"The body is not a sign-in request: {error}") from None


def read_sign_in(raw: bytes) -> SignInRequest:
    """Cleaned and cut to what is kept. Raises BodyUnreadable, ScopeUnknown."""
    sent = read(raw, SignInRequest)
    unknown = [scope for scope in sent.scopes if scope not in PERMISSIONS]
    if unknown:
        raise ScopeUnknown(f"There is no permission {one_line(unknown[0])[:80]!r}.")
    return SignInRequest(
        actor=one_line(sent.actor)[:80] or "unknown program",
        version=one_line(sent.version)[:80],
        host=one_line(sent.host)[:80],
        workspace="".join(char for char in sent.workspace if char.isprintable())[:200],
        scopes=tuple(sorted(set(sent.scopes))),
    )
