"""What LocalStack's open command lines ask a platform for beside licenses, answered so that they end readably.

There are no ephemeral instances and no cloud pods here: lists are empty, one by name is 404, making one is 403
`generic.forbidden`, which those clients know. Signing in by password is gone, as it is at LocalStack. Events that clients
tell about their users are thrown away unread.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from litestar import Response, delete, get, patch, post, put
from litestar.params import FromPath

from cloudlet.control.db import Database
from cloudlet.control.devices.errors import TokenInvalid
from cloudlet.control.devices.tokens import living_credential
from cloudlet.control.errors import NotFound, Refusal
from cloudlet.control.given import TheDatabase, ThePlatform, WebRequest
from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.control.platform import Platform
from cloudlet.control.security import NO_CSRF
from cloudlet.control.threads import in_thread

OPEN = requires(PUBLIC) | NO_CSRF  # the token is in a header
PODS = "/v1/cloudpods"
INSTANCES = "/v1/compute/instances"


class SignInByPasswordGone(Refusal):
    status = 410
    code = "auth.signin.gone"
    title = "Signing in by password has ended"
    hint = "Copy your token from the Auth Token page and run `localstack auth set-token <TOKEN>`, or `cloudlet auth login`."


class NotOffered(Refusal):
    """`message` is the code that the clients know."""

    status = 403
    code = "generic.forbidden"
    title = "This control plane offers neither cloud pods nor ephemeral instances"
    hint = "Snapshots keep an emulator's state on its machine: see /_cloudlet/snapshots."


@post("/v1/user/signin", opt=OPEN)
async def sign_in_by_password() -> None:
    """The body, which holds a password, is not read."""
    raise SignInByPasswordGone


@put("/v1/user/signin", opt=OPEN)
async def sign_in_by_password_again() -> None:
    raise SignInByPasswordGone


@post("/v1/events", opt=OPEN, status_code=200)
async def take_events() -> dict[str, Any]:
    """Thrown away unread: LocalStack's Go client puts the whole auth token into its events."""
    return {}


@get([PODS, INSTANCES], opt=OPEN)
@in_thread
def list_nothing(request: WebRequest, database: TheDatabase, platform: ThePlatform) -> list[Any]:
    """Raises TokenInvalid."""
    require_token(request, database, platform)
    return []


@get([PODS + "/{name:str}", INSTANCES + "/{name:str}", INSTANCES + "/{name:str}/logs"], opt=OPEN)
@in_thread
def show_nothing(request: WebRequest, name: FromPath[str], database: TheDatabase, platform: ThePlatform) -> None:
    require_token(request, database, platform)
    raise NotFound(f"There is no {name!r}.")


@delete([PODS + "/{name:str}", INSTANCES + "/{name:str}"], opt=OPEN, status_code=404)
@in_thread
def delete_nothing(request: WebRequest, name: FromPath[str], database: TheDatabase, platform: ThePlatform) -> None:
    require_token(request, database, platform)
    raise NotFound(f"There is no {name!r}.")


@patch(PODS + "/{name:str}", opt=OPEN)
@in_thread
def change_nothing(request: WebRequest, name: FromPath[str], database: TheDatabase, platform: ThePlatform) -> None:
    require_token(request, database, platform)
    raise NotFound(f"There is no {name!r}.")


@post([PODS, PODS + "/{name:str}", INSTANCES], opt=OPEN)
@in_thread
def refuse_to_make(request: WebRequest, database: TheDatabase, platform: ThePlatform) -> Response[Any]:
    require_token(request, database, platform)
    raise NotOffered


@put(PODS + "/{name:str}", opt=OPEN)
@in_thread
def refuse_to_save(request: WebRequest, database: TheDatabase, platform: ThePlatform) -> Response[Any]:
    require_token(request, database, platform)
    raise NotOffered


def require_token(request: WebRequest, database: Database, platform: Platform) -> None:
    """Raises TokenInvalid."""
    with database.snapshot() as session:
        living_credential(session, platform, token_of(request))


def token_of(request: WebRequest) -> str:
    """`Authorization: Basic base64(":" + token)`, or `ls-api-key`."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return request.headers.get("ls-api-key", "").strip()
    try:
        return base64.b64decode(value, validate=True).decode().rpartition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        raise TokenInvalid from None


ROUTES: tuple[Any, ...] = (
    sign_in_by_password,
    sign_in_by_password_again,
    take_events,
    list_nothing,
    show_nothing,
    delete_nothing,
    change_nothing,
    refuse_to_make,
    refuse_to_save,
)
