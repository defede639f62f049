"""Issuing temporary credentials, and finding the session that a call is signed with."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.kernel.access_keys import TEMPORARY_PREFIX, make_access_key
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.sts.errors import ExpiredToken
from cloudlet.emulator.services.sts.records import SESSIONS, Session

if TYPE_CHECKING:
    from cloudlet.emulator.services.sts.api import Credentials

RANDOM_BYTES = 5
SECRET_LENGTH = 40
TOKEN_BYTES = 264
SWEPT_PER_SESSION = 2  # expired sessions that each new one clears away, so they never pile up
KEPT_SECONDS = 24 * 3600  # after its end a session is kept for a day, so that it is refused as expired, not as unknown


def issue(call: Call, kind: str, account_id: str, arn: str, user_id: str, duration: int, **more: Any) -> Credentials:
    """Write a session of `duration` seconds; its credentials. `more`: the optional fields of `Session`."""
    sweep(call)
    session = Session(
        access_key_id=make_access_key(TEMPORARY_PREFIX, account_id, call.ids.bytes(RANDOM_BYTES)),
        secret_access_key=call.ids.alphanumeric(SECRET_LENGTH),
        session_token=b64encode(call.ids.bytes(TOKEN_BYTES)).decode(),
        kind=kind,
        account_id=account_id,
        arn=arn,
        user_id=user_id,
        expires_at=float(int(call.now) + duration),
        **more,
    )
    SESSIONS.put(call.tx, session)
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": session.expires_at,
    }


def sweep(call: Call) -> None:
    oldest = list(SESSIONS.lookup(call.tx, "by_expiry", to=(call.now - KEPT_SECONDS,), limit=SWEPT_PER_SESSION))
    for session in oldest:
        SESSIONS.delete(call.tx, session.access_key_id)


def calling_session(call: Call) -> Session | None:
    """The session whose key signed this call; None for long-term keys and keys that STS did not issue.

    Raises ExpiredToken.
    """
    access_key_id = call.principal.access_key_id
    if not access_key_id.startswith(TEMPORARY_PREFIX):
        return None
    session = SESSIONS.get(call.tx, access_key_id)
    if session is not None and session.expires_at <= call.now:
        raise ExpiredToken("The security token included in the request is expired")
    return session
