"""AssumeRoleWithSAML, and reading its assertion."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import sha1
from typing import NamedTuple
from xml.etree import ElementTree

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.sts.api import (
    AssumeRoleWithSAMLRequest,
    AssumeRoleWithSAMLResponse,
    InvalidIdentityTokenException,
)
from cloudlet.emulator.services.sts.errors import AccessDenied, RequestInvalid
from cloudlet.emulator.services.sts.roles import DEFAULT_DURATION_SECONDS, assumed_role_user
from cloudlet.emulator.services.sts.rules import PROVIDER_ARN, packed_size, read_role_arn
from cloudlet.emulator.services.sts.sessions import issue

ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}"
NAME_ID_FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
ATTRIBUTE = "https://aws.amazon.com/SAML/Attributes/"


class Assertion(NamedTuple):
    """What STS reads of a SAML response."""

    issuer: str
    subject: str
    subject_type: str
    audience: str
    session_name: str
    roles: tuple[str, ...]  # "role ARN,provider ARN", in either order
    duration: int | None
    source_identity: str


@read_write
def assume_role_with_saml(call: Call, request: AssumeRoleWithSAMLRequest) -> AssumeRoleWithSAMLResponse:
    """The assertion's signature is not checked. Raises InvalidIdentityToken, AccessDenied, ValidationError."""
    role = read_role_arn(request["RoleArn"])
    provider = PROVIDER_ARN.match(request["PrincipalArn"])
    if provider is None:
        raise RequestInvalid(f"{request['PrincipalArn']} is invalid")
    packed = packed_size(request.get("Policy", ""), request.get("PolicyArns", ()), ())
    assertion = read_assertion(request["SAMLAssertion"])
    check_role(assertion, role.arn, request["PrincipalArn"])
    user = assumed_role_user(role, assertion.session_name)
    credentials = issue(
        call,
        "assumed-role",
        role.account_id,
        user["Arn"],
        user["AssumedRoleId"],
        request.get("DurationSeconds", assertion.duration or DEFAULT_DURATION_SECONDS),
        role_arn=role.arn,
        source_identity=assertion.source_identity,
        policy=request.get("Policy", ""),
        policy_arns=[entry["arn"] for entry in request.get("PolicyArns", ()) if "arn" in entry],
    )
    result: AssumeRoleWithSAMLResponse = {
        "Credentials": credentials,
        "AssumedRoleUser": user,
        "Subject": assertion.subject,
        "SubjectType": assertion.subject_type,
        "Issuer": assertion.issuer,
        "Audience": assertion.audience,
        "NameQualifier": name_qualifier(assertion.issuer, provider["account"], provider["name"]),
    }
    if packed is not None:
        result["PackedPolicySize"] = packed
    if assertion.source_identity:
        result["SourceIdentity"] = assertion.source_identity
    return result


def name_qualifier(issuer: str, account_id: str, provider: str) -> str:
    """As the API reference of AssumeRoleWithSAML defines it."""
    return b64encode(sha1(f"{issuer}{account_id}/{provider}".encode(), usedforsecurity=False).digest()).decode()


def check_role(assertion: Assertion, role_arn: str, provider_arn: str) -> None:
    """Raises AccessDenied when the assertion is not for this role and provider."""
    for pair in assertion.roles:
        if {part.strip() for part in pair.split(",")} == {role_arn, provider_arn}:
            return
    raise AccessDenied("Not authorized to perform sts:AssumeRoleWithSAML")


def read_assertion(encoded: str) -> Assertion:
    """Raises InvalidIdentityToken."""
    try:
        document = b64decode(encoded, validate=False)
    except (Base64Error, ValueError):
        raise InvalidIdentityTokenException("Invalid base64 SAMLResponse") from None
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:  # the standard parser would expand entities
        raise InvalidIdentityTokenException("SAML assertions must not have a document type")
    try:
        root = ElementTree.fromstring(document)  # noqa: S314  without a document type there is nothing to expand
    except ElementTree.ParseError:
        raise InvalidIdentityTokenException("Invalid SAML response: it is no well-formed XML") from None
    attributes = {
        attribute.get("Name", ""): tuple(value.text or "" for value in attribute.iter(f"{ASSERTION}AttributeValue"))
        for attribute in root.iter(f"{ASSERTION}Attribute")
    }
    session_name = attributes.get(f"{ATTRIBUTE}RoleSessionName", ("",))[0]
    if not session_name:
        raise InvalidIdentityTokenException("RoleSessionName is required in AuthnResponse")
    roles = attributes.get(f"{ATTRIBUTE}Role", ())
    if not roles:
        raise InvalidIdentityTokenException("Role is required in AuthnResponse")
    name_id = next(root.iter(f"{ASSERTION}NameID"), None)
    issuer = next(root.iter(f"{ASSERTION}Issuer"), None)
    confirmation = next(root.iter(f"{ASSERTION}SubjectConfirmationData"), None)
    duration = attributes.get(f"{ATTRIBUTE}SessionDuration", ("",))[0]
    return Assertion(
        issuer=(issuer.text or "").strip() if issuer is not None else "",
        subject=(name_id.text or "").strip() if name_id is not None else "",
        subject_type=(name_id.get("Format", "") if name_id is not None else "").removeprefix(NAME_ID_FORMAT),
        audience=confirmation.get("Recipient", "") if confirmation is not None else "",
        session_name=session_name.strip(),
        roles=roles,
        duration=int(duration) if duration.strip().isdigit() else None,
        source_identity=attributes.get(f"{ATTRIBUTE}SourceIdentity", ("",))[0].strip(),
    )
