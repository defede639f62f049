"""Certificate Manager: requested certificates are issued a moment later, and until then have no dates.

`ISSUED_AFTER_SECONDS` by the emulator's clock, whether or not anybody made the record that proves the domain.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cryptography import x509
from cryptography.x509 import Certificate

from cloudlet.emulator.fallback.answers import ANY, Answer, Asked
from cloudlet.emulator.kernel.errors import UnmodelledError

ISSUED_AFTER_SECONDS = 2.0
PENDING, ISSUED = "PENDING_VALIDATION", "ISSUED"
ONLY_ISSUED = ("IssuedAt", "NotAfter", "NotBefore", "Serial")
USAGES = (
    ("digital_signature", "DIGITAL_SIGNATURE"),
    ("content_commitment", "NON_REPUDIATION"),
    ("key_encipherment", "KEY_ENCIPHERMENT"),
    ("data_encipherment", "DATA_ENCIPHERMENT"),
    ("key_agreement", "KEY_AGREEMENT"),
    ("key_cert_sign", "CERTIFICATE_SIGNING"),
    ("crl_sign", "CRL_SIGNING"),
)
EXTENDED: Mapping[str, str] = MappingProxyType(
    {"1.3.6.1.5.5.7.3.1": "TLS_WEB_SERVER_AUTHENTICATION", "1.3.6.1.5.5.7.3.2": "TLS_WEB_CLIENT_AUTHENTICATION"}
)


def refuse(code: str, message: str) -> UnmodelledError:
    return UnmodelledError(code, message)


def advance(backend: Any, now: float) -> None:
    """Issue what has waited long enough."""
    for bundle in backend._certificates.values():
        if bundle.status == PENDING and now >= getattr(bundle, "requested_at", 0.0) + ISSUED_AFTER_SECONDS:
            bundle.status = ISSUED


def advanced(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        advance(backend, asked.call.now)
        return asked.proceed()


def bundle_of(backend: Any, asked: Asked, arn: str) -> Any:
    found = backend._certificates.get(arn)
    if found is None:
        raise refuse(
            "ResourceNotFoundException", f"Could not find certificate {arn} in account {asked.call.account_id}."
        )
    return found


def request_certificate(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        answer = asked.proceed()
        bundle = backend._certificates[answer["CertificateArn"]]
        if not hasattr(bundle, "requested_at"):
            bundle.requested_at = asked.call.now
            bundle.validation = request.get("ValidationMethod", "EMAIL")
            names = [request["DomainName"], *request.get("SubjectAlternativeNames", ())]
            bundle.sans = list(dict.fromkeys(names))
        return answer


def algorithm(name: str) -> str:
    """As answers have it: `RSA-2048`, where requests say `RSA_2048`."""
    return name.replace("RSA_", "RSA-")


def usages(certificate: Certificate) -> list[str]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return []
    return [name for attribute, name in USAGES if getattr(usage, attribute)]


def extended_usages(certificate: Certificate) -> list[str]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return []
    return [EXTENDED.get(identifier.dotted_string, "NONE") for identifier in usage]


def describe_certificate(asked: Asked) -> dict[str, Any]:
    arn = asked.request["CertificateArn"]
    with asked.state() as backend:
        bundle = bundle_of(backend, asked, arn)
        advance(backend, asked.call.now)
        told = asked.proceed()["Certificate"]
    told["KeyAlgorithm"] = algorithm(told["KeyAlgorithm"])
    if bundle.type == "IMPORTED":
        names = usages(bundle._cert)
        told["KeyUsages"] = [{"Name": name} for name in names]
        told["CreatedAt"] = told["ImportedAt"]
        told["IssuedAt"] = told["NotBefore"]
        return {"Certificate": told}
    told["KeyUsages"] = []
    for option in told.get("DomainValidationOptions", ()):
        option["ValidationMethod"] = getattr(bundle, "validation", "DNS")
        option["ValidationEmails"] = []
        if option["ValidationMethod"] == "EMAIL":
            option.pop("ResourceRecord", None)
    order = {name: place for place, name in enumerate(told["SubjectAlternativeNames"])}
    told["DomainValidationOptions"].sort(key=lambda option: order.get(option["DomainName"], 0))
    if bundle.status == ISSUED:
        told["KeyUsages"] = [{"Name": "DIGITAL_SIGNATURE"}, {"Name": "KEY_ENCIPHERMENT"}]
        told["ExtendedKeyUsages"] = [{"Name": name, "OID": oid} for oid, name in EXTENDED.items()]
    else:
        for member in ONLY_ISSUED:
            told.pop(member, None)
    return {"Certificate": told}


def list_certificates(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        advance(backend, asked.call.now)
        result = asked.proceed()
        for told in result["CertificateSummaryList"]:
            complete(told, backend._certificates[told["CertificateArn"]])
    return result


def complete(told: dict[str, Any], bundle: Any) -> None:
    """A CertificateSummary."""
    told["KeyAlgorithm"] = algorithm(told["KeyAlgorithm"])
    told["HasAdditionalSubjectAlternativeNames"] = len(bundle.sans) > 100
    told["SubjectAlternativeNameSummaries"] = list(bundle.sans)[:100]
    if bundle.type == "IMPORTED":
        told.pop("Exported", None)
        told["CreatedAt"] = told.get("ImportedAt", told.get("CreatedAt"))
        told["ExportOption"] = "DISABLED"
        told["KeyUsages"], told["ExtendedKeyUsages"] = usages(bundle._cert), extended_usages(bundle._cert)
    elif bundle.status == ISSUED:
        told["KeyUsages"], told["ExtendedKeyUsages"] = (
            ["DIGITAL_SIGNATURE", "KEY_ENCIPHERMENT"],
            list(EXTENDED.values()),
        )
    else:
        told["KeyUsages"] = []
        for member in ONLY_ISSUED:
            told.pop(member, None)


def get_certificate(asked: Asked) -> dict[str, Any]:
    arn = asked.request["CertificateArn"]
    with asked.state() as backend:
        advance(backend, asked.call.now)
        bundle = bundle_of(backend, asked, arn)
        if bundle.status == PENDING:
            raise refuse("RequestInProgressException", f"Certificate {arn} is not yet issued.")
        return asked.proceed()


def on_a_certificate(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        bundle_of(backend, asked, asked.request["CertificateArn"])
        return asked.proceed()


def renew_certificate(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        bundle_of(backend, asked, asked.request["CertificateArn"])
    return {}


def update_certificate_options(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        bundle = bundle_of(backend, asked, asked.request["CertificateArn"])
        bundle.cert_options = {**(bundle.cert_options or {}), **asked.request["Options"]}
    return {}


def tagging(operation: str) -> Answer:
    """The operations on tags that name a resource, by those that name a certificate."""

    def answer(asked: Asked) -> dict[str, Any]:
        request = asked.request
        arn = request["ResourceArn"]
        if operation == "RemoveTagsFromCertificate":
            tags = [{"Key": key} for key in request["TagKeys"]]
        else:
            tags = request.get("Tags", [])
        changed = {"CertificateArn": arn} | ({} if operation == "ListTagsForCertificate" else {"Tags": tags})
        return asked.as_another(operation, changed).proceed()

    return answer


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        ANY: advanced,
        "RequestCertificate": request_certificate,
        "DescribeCertificate": describe_certificate,
        "ListCertificates": list_certificates,
        "GetCertificate": get_certificate,
        "DeleteCertificate": on_a_certificate,
        "RenewCertificate": renew_certificate,
        "UpdateCertificateOptions": update_certificate_options,
        "TagResource": tagging("AddTagsToCertificate"),
        "UntagResource": tagging("RemoveTagsFromCertificate"),
        "ListTagsForResource": tagging("ListTagsForCertificate"),
    }
)
