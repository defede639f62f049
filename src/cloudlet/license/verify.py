"""Is this license good, here and now? Every check of a cached or fresh license document, in order."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from cloudlet.license import files
from cloudlet.license.document import Document, DocumentRefused, check_signature, digest, parse, to_seconds
from cloudlet.license.envelope import Claims, EnvelopeRefused, TrustStore, UnknownKey, confirmation
from cloudlet.license.envelope import verify as verify_envelope
from cloudlet.license.reasons import Failure, failure

PRODUCT = "cloudlet"


class LicenseRefused(Exception):
    """The license cannot be used; `failure` says why."""

    def __init__(self, why: Failure) -> None:
        super().__init__(why.text())
        self.failure = why


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What a license is judged against. `where` is the path it was read from, or the server that sent it."""

    token: str
    machine_id: str
    version: str
    now: float
    where: str
    from_server: bool = False
    product: str = PRODUCT


class VerifiedLicense(msgspec.Struct, frozen=True):
    """A license whose every byte is accounted for, with what it says; a license file has no format-1 document."""

    document: Document | None
    claims: Claims

    @property
    def is_file(self) -> bool:
        """A license file for a machine without a network: good until it expires."""
        return self.claims.kind == "file"

    def is_fresh(self, now: float) -> bool:
        """May it be used without asking the server?"""
        return now < self.claims.ra


def verify_license(raw: bytes, trust: TrustStore, here: Circumstances) -> VerifiedLicense:
    """The license, good at `here.now` but perhaps stale (`is_fresh`).

    Raises UnknownKey when the trust store lacks the key (fetch keys, try again) and LicenseRefused for all else.
    """
    place = {"server": here.where} if here.from_server else {"path": here.where}
    if files.looks_like(raw):
        return verify_file(raw, trust, here, place)
    try:
        document = parse(raw)
        if document.envelope is None:
            raise LicenseRefused(failure("license.signature", kid="none", **place))
        claims = verify_envelope(document.envelope, trust)
        if claims.doc != digest(document):
            raise DocumentRefused("it was changed after it was signed")
    except UnknownKey:
        raise
    except EnvelopeRefused as error:
        raise LicenseRefused(failure("license.signature", kid=error.kid or "unknown", **place)) from error
    except DocumentRefused as error:
        raise LicenseRefused(failure("license.format", problem=error.problem, **place)) from error
    check_claims(claims, here, place)
    check_agreement(document, claims, here, place)
    return VerifiedLicense(document, claims)


def verify_file(raw: bytes, trust: TrustStore, here: Circumstances, place: dict[str, str]) -> VerifiedLicense:
    """The license in a file for a machine without a network (`files`): the envelope alone, bound to machines."""
    try:
        claims = verify_envelope(files.parse(raw), trust)
        if claims.kind != "file":
            raise DocumentRefused("an online license without its document")
    except UnknownKey:
        raise
    except EnvelopeRefused as error:
        raise LicenseRefused(failure("license.signature", kid=error.kid or "unknown", **place)) from error
    except DocumentRefused as error:
        raise LicenseRefused(failure("license.format", problem=error.problem, **place)) from error
    check_claims(claims, here, place)
    return VerifiedLicense(None, claims)


def check_claims(claims: Claims, here: Circumstances, place: dict[str, str]) -> None:
    """Token, product, version, time, machine. Raises LicenseRefused."""
    if claims.cnf is not None and claims.cnf != confirmation(here.token):
        raise LicenseRefused(failure("license.other_token", **place))
    if here.product not in claims.aud:
        raise LicenseRefused(failure("license.product", product=here.product, range=", ".join(claims.aud)))
    if not covers(claims.ver, here.version):
        raise LicenseRefused(failure("license.version", v=here.version, range=claims.ver))
    if here.now >= claims.exp:
        raise LicenseRefused(failure("license.expired", ws=claims.ws, date=day(claims.exp)))
    if here.now < claims.nbf - 300:
        raise LicenseRefused(failure("license.not_yet_valid", date=moment(claims.nbf), now=moment(here.now)))
    if claims.mach is not None and here.machine_id not in claims.mach:
        raise LicenseRefused(failure("license.machine", machine=here.machine_id, **place))


def check_agreement(document: Document, claims: Claims, here: Circumstances, place: dict[str, str]) -> None:
    """The outer document says the same as the signed claims, and belongs to the token. Raises LicenseRefused."""
    if claims.cnf is not None:
        try:
            check_signature(document, here.token)
        except DocumentRefused as error:
            raise LicenseRefused(failure("license.format", problem=error.problem, **place)) from error
    same = (
        document.id == claims.lic
        and document.license_type == claims.plan
        and to_seconds(document.expiry_date) == claims.exp
        and to_seconds(document.reactivate_after) == claims.ra
    )
    if not same:
        raise LicenseRefused(failure("license.format", problem="document and envelope disagree", **place))


def covers(versions: str, version: str) -> bool:
    """`*` covers all; `3` covers 3.x; `3.1` covers 3.1.x."""
    if versions == "*":
        return True
    wanted = versions.removesuffix(".*").split(".")
    return version.split(".")[: len(wanted)] == wanted


def day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
