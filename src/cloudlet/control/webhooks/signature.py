"""The signature of a delivery, so that its receiver knows who sent it, when, and that nothing was changed.

    Cloudlet-Signature: t=1764000000,v1=<hex HMAC-SHA256 of "t.body", keyed with the secret>[,v1=<with the old secret>]

While a secret is rolled there are two: one of them fits. Receivers refuse what is older than TOLERANCE_SECONDS, so that
nobody can send again what they overheard.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from cloudlet.control.platform import Platform
from cloudlet.license.canonical import to_base64url

HEADER = "Cloudlet-Signature"
TOLERANCE_SECONDS = 300
PREFIX = "whsec_"
# What receivers do, for their authors to copy; docs/webhooks.md has it too.
RECEIVER_EXAMPLE = '''\
import hashlib
import hmac


def is_from_cloudlet(header: str, body: bytes, secret: str, now: float) -> bool:
    """`header` is Cloudlet-Signature, `body` the bytes as they came, `now` is time.time()."""
    parts = [part.partition("=")[::2] for part in header.split(",")]
    moments = [value for name, value in parts if name == "t"]
    if len(moments) != 1 or not moments[0].isdigit() or abs(now - int(moments[0])) > 300:
        return False
    expected = hmac.new(secret.encode(), f"{moments[0]}.".encode() + body, hashlib.sha256).hexdigest()
    return any(hmac.compare_digest(value.encode(), expected.encode()) for name, value in parts if name == "v1")
'''


def new_secret(platform: Platform) -> str:
    """32 random bytes, for people to copy."""
    return PREFIX + to_base64url(platform.effects.random_bytes(32))


def signature_header(secrets: Iterable[str], body: bytes, now: float) -> str:
    """The header's value for a body that is sent at `now` (seconds since the epoch)."""
    moment = int(now)
    return ",".join([f"t={moment}", *(f"v1={signature(secret, body, moment)}" for secret in secrets)])


def signature(secret: str, body: bytes, moment: int) -> str:
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
