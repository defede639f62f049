"""Tags of what moto does not tag: MFA devices, SAML providers, server certificates, instance profiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.iam.words import refuse

Find = Callable[[Any, str], Any]  # back end, name -> what is tagged, None where there is none


def kind(member: str, find: Find, missing: str) -> tuple[Answer, Answer, Answer]:
    """(Tag…, Untag…, List…Tags) of one kind. `missing` is the message with {} for the name."""

    def found(asked: Asked, backend: Any) -> Any:
        name = asked.request[member]
        thing = find(backend, name)
        if thing is None:
            raise refuse("NoSuchEntity", missing.format(name), 404)
        return thing

    def tag(asked: Asked) -> dict[str, Any]:
        with asked.state() as backend:
            thing = found(asked, backend)
            thing.own_tags = getattr(thing, "own_tags", {}) | {
                tag["Key"]: tag["Value"] for tag in asked.request["Tags"]
            }
        return {}

    def untag(asked: Asked) -> dict[str, Any]:
        gone = asked.request["TagKeys"]
        with asked.state() as backend:
            thing = found(asked, backend)
            thing.own_tags = {key: value for key, value in getattr(thing, "own_tags", {}).items() if key not in gone}
        return {}

    def list_tags(asked: Asked) -> dict[str, Any]:
        with asked.state() as backend:
            tags = getattr(found(asked, backend), "own_tags", {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()], "IsTruncated": False}

    return tag, untag, list_tags


def list_instance_profile_tags(asked: Asked) -> dict[str, Any]:
    name = asked.request["InstanceProfileName"]
    with asked.state() as backend:
        profile = backend.instance_profiles.get(name)
        profile = profile or next((p for p in backend.instance_profiles.values() if p.name == name), None)
        if profile is None:
            raise refuse("NoSuchEntity", f"Instance Profile {name} cannot be found.", 404)
        return {"Tags": list(profile.tags), "IsTruncated": False}


MFA = kind(
    "SerialNumber",
    lambda backend, name: backend.virtual_mfa_devices.get(name),
    "VirtualMFADevice with serial number {} doesn't exist.",
)
SAML = kind(
    "SAMLProviderArn",
    lambda backend, name: next((p for p in backend.saml_providers.values() if p.arn == name), None),
    "Manifest not found for arn {}",
)
CERTIFICATE = kind(
    "ServerCertificateName",
    lambda backend, name: backend.certificates.get(name),
    "The Server Certificate with name {} cannot be found.",
)

ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "TagMFADevice": MFA[0],
        "UntagMFADevice": MFA[1],
        "ListMFADeviceTags": MFA[2],
        "TagSAMLProvider": SAML[0],
        "UntagSAMLProvider": SAML[1],
        "ListSAMLProviderTags": SAML[2],
        "TagServerCertificate": CERTIFICATE[0],
        "UntagServerCertificate": CERTIFICATE[1],
        "ListServerCertificateTags": CERTIFICATE[2],
        "ListInstanceProfileTags": list_instance_profile_tags,
    }
)
