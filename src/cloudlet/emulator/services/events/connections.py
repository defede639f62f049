"""Connections: how calls of web servers are authorized."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.effects.jobs import enqueue
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only
from cloudlet.emulator.services.events.addresses import check_address
from cloudlet.emulator.services.events.api import (
    CreateConnectionRequest,
    CreateConnectionResponse,
    DeauthorizeConnectionRequest,
    DeauthorizeConnectionResponse,
    DeleteConnectionRequest,
    DeleteConnectionResponse,
    DescribeConnectionRequest,
    DescribeConnectionResponse,
    ListConnectionsRequest,
    ListConnectionsResponse,
    UpdateConnectionRequest,
    UpdateConnectionResponse,
)
from cloudlet.emulator.services.events.errors import exists, invalid, no_such_connection
from cloudlet.emulator.services.events.lookup import arn_of, by_name, named
from cloudlet.emulator.services.events.paging import page
from cloudlet.emulator.services.events.records import CONNECTIONS, Connection
from cloudlet.emulator.services.events.secrets import change_secret, create_secret, delete_secret

AUTHORIZE = "events.authorize"
AUTHORIZE_SECONDS = 1.0  # long enough to be seen, short enough to wait for
# how a connection authorizes -> the member of AuthParameters that has to be there
PARAMETERS = (
    ("BASIC", "BasicAuthParameters"),
    ("API_KEY", "ApiKeyAuthParameters"),
    ("OAUTH_CLIENT_CREDENTIALS", "OAuthParameters"),
)
SECRETS = frozenset({"Password", "ApiKeyValue", "ClientSecret"})


async def create_connection(call: Call, request: CreateConnectionRequest) -> CreateConnectionResponse:
    """With a secret. Raises ResourceAlreadyExistsException, ValidationException."""
    name, authorization = request["Name"], request["AuthorizationType"]
    with call.transaction(read_only=True):
        check_name(call, name)
    check_parameters(authorization, request["AuthParameters"])
    secret_arn = await create_secret(call, name, request["AuthParameters"])
    with call.transaction():
        check_name(call, name)
        connection = Connection(
            call.account_id,
            call.region,
            name,
            call.ids.uuid(),
            secret_arn,
            call.now,
            call.now,
            call.now,
            first_state(authorization),
            authorization,
            dict(request["AuthParameters"]),
            request.get("Description", ""),
            request.get("InvocationConnectivityParameters"),  # type: ignore[arg-type]
            request.get("KmsKeyIdentifier", ""),
        )
        store(call, connection)
    return outcome(call, connection)  # type: ignore[return-value]


def check_name(call: Call, name: str) -> None:
    """Raises ResourceAlreadyExistsException."""
    if CONNECTIONS.exists(call.tx, call.account_id, call.region, name):
        raise exists(f"Connection {name}")


def first_state(authorization: str) -> str:
    """A token has to be fetched first where a server gives one."""
    return "AUTHORIZING" if authorization == "OAUTH_CLIENT_CREDENTIALS" else "AUTHORIZED"


def store(call: Call, connection: Connection) -> None:
    CONNECTIONS.put(call.tx, connection)
    if connection.state == "AUTHORIZING":
        enqueue(
            call.tx,
            AUTHORIZE,
            {"name": connection.name},
            call.now + AUTHORIZE_SECONDS,
            call.ids,
            key=f"{connection.account_id}/{connection.region}/{connection.name}",
            account_id=call.account_id,
            region=call.region,
        )


def check_parameters(authorization: str, parameters: Mapping[str, Any]) -> None:
    """Raises ValidationException."""
    for kind, member in PARAMETERS:
        if kind == authorization and member not in parameters:
            raise invalid(f"AuthParameters of a {kind} connection must have {member}.")
        if kind != authorization and member in parameters:
            raise invalid(f"AuthParameters of a {authorization} connection must not have {member}.")
    if "OAuthParameters" in parameters:
        check_address("AuthorizationEndpoint", parameters["OAuthParameters"].get("AuthorizationEndpoint", ""))


async def update_connection(call: Call, request: UpdateConnectionRequest) -> UpdateConnectionResponse:
    """What is not given stays. Raises ResourceNotFoundException, ValidationException."""
    with call.transaction():
        before = connection_of(call, request["Name"])
        changed = changed_connection(call, before, request)
        store(call, changed)
    if changed.parameters != before.parameters:
        await change_secret(call, changed.secret_arn, changed.parameters)
    return {**outcome(call, changed), "LastAuthorizedTime": changed.authorized}  # type: ignore[typeddict-item]


def changed_connection(call: Call, before: Connection, request: UpdateConnectionRequest) -> Connection:
    """Raises ValidationException."""
    authorization = request.get("AuthorizationType", before.authorization)
    given: dict[str, Any] = dict(request.get("AuthParameters") or {})
    kept = before.parameters if authorization == before.authorization else {}
    parameters = merged(kept, given)
    if parameters or authorization != before.authorization:
        check_parameters(authorization, parameters)
    anew = parameters != before.parameters or authorization != before.authorization
    return replace(
        before,
        modified=call.now,
        authorized=call.now,
        authorization=authorization,
        parameters=parameters,
        state=first_state(authorization) if anew else before.state,
        token="" if anew else before.token,
        description=request.get("Description", before.description),
        kms_key=request.get("KmsKeyIdentifier", before.kms_key),
    )


def merged(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Objects member by member, lists and texts as a whole."""
    result = dict(before)
    for name, value in given.items():
        old = result.get(name)
        result[name] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


async def deauthorize_connection(call: Call, request: DeauthorizeConnectionRequest) -> DeauthorizeConnectionResponse:
    """Takes its parameters away; until it has new ones nothing is called with it. Raises ResourceNotFoundException."""
    with call.transaction():
        before = connection_of(call, request["Name"])
        connection = replace(before, state="DEAUTHORIZED", modified=call.now, token="", parameters={})
        CONNECTIONS.put(call.tx, connection)
    await change_secret(call, connection.secret_arn, {})
    return {**outcome(call, connection), "LastAuthorizedTime": connection.authorized}  # type: ignore[typeddict-item]


async def delete_connection(call: Call, request: DeleteConnectionRequest) -> DeleteConnectionResponse:
    """With its secret. Raises ResourceNotFoundException."""
    with call.transaction():
        connection = connection_of(call, request["Name"])
        CONNECTIONS.delete(call.tx, connection.account_id, connection.region, connection.name)
    await delete_secret(call, connection.secret_arn)
    over = outcome(call, replace(connection, state="DELETING"))
    return {**over, "LastAuthorizedTime": connection.authorized}  # type: ignore[typeddict-item]


@read_only
def describe_connection(call: Call, request: DescribeConnectionRequest) -> DescribeConnectionResponse:
    """Without the secrets. Raises ResourceNotFoundException."""
    connection = connection_of(call, request["Name"])
    found: dict[str, Any] = {
        **outcome(call, connection),
        "Name": connection.name,
        "AuthorizationType": connection.authorization,
        "LastAuthorizedTime": connection.authorized,
        "SecretArn": connection.secret_arn,
        "AuthParameters": shown_parameters(connection.parameters),
    }
    if connection.description:
        found["Description"] = connection.description
    if connection.kms_key:
        found["KmsKeyIdentifier"] = connection.kms_key
    if connection.connectivity:
        found["InvocationConnectivityParameters"] = connection.connectivity
    return found  # type: ignore[return-value]


def shown_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Without passwords, keys, and the values that are marked as secret."""
    found: dict[str, Any] = {}
    for name, value in parameters.items():
        if name in SECRETS:
            continue
        if isinstance(value, dict):
            found[name] = shown_parameters(value)
        elif isinstance(value, list):
            found[name] = [shown_entry(entry) for entry in value]
        else:
            found[name] = value
    return found


def shown_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    secret = entry.get("IsValueSecret", False)
    shown = {name: value for name, value in entry.items() if not (secret and name == "Value")}
    return {**shown, "IsValueSecret": secret}


@read_only
def list_connections(call: Call, request: ListConnectionsRequest) -> ListConnectionsResponse:
    """By name. Raises ValidationException."""
    state = request.get("ConnectionState")
    scanned = by_name(call, CONNECTIONS, request)
    wanted = (
        (connection.name, listed(call, connection)) for connection in scanned if state in (None, connection.state)
    )
    found, token = page(wanted, request)
    return {"Connections": found, **token}  # type: ignore[typeddict-item]


def listed(call: Call, connection: Connection) -> dict[str, Any]:
    return {
        **outcome(call, connection),
        "Name": connection.name,
        "AuthorizationType": connection.authorization,
        "LastAuthorizedTime": connection.authorized,
    }


def connection_of(call: Call, name: str) -> Connection:
    """Raises ResourceNotFoundException."""
    return named(call, CONNECTIONS, name, no_such_connection)


def connection_arn(call: Call, connection: Connection) -> str:
    path = f"connection/{connection.name}/{connection.identifier}"
    return arn_of(call, connection.account_id, connection.region, path)


def outcome(call: Call, connection: Connection) -> dict[str, Any]:
    return {
        "ConnectionArn": connection_arn(call, connection),
        "ConnectionState": connection.state,
        "CreationTime": connection.created,
        "LastModifiedTime": connection.modified,
    }
