"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes in place of it."""

from __future__ import annotations

import base64
import hmac
from typing import Any, cast

import msgspec
import pyotp
import segno
from markupsafe import Markup
from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.orm import Session

from cloudlet.control.accounts.errors import NoSecondFactor, WrongCode
from cloudlet.control.accounts.tables import RecoveryCode, User
from cloudlet.control.ids import CROCKFORD
from cloudlet.control.platform import Platform

ISSUER = "Cloudlet"
STEP_SECONDS = 30
STEPS_AROUND = (0, -1, 1)  # a phone's clock may be half a minute off
SECRET_BYTES = 20
RECOVERY_CODES = 10
HALF_CODE = 5


class Offer(msgspec.Struct, frozen=True):
    """What an authenticator app needs: the key as people type it, the link, and its QR code as SVG."""

    key: str
    link: str
    picture: Markup


def offer(session: Session, platform: Platform, user_id: str) -> Offer:
    """The key that is being set up; the same one until it is confirmed, so that a page can be loaded again."""
    user = session.get_one(User, user_id)
    if user.totp_pending_enc is None:
        secret = base64.b32encode(platform.effects.random_bytes(SECRET_BYTES)).decode()
        user.totp_pending_enc = platform.vault.seal(secret.encode(), sealed_for(user))
    secret = platform.vault.unseal(user.totp_pending_enc, sealed_for(user)).decode()
    link = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=ISSUER)
    picture = segno.make(link, error="m").svg_inline(scale=5, border=4, dark="#000", light="#fff")
    key = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return Offer(key, link, Markup(picture))  # noqa: S704  made of numbers by segno


def turn_on(session: Session, platform: Platform, user_id: str, code: str) -> list[str]:
    """Confirm the offered key with a code of it. Returns recovery codes, which nobody can see again. Raises WrongCode."""
    user = session.get_one(User, user_id)
    if user.totp_pending_enc is None:
        raise WrongCode("Scan the code again: it is not being set up any more.")
    secret = platform.vault.unseal(user.totp_pending_enc, sealed_for(user)).decode()
    step = step_of(platform, secret, code)
    if step is None:
        raise WrongCode
    user.totp_secret_enc, user.totp_pending_enc, user.totp_step = user.totp_pending_enc, None, step
    return make_recovery_codes(session, platform, user_id)


def turn_off(session: Session, user_id: str) -> None:
    user = session.get_one(User, user_id)
    user.totp_secret_enc = user.totp_pending_enc = None
    user.totp_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def accept(session: Session, platform: Platform, user: User, code: str) -> bool:
    """Take a code of the app, or a recovery code, which are used up by it. Whether it was a recovery code.

    Raises WrongCode, for a code that was used before too; of two at the same time one wins.
    """
    if user.totp_secret_enc is None:
        raise NoSecondFactor
    typed = "".join(code.split()).replace("-", "").lower()
    if len(typed) == 2 * HALF_CODE:
        use_recovery_code(session, platform, user, typed)
        return True
    secret = platform.vault.unseal(user.totp_secret_enc, sealed_for(user)).decode()
    step = step_of(platform, secret, typed)
    if step is None:
        raise WrongCode
    used = session.execute(
        update(User)
        .where(User.id == user.id, (User.totp_step < step) | User.totp_step.is_(None))
        .values(totp_step=step)
        .execution_options(synchronize_session=False)
    )
    if cast(CursorResult[Any], used).rowcount != 1:
        raise WrongCode("That code was used already. Wait for the next one.")
    return False


def step_of(platform: Platform, secret: str, code: str) -> int | None:
    """The time step whose code it is, of those around now. All are compared, whichever fits."""
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    now = int(platform.effects.now()) // STEP_SECONDS
    typed = "".join(code.split()).encode()
    fitting = [
        now + around for around in STEPS_AROUND if hmac.compare_digest(totp.generate_otp(now + around).encode(), typed)
    ]
    return fitting[0] if fitting else None


def make_recovery_codes(session: Session, platform: Platform, user_id: str) -> list[str]:
    """Ten new codes in place of all older ones."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [
        "".join(CROCKFORD[byte % 32] for byte in platform.effects.random_bytes(2 * HALF_CODE))
        for _ in range(RECOVERY_CODES)
    ]
    now = platform.now()
    session.add_all(
        RecoveryCode(hash=recovery_hash(platform, user_id, code), user_id=user_id, created_at=now) for code in codes
    )
    return [f"{code[:HALF_CODE]}-{code[HALF_CODE:]}" for code in codes]


def use_recovery_code(session: Session, platform: Platform, user: User, code: str) -> None:
    """Raises WrongCode."""
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.hash == recovery_hash(platform, user.id, code),
            RecoveryCode.user_id == user.id,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=platform.now())
    )
    if cast(CursorResult[Any], used).rowcount != 1:
        raise WrongCode("That recovery code is wrong, or was used already.")


def recovery_codes_left(session: Session, user_id: str) -> int:
    return (
        session.scalar(select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))) or 0
    )


def recovery_hash(platform: Platform, user_id: str, code: str) -> str:
    return platform.vault.lookup_hash("recovery:" + user_id, code)


def sealed_for(user: User) -> str:
    return user.id + ":totp"
