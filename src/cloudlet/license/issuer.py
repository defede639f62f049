"""Who signed a certificate: the name that tells a company's inspecting proxy from a mistake."""

from __future__ import annotations

import importlib

LONGEST = 120


def issuer_of(certificate: bytes) -> str:
    """`Corp Root CA, Corp Inc.` for a certificate in DER, in one line; "" when it cannot be read."""
    x509 = importlib.import_module("cryptography.x509")  # lazy: only a certificate that is refused needs it
    try:
        issuer = x509.load_der_x509_certificate(certificate).issuer
    except ValueError:
        return ""
    oids = (x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME)
    names = [str(attribute.value) for oid in oids for attribute in issuer.get_attributes_for_oid(oid)]
    text = ", ".join(names) or str(issuer.rfc4514_string())
    return "".join(char for char in text if char.isprintable())[:LONGEST]
