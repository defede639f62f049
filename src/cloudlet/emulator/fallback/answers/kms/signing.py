"""Sign, Verify, authentication codes, public keys and shared secrets."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.kms import crypto
from cloudlet.emulator.fallback.answers.kms.keys import AGREE, MAC, SIGN, algorithms, dry_run, opened, refuse, usable


def fitting(key: Any, algorithm: str, possible: list[str]) -> None:
    if algorithm not in possible:
        raise refuse("InvalidKeyUsageException", f"Algorithm {algorithm} is incompatible with key spec {key.key_spec}.")


def checked(asked: Asked, key: Any) -> tuple[str, bytes, bool]:
    """(algorithm, message, whether it is a digest)."""
    request, operation = asked.request, asked.call.operation
    algorithm, message, kind = request["SigningAlgorithm"], request["Message"], request.get("MessageType", "RAW")
    usable(key, operation, SIGN)
    fitting(key, algorithm, list(crypto.SIGNING[key.key_spec]))
    if algorithm == "ED25519_PH_SHA_512":
        raise refuse("UnsupportedOperationException", "The signing algorithm ED25519_PH_SHA_512 is not available.")
    if kind == "EXTERNAL_MU" and not algorithm.startswith("ML_DSA"):
        raise refuse("ValidationException", f"MessageType EXTERNAL_MU is not compatible with {algorithm}.")
    if kind == "DIGEST" and algorithm == "ED25519_SHA_512":
        raise refuse("ValidationException", f"MessageType DIGEST is not compatible with {algorithm}.")
    is_digest = kind != "RAW"
    if is_digest and len(message) != crypto.digest_bytes(algorithm):
        raise refuse("ValidationException", f"Digest is invalid length for algorithm {algorithm}.")
    return algorithm, message, is_digest


def sign(asked: Asked) -> dict[str, Any]:
    with opened(asked) as key:
        algorithm, message, is_digest = checked(asked, key)
        dry_run(asked)
        signature = crypto.sign(key.private, algorithm, message, is_digest=is_digest)
        return {"KeyId": key.arn, "Signature": signature, "SigningAlgorithm": algorithm}


def verify(asked: Asked) -> dict[str, Any]:
    with opened(asked) as key:
        algorithm, message, is_digest = checked(asked, key)
        dry_run(asked)
        if not crypto.verify(key.private, algorithm, message, asked.request["Signature"], is_digest=is_digest):
            raise refuse("KMSInvalidSignatureException")
        return {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm}


def code_of(asked: Asked, key: Any) -> bytes:
    algorithm = asked.request["MacAlgorithm"]
    usable(key, asked.call.operation, MAC)
    fitting(key, algorithm, algorithms(key.key_spec, MAC)["MacAlgorithms"])
    dry_run(asked)
    return crypto.authenticate(key.materials[-1], algorithm, asked.request["Message"])


def generate_mac(asked: Asked) -> dict[str, Any]:
    with opened(asked) as key:
        return {"Mac": code_of(asked, key), "MacAlgorithm": asked.request["MacAlgorithm"], "KeyId": key.arn}


def verify_mac(asked: Asked) -> dict[str, Any]:
    with opened(asked) as key:
        if not hmac.compare_digest(code_of(asked, key), asked.request["Mac"]):
            raise refuse("KMSInvalidMacException")
        return {"KeyId": key.arn, "MacValid": True, "MacAlgorithm": asked.request["MacAlgorithm"]}


def get_public_key(asked: Asked) -> dict[str, Any]:
    with opened(asked) as key:
        if not key.private and key.origin != "EXTERNAL":
            raise refuse(
                "UnsupportedOperationException",
                f"{key.arn} key spec is {key.key_spec} which is not valid for GetPublicKey.",
            )
        usable(key)
        return {
            "KeyId": key.arn,
            "PublicKey": crypto.public_der(key.private),
            "CustomerMasterKeySpec": key.key_spec,
            "KeySpec": key.key_spec,
            "KeyUsage": key.key_usage,
            **algorithms(key.key_spec, key.key_usage),
        }


def derive_shared_secret(asked: Asked) -> dict[str, Any]:
    """ECDH: the other side gets the same from its private key and our public one."""
    request = asked.request
    with opened(asked) as key:
        usable(key, "DeriveSharedSecret", AGREE)
        own: Any = load_der_private_key(key.private, None)
        try:
            other: Any = load_der_public_key(request["PublicKey"])
            secret = own.exchange(ec.ECDH(), other)
        except (ValueError, TypeError) as error:
            raise refuse(
                "ValidationException", "The public key is not a valid key on the curve of the KMS key."
            ) from error
        dry_run(asked)
        return {
            "KeyId": key.arn,
            "SharedSecret": secret,
            "KeyAgreementAlgorithm": request["KeyAgreementAlgorithm"],
            "KeyOrigin": key.origin,
        }


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "Sign": sign,
        "Verify": verify,
        "GenerateMac": generate_mac,
        "VerifyMac": verify_mac,
        "GetPublicKey": get_public_key,
        "DeriveSharedSecret": derive_shared_secret,
    }
)
