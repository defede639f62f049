"""The secret of a connection: what it authorizes with lies in Secrets Manager, too, as on AWS.

A connection works without: where Secrets Manager cannot be had, its ARN only looks like one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.eventing.inputs import compact
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError

LOG = logging.getLogger("cloudlet.events")
# a member of AuthParameters -> (its member, what the secret calls it)
NAMES: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "BasicAuthParameters": (("Username", "username"), ("Password", "password")),
        "ApiKeyAuthParameters": (("ApiKeyName", "api_key_name"), ("ApiKeyValue", "api_key_value")),
    }
)
HTTP = (
    ("HeaderParameters", "header_parameters"),
    ("QueryStringParameters", "query_string_parameters"),
    ("BodyParameters", "body_parameters"),
)


async def create_secret(call: Call, connection: str, parameters: Mapping[str, Any]) -> str:
    """The ARN of a new secret."""
    name = f"events!connection/{connection}/{call.ids.uuid()}"
    request = {
        "Name": name,
        "SecretString": compact(secret_of(parameters)),
        "ClientRequestToken": call.ids.uuid(),
        "Description": f"The secret of the connection {connection} of EventBridge",
    }
    try:
        answer = await call.reach("secretsmanager", "CreateSecret", request)
    except AwsError as error:
        LOG.debug("the connection %s has no secret: %s", connection, error.message)
        suffix = call.ids.alphanumeric(6)
        return f"arn:{call.partition}:secretsmanager:{call.region}:{call.account_id}:secret:{name}-{suffix}"
    return str(answer["ARN"])


async def change_secret(call: Call, arn: str, parameters: Mapping[str, Any]) -> None:
    request = {
        "SecretId": arn,
        "SecretString": compact(secret_of(parameters)),
        "ClientRequestToken": call.ids.uuid(),
    }
    await attempt(call, "PutSecretValue", request)


async def delete_secret(call: Call, arn: str) -> None:
    await attempt(call, "DeleteSecret", {"SecretId": arn, "ForceDeleteWithoutRecovery": True})


async def attempt(call: Call, operation: str, request: dict[str, Any]) -> None:
    try:
        await call.reach("secretsmanager", operation, request)
    except AwsError as error:
        LOG.debug("%s: %s", request["SecretId"], error.message)


def secret_of(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What the secret says."""
    found: dict[str, Any] = {}
    for member, names in NAMES.items():
        for name, own in names:
            if name in parameters.get(member, {}):
                found[own] = parameters[member][name]
    oauth = parameters.get("OAuthParameters")
    if oauth is not None:
        client = oauth.get("ClientParameters") or {}
        found |= {
            "client_id": client.get("ClientID", ""),
            "client_secret": client.get("ClientSecret", ""),
            "authorization_endpoint": oauth.get("AuthorizationEndpoint", ""),
            "http_method": oauth.get("HttpMethod", ""),
        }
        if oauth.get("OAuthHttpParameters"):
            found["oauth_http_parameters"] = http_of(oauth["OAuthHttpParameters"])
    if parameters.get("InvocationHttpParameters"):
        found["invocation_http_parameters"] = http_of(parameters["InvocationHttpParameters"])
    return found


def http_of(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        own: [
            {
                "key": entry["Key"],
                "value": entry.get("Value", ""),
                "is_value_secret": entry.get("IsValueSecret", False),
            }
            for entry in given[name]
        ]
        for name, own in HTTP
        if given.get(name)
    }
