"""Calls of API destinations: the event as a request to a web server, authorized as its connection says."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import orjson
from msgspec.structs import replace

from cloudlet.emulator.effects.jobs import GiveUp
from cloudlet.emulator.eventing.arns import Arn, parse_arn
from cloudlet.emulator.eventing.deliveries import PERMANENT, Undelivered
from cloudlet.emulator.eventing.inputs import MISSING, compact, look_up
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.events.records import CONNECTIONS, DESTINATIONS, Connection, Destination

if TYPE_CHECKING:
    from cloudlet.emulator.effects.delivery import HttpDelivery

TIMEOUT_SECONDS = 5.0  # "API destinations": the longest that a server may take
RETRIED = frozenset({401, 407, 409, 429})
TOKEN_REFUSED = frozenset({401, 407})
TOKEN_SECONDS = 3600.0  # how long a token is good whose server does not say
AGENT = "Amazon/EventBridge/ApiDestinations"
AGENT_OF_APIS = "Amazon/EventBridge/ApiGateway"
API_SECONDS = 30.0


async def call_destination(call: Call, payload: Mapping[str, Any], http: HttpDelivery) -> None:
    """Raises GiveUp for what another attempt would not mend, Undelivered."""
    place = parse_arn(payload["target"]["Arn"])
    if place is not None and place.service == "execute-api":
        await call_api(call, place, payload, http)
        return
    owner = call if place is None else call.at(place.account, place.region)
    with owner.transaction(read_only=True) as tx:
        destination = DESTINATIONS.get(tx, owner.account_id, owner.region, payload["destination"])
        connection = None
        if destination is not None:
            name = destination.connection_arn.split("/")[1]
            connection = CONNECTIONS.get(tx, owner.account_id, owner.region, name)
    if destination is None or connection is None:
        raise GiveUp(f"{PERMANENT}|NO_RESOURCE|The API destination {payload['destination']} does not exist.")
    if connection.state == "DEAUTHORIZED":
        raise Undelivered(f"NO_PERMISSIONS|The connection {connection.name} is not authorized.")
    url, headers, body = request_for(destination, connection, payload)
    headers |= await authorization(owner, connection, http)
    status = await http.send(destination.method, url, headers, body, TIMEOUT_SECONDS)
    if status in TOKEN_REFUSED:
        keep_token(owner, connection, "", 0.0)
    judge(status, url)


def judge(status: int, url: str) -> None:
    """Raises GiveUp, Undelivered for an answer that is no success."""
    if 200 <= status < 300:
        return
    if status in RETRIED or status >= 500:
        raise Undelivered(f"{status}|{url} answered {status}")
    raise GiveUp(f"{PERMANENT}|{status}|{url} answered {status}")


async def call_api(call: Call, place: Arn, payload: Mapping[str, Any], http: HttpDelivery) -> None:
    """`…:execute-api:…:<api>/<stage>/<method>/<path>`: an API of API Gateway, which this emulator serves."""
    api, stage, method, path = (*place.resource.split("/", 3), "", "", "")[:4]
    event, given = payload["event"], payload["target"].get("HttpParameters") or {}
    for value in given.get("PathParameterValues", ()):
        path = path.replace("*", quote(filled(value, event), safe=""), 1)
    url = f"http://127.0.0.1:{call.settings.port}/_aws/execute-api/{api}/{stage}/{path}"
    query = {name: filled(value, event) for name, value in (given.get("QueryStringParameters") or {}).items()}
    if query:
        url += "?" + urlencode(query)
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": AGENT_OF_APIS}
    headers |= {name: filled(value, event) for name, value in (given.get("HeaderParameters") or {}).items()}
    text = payload["parcel"]["errand"]["request"]["text"]
    status = await http.send("POST" if method in ("", "*") else method, url, headers, text.encode(), API_SECONDS)
    judge(status, url)


def request_for(
    destination: Destination, connection: Connection, payload: Mapping[str, Any]
) -> tuple[str, dict[str, str], bytes]:
    """URL, headers and body. What the target says comes before what the connection says."""
    event, target = payload["event"], payload["target"]
    own = connection.parameters.get("InvocationHttpParameters") or {}
    given = target.get("HttpParameters") or {}
    url = destination.endpoint
    for value in given.get("PathParameterValues", ()):
        url = url.replace("*", quote(filled(value, event), safe=""), 1)
    query = {entry["Key"]: entry["Value"] for entry in own.get("QueryStringParameters", ())}
    query |= {name: filled(value, event) for name, value in (given.get("QueryStringParameters") or {}).items()}
    if query:
        url += ("&" if "?" in url else "?") + urlencode(query)
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": AGENT, "Range": "bytes=0-1048575"}
    headers |= {entry["Key"]: entry["Value"] for entry in own.get("HeaderParameters", ())}
    headers |= {name: filled(value, event) for name, value in (given.get("HeaderParameters") or {}).items()}
    text = payload["parcel"]["errand"]["request"]["text"]
    return url, headers, with_members(text, own.get("BodyParameters", ())).encode()


def filled(value: str, event: Mapping[str, Any]) -> str:
    """A value that begins with `$.` is a path into the event."""
    if not value.startswith("$."):
        return value
    found = look_up(event, value)
    return "" if found is MISSING else found if isinstance(found, str) else compact(found)


def with_members(text: str, entries: Any) -> str:
    """The body with the connection's members, where it is an object."""
    if not entries:
        return text
    try:
        body = orjson.loads(text)
    except ValueError:
        return text
    if not isinstance(body, dict):
        return text
    return compact(body | {entry["Key"]: entry["Value"] for entry in entries})


async def authorization(call: Call, connection: Connection, http: HttpDelivery) -> dict[str, str]:
    """The header that authorizes. Raises Undelivered when the authorization server gives no token."""
    given = connection.parameters
    if connection.authorization == "BASIC":
        basic = given["BasicAuthParameters"]
        pair = f"{basic['Username']}:{basic['Password']}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    if connection.authorization == "API_KEY":
        key = given["ApiKeyAuthParameters"]
        return {key["ApiKeyName"]: key["ApiKeyValue"]}
    token = connection.token
    if not token or connection.token_end <= call.now:
        token, seconds = await fetch_token(given["OAuthParameters"], http)
        keep_token(call, connection, token, seconds)
    return {"Authorization": f"Bearer {token}"}


def keep_token(call: Call, used: Connection, token: str, seconds: float) -> None:
    """For the next calls, unless the connection has changed meanwhile."""
    with call.transaction() as tx:
        current = CONNECTIONS.get(tx, used.account_id, used.region, used.name)
        if current is not None and current.parameters == used.parameters and current.state != "DEAUTHORIZED":
            CONNECTIONS.put(tx, replace(current, token=token, token_end=call.now + seconds, authorized=call.now))


async def fetch_token(given: Mapping[str, Any], http: HttpDelivery) -> tuple[str, float]:
    """The token and how many seconds it is good, by client credentials, as RFC 6749 has them. Raises Undelivered."""
    url, headers, form = token_request(given)
    status, body = await http.fetch(given["HttpMethod"], url, headers, form, TIMEOUT_SECONDS)
    try:
        answer = orjson.loads(body) if 200 <= status < 300 else {}
    except ValueError:
        answer = {}
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str):
        raise Undelivered(f"SDK_CLIENT_ERROR|{url} gave no token, it answered {status}")
    seconds = answer.get("expires_in")
    return token, float(seconds) if isinstance(seconds, int | float) else TOKEN_SECONDS


def token_request(given: Mapping[str, Any]) -> tuple[str, dict[str, str], bytes]:
    """URL, headers and body."""
    client, more = given["ClientParameters"], given.get("OAuthHttpParameters") or {}
    form = {
        "grant_type": "client_credentials",
        "client_id": client["ClientID"],
        "client_secret": client["ClientSecret"],
    }
    form |= {entry["Key"]: entry["Value"] for entry in more.get("BodyParameters", ())}
    url = given["AuthorizationEndpoint"]
    query = {entry["Key"]: entry["Value"] for entry in more.get("QueryStringParameters", ())}
    if query:
        url += ("&" if "?" in url else "?") + urlencode(query)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": AGENT}
    headers |= {entry["Key"]: entry["Value"] for entry in more.get("HeaderParameters", ())}
    return url, headers, urlencode(form).encode()
