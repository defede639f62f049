"""KMS: keys with real material, on moto's objects.

keys        what a key is, how it is found, in which state it can be used; creation and deletion
crypto      ciphertexts, signatures, codes: pure functions on key material
sealing     Encrypt, Decrypt, ReEncrypt, data keys
signing     Sign, Verify, codes, public keys, shared secrets
material    import and rotation
grants      grants and aliases
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cloudlet.emulator.fallback.answers import Answer
from cloudlet.emulator.fallback.answers.kms import grants, keys, material, sealing, signing

ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        **keys.ANSWERS,
        **sealing.ANSWERS,
        **signing.ANSWERS,
        **material.ANSWERS,
        **grants.ANSWERS,
    }
)
