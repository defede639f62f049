"""Signing: RSA with PKCS #1 v1.5 padding, SHA-1 for SignatureVersion 1, SHA-256 for 2, and the certificate to check with.

`docs/decisions/0007-sns-signatures.md` says why the keys are as long as they are. What is signed is described by
"Verifying the signatures of Amazon SNS messages" in the Amazon SNS Developer Guide.
"""

from __future__ import annotations

import importlib
from base64 import b64encode
from functools import lru_cache
from typing import Any, Protocol

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.sns.records import SIGNING_KEYS, SigningKey

QUEUE = "queue"
HTTP = "http"
BITS = ((QUEUE, 1024), (HTTP, 2048))
CERTIFICATE_DAYS = 3650


class RsaKeys(Protocol):
    """The module `rsa_keys`."""

    def make_key(self, bits: int, now: float, days: int) -> tuple[str, str]: ...

    def sign(self, private_key: str, text: bytes, version: str) -> bytes: ...


@lru_cache(maxsize=1)
def rsa() -> RsaKeys:
    # lazy: cryptography costs 20 ms and 10 MB, and most emulators sign nothing
    module: Any = importlib.import_module("cloudlet.emulator.services.sns.rsa_keys")
    keys: RsaKeys = module
    return keys


def signing_key(call: Call, use: str) -> SigningKey:
    """The key for queues or for web servers; made when it is first needed, and kept."""
    found = SIGNING_KEYS.get(call.tx, use)
    if found is None:
        private_key, certificate = rsa().make_key(dict(BITS)[use], call.now, CERTIFICATE_DAYS)
        found = SigningKey(use, call.ids.hex(32), private_key, certificate)
        SIGNING_KEYS.put(call.tx, found)
    return found


def sign(key: SigningKey, text: str, version: str) -> str:
    """The signature in base64."""
    return b64encode(rsa().sign(key.private_key, text.encode(), version)).decode()


def certificate_url(base: str, key: SigningKey) -> str:
    return f"{base}/_aws/sns/SimpleNotificationService-{key.key_id}.pem"
