"""Ciphertexts, signatures and authentication codes, from key material in bytes.

A symmetric ciphertext names the key and the material that made it, so that Decrypt needs nothing else:

    magic, length of the key id, key id, number of the material, nonce, AES-256-GCM with the encryption context

The rest follows "Key spec reference" and "Sign" in the AWS Key Management Service Developer Guide.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

MAGIC = b"\x01\x02cldt"
NONCE_BYTES = 12
SYMMETRIC = "SYMMETRIC_DEFAULT"

RSA_SIGNING = (
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
)
SIGNING: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "RSA_2048": RSA_SIGNING,
        "RSA_3072": RSA_SIGNING,
        "RSA_4096": RSA_SIGNING,
        "ECC_NIST_P256": ("ECDSA_SHA_256",),
        "ECC_NIST_P384": ("ECDSA_SHA_384",),
        "ECC_NIST_P521": ("ECDSA_SHA_512",),
        "ECC_SECG_P256K1": ("ECDSA_SHA_256",),
        "ECC_NIST_EDWARDS25519": ("ED25519_SHA_512", "ED25519_PH_SHA_512"),
        "ML_DSA_44": ("ML_DSA_SHAKE_256",),
        "ML_DSA_65": ("ML_DSA_SHAKE_256",),
        "ML_DSA_87": ("ML_DSA_SHAKE_256",),
    }
)
RSA_ENCRYPTION = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")
HMAC_BYTES: Mapping[str, int] = MappingProxyType({"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64})
RSA_BITS: Mapping[str, int] = MappingProxyType({"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096})
CURVES: Mapping[str, Callable[[], ec.EllipticCurve]] = MappingProxyType(
    {
        "ECC_NIST_P256": ec.SECP256R1,
        "ECC_NIST_P384": ec.SECP384R1,
        "ECC_NIST_P521": ec.SECP521R1,
        "ECC_SECG_P256K1": ec.SECP256K1,
    }
)
POST_QUANTUM: Mapping[str, Any] = MappingProxyType(
    {
        "ML_DSA_44": mldsa.MLDSA44PrivateKey,
        "ML_DSA_65": mldsa.MLDSA65PrivateKey,
        "ML_DSA_87": mldsa.MLDSA87PrivateKey,
    }
)
HASHES: Mapping[str, Callable[[], hashes.HashAlgorithm]] = MappingProxyType(
    {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
)


class Sealed(NamedTuple):
    """A symmetric ciphertext taken apart."""

    key_id: str
    material: int
    nonce: bytes
    content: bytes


def bound(context: Mapping[str, str] | None) -> bytes:
    """The encryption context as additional data; its order does not count."""
    return json.dumps(sorted((context or {}).items()), ensure_ascii=False).encode()


def seal(
    key_id: str, number: int, material: bytes, nonce: bytes, plaintext: bytes, context: Mapping[str, str] | None
) -> bytes:
    head = MAGIC + bytes([len(key_id)]) + key_id.encode() + bytes([number]) + nonce
    return head + AESGCM(material).encrypt(nonce, plaintext, bound(context))


def take_apart(blob: bytes) -> Sealed | None:
    """None where the bytes are no symmetric ciphertext of ours."""
    start = len(MAGIC) + 1
    if not blob.startswith(MAGIC) or len(blob) < start:
        return None
    end = start + blob[len(MAGIC)]
    nonce_end = end + 1 + NONCE_BYTES
    if len(blob) < nonce_end:
        return None
    try:
        return Sealed(blob[start:end].decode(), blob[end], blob[end + 1 : nonce_end], blob[nonce_end:])
    except UnicodeDecodeError:
        return None


def unseal(sealed: Sealed, material: bytes, context: Mapping[str, str] | None) -> bytes | None:
    """The plaintext; None where content, key or context are not those that were sealed."""
    try:
        return AESGCM(material).decrypt(sealed.nonce, sealed.content, bound(context))
    except InvalidTag:
        return None


def new_private_key(spec: str) -> bytes:
    """A private key of an asymmetric spec as PKCS #8 in DER. Raises KeyError for a spec that is none."""
    key: Any
    if spec in RSA_BITS:
        key = rsa.generate_private_key(65537, RSA_BITS[spec])
    elif spec in CURVES:
        key = ec.generate_private_key(CURVES[spec]())
    elif spec == "ECC_NIST_EDWARDS25519":
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        key = POST_QUANTUM[spec].generate()
    return private_der(key)


def private_der(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def public_der(private: bytes) -> bytes:
    """SubjectPublicKeyInfo in DER."""
    key: Any = load_der_private_key(private, None)
    return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def fits(spec: str, private: bytes) -> bool:
    """Whether a private key is of the spec."""
    try:
        key: Any = load_der_private_key(private, None)
    except (ValueError, TypeError):
        return False
    if spec in RSA_BITS:
        return isinstance(key, rsa.RSAPrivateKey) and key.key_size == RSA_BITS[spec]
    if spec in CURVES:
        return isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == CURVES[spec]().name
    return isinstance(key, ed25519.Ed25519PrivateKey) and spec == "ECC_NIST_EDWARDS25519"


def oaep(algorithm: str) -> padding.OAEP:
    made = hashes.SHA256() if algorithm.endswith("SHA_256") else hashes.SHA1()  # noqa: S303 - what was asked for
    return padding.OAEP(padding.MGF1(made), made, None)


def room(spec: str, algorithm: str) -> int:
    """How many bytes RSA encrypts at once."""
    return RSA_BITS[spec] // 8 - 2 - 2 * (32 if algorithm.endswith("SHA_256") else 20)


def rsa_seal(private: bytes, algorithm: str, plaintext: bytes) -> bytes:
    key: Any = load_der_private_key(private, None)
    return bytes(key.public_key().encrypt(plaintext, oaep(algorithm)))


def rsa_unseal(private: bytes, algorithm: str, blob: bytes) -> bytes | None:
    key: Any = load_der_private_key(private, None)
    try:
        return bytes(key.decrypt(blob, oaep(algorithm)))
    except ValueError:
        return None


def digest_bytes(algorithm: str) -> int:
    """The length of the digest that an algorithm signs; 64 for external mu of ML-DSA and for Ed25519ph."""
    return int(algorithm[-3:]) // 8 if algorithm[-3:] in HASHES and not algorithm.startswith("ML") else 64


def sign(private: bytes, algorithm: str, message: bytes, *, is_digest: bool) -> bytes:
    key: Any = load_der_private_key(private, None)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    if algorithm.startswith("ML_DSA"):
        return bytes(key.sign_mu(message) if is_digest else key.sign(message))
    digest = HASHES[algorithm[-3:]]()
    hashed = Prehashed(digest) if is_digest else digest
    if algorithm.startswith("ECDSA"):
        return bytes(key.sign(message, ec.ECDSA(hashed)))
    return bytes(key.sign(message, rsa_padding(algorithm, digest), hashed))


def verify(private: bytes, algorithm: str, message: bytes, signature: bytes, *, is_digest: bool) -> bool:
    key: Any = load_der_private_key(private, None)
    public = key.public_key()
    try:
        if isinstance(key, ed25519.Ed25519PrivateKey):
            public.verify(signature, message)
        elif algorithm.startswith("ML_DSA"):
            (public.verify_mu if is_digest else public.verify)(signature, message)
        else:
            digest = HASHES[algorithm[-3:]]()
            hashed = Prehashed(digest) if is_digest else digest
            if algorithm.startswith("ECDSA"):
                public.verify(signature, message, ec.ECDSA(hashed))
            else:
                public.verify(signature, message, rsa_padding(algorithm, digest), hashed)
    except InvalidSignature:
        return False
    return True


def rsa_padding(algorithm: str, digest: hashes.HashAlgorithm) -> padding.AsymmetricPadding:
    """PSS salts are as long as the digest."""
    if algorithm.startswith("RSASSA_PSS"):
        return padding.PSS(padding.MGF1(digest), digest.digest_size)
    return padding.PKCS1v15()


def authenticate(material: bytes, algorithm: str, message: bytes) -> bytes:
    return hmac.new(material, message, f"sha{algorithm[-3:]}").digest()


def material_id(material: bytes) -> str:
    """64 hexadecimal digits that name key material and do not tell it."""
    return hashlib.sha256(b"key material " + material).hexdigest()
