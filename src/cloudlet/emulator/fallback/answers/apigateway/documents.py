"""Documentation parts and versions, and client certificates: moto has none of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.apigateway.present import bad, missing

CERTIFICATE_DAYS = 365
NO_PART = "Invalid Documentation part identifier specified"
NO_VERSION = "Invalid Documentation version identifier specified"
NO_CERTIFICATE = "Invalid Client Certificate identifier specified"


def kept(holder: Any, name: str) -> dict[str, dict[str, Any]]:
    """A dictionary beside moto's, made at its first use."""
    if not hasattr(holder, name):
        setattr(holder, name, {})
    found: dict[str, dict[str, Any]] = getattr(holder, name)
    return found


def of_api(asked: Asked, backend: Any, name: str) -> dict[str, dict[str, Any]]:
    return kept(backend.apis[asked.request["restApiId"]], name)


def found(things: dict[str, dict[str, Any]], name: str, sentence: str) -> dict[str, Any]:
    if name not in things:
        raise missing(sentence)
    return things[name]


def patch(thing: dict[str, Any], patches: Any, members: tuple[str, ...]) -> dict[str, Any]:
    for change in patches or ():
        path, op = change.get("path", ""), change.get("op")
        if path.lstrip("/") not in members or op != "replace":
            possible = ", ".join(f"/{member}" for member in members)
            raise bad(f"Invalid patch path  '{path}' specified for op '{op}'. Must be one of: [{possible}]")
        thing[path.lstrip("/")] = change.get("value")
    return thing


# --- documentation parts


def create_part(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        parts = of_api(asked, backend, "documentation_parts")
        if any(part["location"] == request["location"] for part in parts.values()):
            raise bad("Documentation part already exists for the specified location")
        name = asked.call.ids.alphanumeric(6).lower()
        parts[name] = {"id": name, "location": request["location"], "properties": request["properties"]}
        return dict(parts[name])


def get_part(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        return dict(found(of_api(asked, backend, "documentation_parts"), asked.request["documentationPartId"], NO_PART))


def get_parts(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        parts = list(of_api(asked, backend, "documentation_parts").values())
    wanted = [
        part
        for part in parts
        if request.get("type") in (None, part["location"].get("type"))
        and request.get("path") in (None, part["location"].get("path"))
        and request.get("nameQuery", "") in part["location"].get("name", "")
    ]
    return {"items": wanted}


def update_part(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        part = found(of_api(asked, backend, "documentation_parts"), asked.request["documentationPartId"], NO_PART)
        return dict(patch(part, asked.request.get("patchOperations"), ("properties",)))


def delete_part(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        parts = of_api(asked, backend, "documentation_parts")
        found(parts, asked.request["documentationPartId"], NO_PART)
        del parts[asked.request["documentationPartId"]]
    return {}


# --- documentation versions


def create_version(asked: Asked) -> dict[str, Any]:
    request = asked.request
    name = request["documentationVersion"]
    with asked.state() as backend:
        versions = of_api(asked, backend, "documentation_versions")
        if name in versions:
            raise bad("Version already exists")
        versions[name] = {"version": name, "createdDate": asked.call.now}
        if "description" in request:
            versions[name]["description"] = request["description"]
        return dict(versions[name])


def get_version(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        versions = of_api(asked, backend, "documentation_versions")
        return dict(found(versions, asked.request["documentationVersion"], NO_VERSION))


def get_versions(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        return {"items": list(of_api(asked, backend, "documentation_versions").values())}


def update_version(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        versions = of_api(asked, backend, "documentation_versions")
        version = found(versions, asked.request["documentationVersion"], NO_VERSION)
        return dict(patch(version, asked.request.get("patchOperations"), ("description",)))


def delete_version(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        versions = of_api(asked, backend, "documentation_versions")
        found(versions, asked.request["documentationVersion"], NO_VERSION)
        del versions[asked.request["documentationVersion"]]
    return {}


# --- client certificates


def generate_certificate(asked: Asked) -> dict[str, Any]:
    request = asked.request
    start = datetime.fromtimestamp(asked.call.now, UTC)
    end = start + timedelta(days=CERTIFICATE_DAYS)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ApiGateway")])
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), start, end)
    made: dict[str, Any] = {
        "clientCertificateId": asked.call.ids.alphanumeric(6).lower(),
        "pemEncodedCertificate": built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode(),
        "createdDate": asked.call.now,
        "expirationDate": end.timestamp(),
    }
    made |= {member: request[member] for member in ("description", "tags") if member in request}
    with asked.state() as backend:
        kept(backend, "client_certificates")[made["clientCertificateId"]] = made
    return dict(made)


def get_certificate(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        return dict(found(kept(backend, "client_certificates"), asked.request["clientCertificateId"], NO_CERTIFICATE))


def get_certificates(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        return {"items": list(kept(backend, "client_certificates").values())}


def update_certificate(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        made = found(kept(backend, "client_certificates"), asked.request["clientCertificateId"], NO_CERTIFICATE)
        return dict(patch(made, asked.request.get("patchOperations"), ("description",)))


def delete_certificate(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        certificates = kept(backend, "client_certificates")
        found(certificates, asked.request["clientCertificateId"], NO_CERTIFICATE)
        del certificates[asked.request["clientCertificateId"]]
    return {}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CreateDocumentationPart": create_part,
        "GetDocumentationPart": get_part,
        "GetDocumentationParts": get_parts,
        "UpdateDocumentationPart": update_part,
        "DeleteDocumentationPart": delete_part,
        "CreateDocumentationVersion": create_version,
        "GetDocumentationVersion": get_version,
        "GetDocumentationVersions": get_versions,
        "UpdateDocumentationVersion": update_version,
        "DeleteDocumentationVersion": delete_version,
        "GenerateClientCertificate": generate_certificate,
        "GetClientCertificate": get_certificate,
        "GetClientCertificates": get_certificates,
        "UpdateClientCertificate": update_certificate,
        "DeleteClientCertificate": delete_certificate,
    }
)
