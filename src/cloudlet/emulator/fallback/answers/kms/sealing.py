"""Encrypt, Decrypt, ReEncrypt, data keys and random bytes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.kms import crypto
from cloudlet.emulator.fallback.answers.kms.keys import ENCRYPT, dry_run, find, opened, refuse, usable

DATA_KEY_BYTES: Mapping[str, int] = MappingProxyType({"AES_256": 32, "AES_128": 16})
GONE = (
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, "
    "or you are not allowed to access."
)


def fitting(key: Any, operation: str, algorithm: str) -> None:
    """Raises InvalidKeyUsageException where the key does not encrypt in this way."""
    usable(key, operation, ENCRYPT)
    possible = (crypto.SYMMETRIC,) if key.key_spec == crypto.SYMMETRIC else crypto.RSA_ENCRYPTION
    if algorithm not in possible:
        raise refuse("InvalidKeyUsageException", f"Algorithm {algorithm} is incompatible with key spec {key.key_spec}.")


def sealed(asked: Asked, key: Any, plaintext: bytes, algorithm: str, context: Mapping[str, str] | None) -> bytes:
    """A ciphertext. Raises ValidationException for what RSA has no room for."""
    if algorithm == crypto.SYMMETRIC:
        nonce = asked.call.ids.bytes(crypto.NONCE_BYTES)
        return crypto.seal(key.id, len(key.materials) - 1, key.materials[-1], nonce, plaintext, context)
    most = crypto.room(key.key_spec, algorithm)
    if len(plaintext) > most:
        raise refuse(
            "ValidationException",
            f"Algorithm {algorithm} and key spec {key.key_spec} cannot encrypt data larger than {most} bytes.",
        )
    return crypto.rsa_seal(key.private, algorithm, plaintext)


def unsealed(
    asked: Asked,
    backend: Any,
    operation: str,
    blob: bytes,
    algorithm: str,
    named: str | None,
    context: Mapping[str, str] | None,
) -> tuple[Any, bytes, str | None]:
    """(key, plaintext, id of the material). Raises InvalidCiphertextException, IncorrectKeyException and the like."""
    if algorithm != crypto.SYMMETRIC:
        if named is None:
            raise refuse("ValidationException", "1 validation error detected: Value null at 'keyId' failed to satisfy "
                         "constraint: Member must not be null")  # fmt: skip
        key = find(asked, backend, named)
        fitting(key, operation, algorithm)
        plaintext = crypto.rsa_unseal(key.private, algorithm, blob)
        if plaintext is None:
            raise refuse("InvalidCiphertextException")
        return key, plaintext, None
    expected = None if named is None else find(asked, backend, named)
    if expected is not None:
        fitting(expected, operation, algorithm)
    parts = crypto.take_apart(blob)
    if parts is None:
        raise refuse("InvalidCiphertextException")
    key = backend.keys.get(parts.key_id)
    if key is None and expected is not None and expected.id == parts.key_id:
        key = expected  # another account's
    if key is None:
        raise refuse("AccessDeniedException", GONE)
    key = find(asked, backend, key.arn)
    if expected is not None and expected is not key:
        raise refuse(
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
        )
    fitting(key, operation, algorithm)
    material = key.materials[parts.material] if parts.material < len(key.materials) else None
    plaintext = None if material is None else crypto.unseal(parts, material, context)
    if material is None or plaintext is None:
        raise refuse("InvalidCiphertextException")
    return key, plaintext, crypto.material_id(material)


def encrypt(asked: Asked) -> dict[str, Any]:
    request = asked.request
    algorithm = request.get("EncryptionAlgorithm", crypto.SYMMETRIC)
    with opened(asked) as key:
        fitting(key, "Encrypt", algorithm)
        blob = sealed(asked, key, request["Plaintext"], algorithm, request.get("EncryptionContext"))
        dry_run(asked)
        return {"CiphertextBlob": blob, "KeyId": key.arn, "EncryptionAlgorithm": algorithm}


def decrypt(asked: Asked) -> dict[str, Any]:
    request = asked.request
    algorithm = request.get("EncryptionAlgorithm", crypto.SYMMETRIC)
    blob = request.get("CiphertextBlob", b"")
    with asked.state() as backend:
        key, plaintext, material = unsealed(
            asked, backend, "Decrypt", blob, algorithm, request.get("KeyId"), request.get("EncryptionContext")
        )
        dry_run(asked)
    told = {"KeyId": key.arn, "Plaintext": plaintext, "EncryptionAlgorithm": algorithm}
    return told if material is None else told | {"KeyMaterialId": material}


def re_encrypt(asked: Asked) -> dict[str, Any]:
    request = asked.request
    source_algorithm = request.get("SourceEncryptionAlgorithm", crypto.SYMMETRIC)
    algorithm = request.get("DestinationEncryptionAlgorithm", crypto.SYMMETRIC)
    with asked.state() as backend:
        target = find(asked, backend, request["DestinationKeyId"])
        fitting(target, "ReEncrypt", algorithm)
        source, plaintext, material = unsealed(
            asked,
            backend,
            "ReEncrypt",
            request.get("CiphertextBlob", b""),
            source_algorithm,
            request.get("SourceKeyId"),
            request.get("SourceEncryptionContext"),
        )
        blob = sealed(asked, target, plaintext, algorithm, request.get("DestinationEncryptionContext"))
        dry_run(asked)
    told = {
        "CiphertextBlob": blob,
        "SourceKeyId": source.arn,
        "KeyId": target.arn,
        "SourceEncryptionAlgorithm": source_algorithm,
        "DestinationEncryptionAlgorithm": algorithm,
    }
    if material is not None:
        told["SourceKeyMaterialId"] = material
    if algorithm == crypto.SYMMETRIC:
        told["DestinationKeyMaterialId"] = crypto.material_id(target.materials[-1])
    return told


def symmetric(key: Any, operation: str) -> Any:
    """Raises InvalidKeyUsageException for keys that make no data keys."""
    usable(key, operation, ENCRYPT)
    if key.key_spec != crypto.SYMMETRIC:
        raise refuse(
            "InvalidKeyUsageException", f"{key.arn} key spec is {key.key_spec} which is not valid for {operation}."
        )
    return key


def generate_data_key(asked: Asked) -> dict[str, Any]:
    request, operation = asked.request, asked.call.operation
    spec, length = request.get("KeySpec"), request.get("NumberOfBytes")
    if (spec is None) == (length is None):
        raise refuse("ValidationException", "Please specify either number of bytes or key spec.")
    with opened(asked) as key:
        symmetric(key, operation)
        dry_run(asked)
        plaintext = asked.call.ids.bytes(DATA_KEY_BYTES[spec] if spec is not None else int(length or 0))
        blob = sealed(asked, key, plaintext, crypto.SYMMETRIC, request.get("EncryptionContext"))
        told = {"CiphertextBlob": blob, "Plaintext": plaintext, "KeyId": key.arn}
        told["KeyMaterialId"] = crypto.material_id(key.materials[-1])
    if operation == "GenerateDataKeyWithoutPlaintext":
        del told["Plaintext"]
    return told


def generate_data_key_pair(asked: Asked) -> dict[str, Any]:
    request, operation = asked.request, asked.call.operation
    spec = request["KeyPairSpec"]
    if spec not in crypto.RSA_BITS and spec not in crypto.CURVES and spec != "ECC_NIST_EDWARDS25519":
        raise refuse("UnsupportedOperationException", f"KeyPairSpec {spec} is not supported in this region.")
    with opened(asked) as key:
        symmetric(key, operation)
        dry_run(asked)
        private = crypto.new_private_key(spec)
        told = {
            "PrivateKeyCiphertextBlob": sealed(asked, key, private, crypto.SYMMETRIC, request.get("EncryptionContext")),
            "PrivateKeyPlaintext": private,
            "PublicKey": crypto.public_der(private),
            "KeyId": key.arn,
            "KeyPairSpec": spec,
            "KeyMaterialId": crypto.material_id(key.materials[-1]),
        }
    if operation == "GenerateDataKeyPairWithoutPlaintext":
        del told["PrivateKeyPlaintext"]
    return told


def generate_random(asked: Asked) -> dict[str, Any]:
    length = asked.request.get("NumberOfBytes")
    if length is None:
        raise refuse("ValidationException", "NumberOfBytes is required.")
    return {"Plaintext": asked.call.ids.bytes(length)}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "Encrypt": encrypt,
        "Decrypt": decrypt,
        "ReEncrypt": re_encrypt,
        "GenerateDataKey": generate_data_key,
        "GenerateDataKeyWithoutPlaintext": generate_data_key,
        "GenerateDataKeyPair": generate_data_key_pair,
        "GenerateDataKeyPairWithoutPlaintext": generate_data_key_pair,
        "GenerateRandom": generate_random,
    }
)
