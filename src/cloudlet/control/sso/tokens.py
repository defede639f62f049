"""From the provider's code to a person: the token endpoint, and the checks of OpenID Connect Core 1.0, 3.1.3.7."""

from __future__ import annotations

from typing import Any

import msgspec
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    InvalidTokenError,
    JoseError,
    MissingClaimError,
)
from joserfc.jwk import JWKRegistry, Key, KeySet

from cloudlet.control.platform import Platform
from cloudlet.control.sso.discovery import Discovered
from cloudlet.control.sso.errors import SsoDenied, SsoTokenInvalid
from cloudlet.control.sso.reach import Answer, Unreachable, ask

# Signatures by the provider's private key alone: with an HMAC the client secret would be a key, with "none" there is none.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
LEEWAY_SECONDS = 60
EDOV = "xms_edov"  # Microsoft Entra ID has no email_verified; this says that the tenant proved the address' domain


class Client(msgspec.Struct, frozen=True):
    """We, as the provider knows us. Holds a secret: never log it."""

    client_id: str
    secret: str
    callback: str


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the provider speaks of. `email_verified`: it says that the address is theirs."""

    subject: str
    email: str
    email_verified: bool
    name: str


def fetch_person(
    platform: Platform, found: Discovered, client: Client, *, code: str, verifier: str, nonce: str
) -> Person:
    """Blocks. Raises SsoDenied, SsoTokenInvalid."""
    token = exchange_code(platform, found, client, code, verifier)
    id_token, access_token = token.get("id_token"), visible(token.get("access_token"))
    if not isinstance(id_token, str):
        raise SsoTokenInvalid("The provider gave no ID token. Is the scope “openid” among those that are asked for?")
    claims = check_id_token(
        id_token,
        fetch_keys(platform, found),
        issuer=found.issuer,
        client_id=client.client_id,
        nonce=nonce,
        access_token=access_token,
        now=int(platform.now().timestamp()),
    )
    is_told = claims.get("email") and (claims.get("email_verified") is not None or claims.get(EDOV) is not None)
    if not is_told and found.userinfo_endpoint and access_token:
        told = userinfo(platform, found, access_token, str(claims["sub"]))
        claims = {**claims, **{name: value for name, value in told.items() if value is not None}}
        if told["email"] is not None:  # what is said of one address does not count for another
            claims |= {"email_verified": told["email_verified"], EDOV: None}
    return person_of(claims)


def visible(token: object) -> str:
    """A token is printable ASCII (RFC 6749, A.12), so that it fits into a header; "" for what is none."""
    return token if isinstance(token, str) and token.isascii() and token.isprintable() else ""


def reach(platform: Platform, method: str, url: str, what: str, **options: Any) -> Answer:
    """Raises SsoTokenInvalid."""
    try:
        return ask(platform, method, url, **options)
    except Unreachable as problem:
        raise SsoTokenInvalid(f"The provider’s {what} could not be reached: {problem}.") from None


def exchange_code(platform: Platform, found: Discovered, client: Client, code: str, verifier: str) -> dict[str, Any]:
    """RFC 6749, 4.1.3, with the verifier of RFC 7636. Raises SsoDenied, SsoTokenInvalid."""
    body = prepare_token_request("authorization_code", redirect_uri=client.callback, code=code, code_verifier=verifier)
    auth = ClientAuth(client.client_id, client.secret, found.auth_method)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    url, headers, body = auth.prepare("POST", found.token_endpoint, headers, body)
    answer = reach(platform, "POST", url, "token endpoint", headers=headers, body=body)
    error = answer.body.get("error")
    if error == "invalid_client":
        raise SsoTokenInvalid("The provider does not know this client ID with this secret (invalid_client).")
    if error == "invalid_grant":
        raise SsoDenied("The provider does not take its own code back: it is used or too old (invalid_grant).")
    if answer.status != 200 or error:
        raise SsoTokenInvalid(f"The provider’s token endpoint answered {answer.status}{in_brackets(error)}.")
    return answer.body


def in_brackets(error: object) -> str:
    """An error code of OAuth is printable ASCII; what is not one is not repeated."""
    return f" ({error[:60]})" if isinstance(error, str) and error.isascii() and error.isprintable() else ""


def fetch_keys(platform: Platform, found: Discovered) -> KeySet:
    """As they are now, so that a rotated key is known at once. Raises SsoTokenInvalid."""
    answer = reach(platform, "GET", found.jwks_uri, "key set")
    raw = answer.body.get("keys")
    keys = [key for entry in raw if (key := usable_key(entry))] if isinstance(raw, list) else []
    if answer.status != 200 or not keys:
        raise SsoTokenInvalid("The provider’s key set has no keys.")
    return KeySet(keys)


def usable_key(raw: object) -> Key | None:
    """Of a key for signatures. Sets also have keys for encryption, and of kinds that we do not know."""
    if not isinstance(raw, dict) or raw.get("kty") not in ("RSA", "EC", "OKP") or raw.get("use", "sig") != "sig":
        return None
    try:
        return JWKRegistry.import_key(raw)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def check_id_token(
    text: str, keys: KeySet, *, issuer: str, client_id: str, nonce: str, access_token: str, now: int
) -> dict[str, Any]:
    """Its claims, when all is well. Raises SsoTokenInvalid, which says what is not."""
    try:
        token = jwt.decode(text, keys, algorithms=list(ALGORITHMS))
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": client_id},
                "sub": {"essential": True},
                "nonce": {"essential": True, "value": nonce},
            },
            params={"nonce": nonce, "client_id": client_id, "access_token": access_token},
        )
        claims.validate(now=now, leeway=LEEWAY_SECONDS)
    except BadSignatureError:
        raise SsoTokenInvalid("The ID token’s signature is wrong.") from None
    except ExpiredTokenError:
        raise SsoTokenInvalid("The ID token has expired. Do the clocks of both machines agree?") from None
    except MissingClaimError as problem:
        raise SsoTokenInvalid(f"The ID token lacks {claim_of(problem)}.") from None
    except InvalidClaimError as problem:
        wrong = claim_of(problem)
        if wrong in {"iat", "nbf"}:
            raise SsoTokenInvalid(
                f"The ID token is of the future ({wrong}). Do the clocks of both machines agree?"
            ) from None
        raise SsoTokenInvalid(f"The ID token is not for this sign-in: its {wrong} is wrong.") from None
    except InvalidTokenError:
        raise SsoTokenInvalid("The ID token is of the future. Do the clocks of both machines agree?") from None
    except (JoseError, ValueError, TypeError, KeyError):
        raise SsoTokenInvalid("The ID token is not signed by a key of the provider, in a way that counts.") from None
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
        raise SsoTokenInvalid("The ID token is not for this sign-in: its sub is wrong.")
    return dict(claims)


def claim_of(problem: MissingClaimError | InvalidClaimError) -> str:
    return str(getattr(problem, "claim", "") or "claims")


def userinfo(platform: Platform, found: Discovered, access_token: str, subject: str) -> dict[str, Any]:
    """Where the ID token does not tell the address, or whose it is. Of another subject it must not be believed.

    Raises SsoTokenInvalid.
    """
    answer = reach(
        platform, "GET", found.userinfo_endpoint, "user info", headers={"Authorization": f"Bearer {access_token}"}
    )
    if answer.status != 200 or answer.body.get("sub") != subject:
        raise SsoTokenInvalid("The provider’s user info is of somebody else, or none.")
    return {name: answer.body.get(name) for name in ("email", "email_verified", "name", "given_name", "family_name")}


def person_of(claims: dict[str, Any]) -> Person:
    given = " ".join(text for key in ("given_name", "family_name") if isinstance(text := claims.get(key), str) and text)
    name = claims.get("name") or given
    email = claims.get("email")
    return Person(
        subject=claims["sub"],
        email=email.strip() if isinstance(email, str) else "",
        email_verified=is_true(claims.get("email_verified")) or is_true(claims.get(EDOV)),
        name=" ".join(name.split())[:100] if isinstance(name, str) and name.isprintable() else "",
    )


def is_true(claim: object) -> bool:
    """Some providers write it as a word or a number."""
    return claim is True or claim in ("true", "1") or (type(claim) is int and claim == 1)
