"""The signed license: `lsl1.<key id>.<payload>.<signature>`, Ed25519 over the ASCII bytes before the last dot.

The prefix separates this use of a key from any other, and there is no algorithm field to confuse. The payload is
canonical JSON, so that one license has one spelling and any changed byte is found. A key's id is derived from the key,
so a key cannot stand in for another one by taking its id.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cloudlet.license.canonical import NotCanonical, canonical_json, from_base64url, read_json, to_base64url

PREFIX = "lsl1"
MAX_BYTES = 16 * 1024
KEY_ID = re.compile(r"k[A-Za-z0-9_-]{16}")
UNDERSTOOD_CRITICAL: frozenset[str] = frozenset({"mach", "cnf", "doc"})


class Claims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """What a license says. Times are seconds since the epoch, UTC.

    - `jti` the activation, `lic` the license, `ws` the workspace, `sub` the member or CI key
    - `cnf` SHA-256 of the token that it was issued for (`confirmation`), None for a file that needs no token
    - `aud` products, `ver` versions covered; `ent` entitlements: name -> {} or {"limit": n}, or None
    - `mach` machine ids that it is bound to, None = any
    - `iat` issued, `nbf` not before, `ra` re-activate after (the end of the offline window), `exp` expires
    - `win` the offline window and `grace` what may follow it, in seconds
    - `seq` rises with each issue for a license, `ep` with each revocation
    - `doc` digest of the format-1 document that carries this envelope, None when standing alone
    - `crit` names of claims that a reader must understand
    """

    v: Literal[1] = 1
    iss: str
    jti: str
    lic: str
    ws: str
    sub: str
    plan: str
    status: Literal["ACTIVE"] = "ACTIVE"
    kind: Literal["online", "file"] = "online"
    cnf: str | None
    aud: tuple[str, ...]
    ver: str
    ent: dict[str, dict[str, int] | None]
    mach: tuple[str, ...] | None
    iat: int
    nbf: int
    ra: int
    exp: int
    win: int
    grace: int = 0
    seq: int
    ep: int
    doc: str | None = None
    crit: tuple[str, ...] = ()

    def limits(self) -> tuple[tuple[str, int | None], ...]:
        """Entitlements as (name, limit or None), sorted."""
        return tuple((name, (value or {}).get("limit")) for name, value in sorted(self.ent.items()))


class EnvelopeRefused(Exception):
    """The text is no license that a trusted key signed. `problem` is a short phrase, `kid` the key id it names."""

    def __init__(self, problem: str, kid: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.kid = kid


class UnknownKey(EnvelopeRefused):
    """Signed with a key that is not trusted (yet)."""


class TrustStore:
    """Public keys by key id. Immutable; `with_keys` gives a larger one."""

    __slots__ = ("keys",)

    def __init__(self, keys: Iterable[bytes] = ()) -> None:
        self.keys: Mapping[str, bytes] = {key_id(key): key for key in keys}

    def with_keys(self, keys: Iterable[bytes]) -> TrustStore:
        return TrustStore([*self.keys.values(), *keys])

    @classmethod
    def parse(cls, raw: bytes) -> TrustStore:
        """From the JSON of `/.well-known/license-keys.json`. Raises EnvelopeRefused.

        An entry whose `kid` is not derived from its key is refused: it would let a key pose as another.
        """
        try:
            entries = read_json(raw)["keys"]
            found = []
            for entry in entries:
                key = from_base64url(entry["x"])
                if len(key) != 32 or entry.get("crv") != "Ed25519" or entry["kid"] != key_id(key):
                    raise EnvelopeRefused("a published key does not fit its id")
                found.append(key)
        except (NotCanonical, KeyError, TypeError, AttributeError):
            raise EnvelopeRefused("not a list of license keys") from None
        return cls(found)

    @classmethod
    def parse_pins(cls, text: str) -> TrustStore:
        """From `LICENSE_TRUST_KEYS`: public keys in base64url, separated by commas. Raises EnvelopeRefused."""
        try:
            keys = [from_base64url(part.strip()) for part in text.split(",") if part.strip()]
        except NotCanonical:
            raise EnvelopeRefused("LICENSE_TRUST_KEYS is not a list of base64url keys") from None
        if any(len(key) != 32 for key in keys):
            raise EnvelopeRefused("LICENSE_TRUST_KEYS holds something that is no Ed25519 public key")
        return cls(keys)

    def render(self) -> bytes:
        return canonical_json({"keys": [public_entry(key) for key in self.keys.values()]})


def key_id(public_key: bytes) -> str:
    """`k` and 16 characters of the key's SHA-256."""
    return "k" + to_base64url(hashlib.sha256(b"lsl1-kid" + public_key).digest())[:16]


def public_entry(public_key: bytes) -> dict[str, str]:
    """A key as the key list shows it."""
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "kid": key_id(public_key),
        "x": to_base64url(public_key),
    }


def confirmation(token: str) -> str:
    """The `cnf` claim for a token; it does not reveal the token."""
    return to_base64url(hashlib.sha256(b"lsl1-cnf" + token.encode()).digest())


def new_private_key(random_bytes: bytes) -> Ed25519PrivateKey:
    """A key from 32 secret random bytes."""
    return Ed25519PrivateKey.from_private_bytes(random_bytes)


def sign(claims: Claims, private_key: Ed25519PrivateKey) -> str:
    """The envelope's text."""
    kid = key_id(private_key.public_key().public_bytes_raw())
    body = canonical_json(msgspec.to_builtins(claims))
    signed = f"{PREFIX}.{kid}.{to_base64url(body)}"
    text = f"{signed}.{to_base64url(private_key.sign(signed.encode()))}"
    if len(text) > MAX_BYTES:
        raise ValueError("a license of more than 16 KiB")
    return text


def verify(text: str, trust: TrustStore) -> Claims:
    """The claims of a license that a trusted key signed. Raises UnknownKey or EnvelopeRefused.

    Judges neither time nor token nor machine: `verify.check` does.
    """
    if len(text) > MAX_BYTES:
        raise EnvelopeRefused("larger than 16 KiB")
    parts = text.split(".")
    if len(parts) != 4 or parts[0] != PREFIX or not text.isascii():
        raise EnvelopeRefused("not an lsl1 license")
    _, kid, payload, signed_part = parts
    if not KEY_ID.fullmatch(kid):
        raise EnvelopeRefused("not a key id")
    public_key = trust.keys.get(kid)
    if public_key is None:
        raise UnknownKey("signed with an unknown key", kid)
    try:
        signature = from_base64url(signed_part)
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, text.rpartition(".")[0].encode())
        body = from_base64url(payload)
        data = read_json(body)
        if canonical_json(data) != body:
            raise EnvelopeRefused("the payload is not canonical JSON", kid)
        return read_claims(data, kid)
    except InvalidSignature:
        raise EnvelopeRefused("the signature is wrong", kid) from None
    except NotCanonical as error:
        raise EnvelopeRefused(str(error), kid) from None


def read_claims(data: Any, kid: str) -> Claims:
    """Unknown claims are allowed (newer servers add some), unless `crit` lists them."""
    if not isinstance(data, dict):
        raise EnvelopeRefused("the payload is not an object", kid)
    unknown = set(data.get("crit") or ()) - UNDERSTOOD_CRITICAL if isinstance(data.get("crit"), list) else set()
    if unknown:
        raise EnvelopeRefused(
            "it has critical claims that this version does not know: " + ", ".join(map(str, unknown)), kid
        )
    try:
        return msgspec.convert(data, Claims)
    except msgspec.ValidationError as error:
        raise EnvelopeRefused(str(error), kid) from None
