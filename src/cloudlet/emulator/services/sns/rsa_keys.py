"""RSA keys and certificates. A module of its own, loaded when the first message is signed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

PADDING = padding.PKCS1v15()
SHA1 = hashes.SHA1()  # noqa: S303  SignatureVersion 1 is SHA-1
SHA256 = hashes.SHA256()


def make_key(bits: int, now: float, days: int) -> tuple[str, str]:
    """A private key and its certificate, in PEM. `now`: seconds since the epoch."""
    key = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    begin = datetime.fromtimestamp(now, UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .sign(key, SHA256)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


@lru_cache(maxsize=16)
def load(private_key: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(private_key.encode(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("not an RSA key")
    return key


def sign(private_key: str, text: bytes, version: str) -> bytes:
    return load(private_key).sign(text, PADDING, SHA256 if version == "2" else SHA1)
