"""Credentials that are no access keys: those for single services, clients of OpenID Connect providers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.iam.words import missing, refuse

SERVICES = frozenset(
    {"bedrock.amazonaws.com", "cassandra.amazonaws.com", "codecommit.amazonaws.com", "logs.amazonaws.com"}
)
MOST = 2


def user_of(asked: Asked, backend: Any) -> Any:
    """The user that the request names; the caller where it names none."""
    name = asked.request.get("UserName")
    user = backend.users.get(name)
    if user is None:
        raise missing("user", str(name))
    if not hasattr(user, "service_credentials"):
        user.service_credentials = {}
    return user


def find(asked: Asked, backend: Any) -> tuple[Any, dict[str, Any]]:
    user, wanted = user_of(asked, backend), asked.request["ServiceSpecificCredentialId"]
    if wanted not in user.service_credentials:
        raise refuse("NoSuchEntity", f"No such credential {wanted} exists", 404)
    return user, user.service_credentials[wanted]


def create_service_specific_credential(asked: Asked) -> dict[str, Any]:
    service, ids = asked.request["ServiceName"], asked.call.ids
    with asked.state() as backend:
        user = user_of(asked, backend)
        if service not in SERVICES:
            raise refuse(
                "NoSuchEntity", f"No such service {service} is supported for Service Specific Credentials", 404
            )
        if len([made for made in user.service_credentials.values() if made["ServiceName"] == service]) >= MOST:
            raise refuse("LimitExceeded", f"Cannot exceed quota for ServiceSpecificCredentialsPerUser: {MOST}", 409)
        made = {
            "CreateDate": asked.call.now,
            "ServiceName": service,
            "ServiceUserName": f"{user.name}-at-{asked.call.account_id}",
            "ServicePassword": ids.alphanumeric(43) + "=",
            "ServiceSpecificCredentialId": "ACCA" + ids.uppercase(16),
            "UserName": user.name,
            "Status": "Active",
        }
        user.service_credentials[made["ServiceSpecificCredentialId"]] = made
        return {"ServiceSpecificCredential": made}


def list_service_specific_credentials(asked: Asked) -> dict[str, Any]:
    wanted = asked.request.get("ServiceName")
    if wanted is not None and wanted not in SERVICES:
        raise refuse("NoSuchEntity", f"No such service {wanted} is supported for Service Specific Credentials", 404)
    with asked.state() as backend:
        made = user_of(asked, backend).service_credentials.values()
        found = [
            {name: value for name, value in entry.items() if name != "ServicePassword"}
            for entry in made
            if wanted in (None, entry["ServiceName"])
        ]
    return {"ServiceSpecificCredentials": found}


def update_service_specific_credential(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        find(asked, backend)[1]["Status"] = asked.request["Status"]
    return {}


def delete_service_specific_credential(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        user, made = find(asked, backend)
        del user.service_credentials[made["ServiceSpecificCredentialId"]]
    return {}


def reset_service_specific_credential(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        made = find(asked, backend)[1]
        made["ServicePassword"] = asked.call.ids.alphanumeric(43) + "="
        return {"ServiceSpecificCredential": made}


def provider_of(asked: Asked, backend: Any) -> Any:
    arn = asked.request["OpenIDConnectProviderArn"]
    found = backend.open_id_providers.get(arn)
    if found is None:
        raise refuse("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404)
    return found


def add_client_id(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        provider = provider_of(asked, backend)
        if asked.request["ClientID"] not in (provider.client_id_list or []):
            provider.client_id_list = [*(provider.client_id_list or []), asked.request["ClientID"]]
    return {}


def remove_client_id(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        provider = provider_of(asked, backend)
        provider.client_id_list = [
            known for known in provider.client_id_list or [] if known != asked.request["ClientID"]
        ]
    return {}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CreateServiceSpecificCredential": create_service_specific_credential,
        "ListServiceSpecificCredentials": list_service_specific_credentials,
        "UpdateServiceSpecificCredential": update_service_specific_credential,
        "DeleteServiceSpecificCredential": delete_service_specific_credential,
        "ResetServiceSpecificCredential": reset_service_specific_credential,
        "AddClientIDToOpenIDConnectProvider": add_client_id,
        "RemoveClientIDFromOpenIDConnectProvider": remove_client_id,
    }
)
