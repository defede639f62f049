"""The page "Legacy API Keys": what is left of them, and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from litestar import get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from cloudlet.control.credentials import legacy_keys
from cloudlet.control.credentials.forms import LegacyKeyForm
from cloudlet.control.credentials.service import NewToken
from cloudlet.control.db import Database
from cloudlet.control.errors import NotFound, Refusal
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform
from cloudlet.control.licenses.seats import seats_of
from cloudlet.control.pages import go, page
from cloudlet.control.permissions import requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import Viewer

PATH = "/workspace/api-keys"
KEY = PATH + "/{key_id:str}"
DONE: Mapping[str, str] = MappingProxyType(
    {
        "deleted": "The key is dead.",
        "migrated": "The owner holds a license now, and the key is dead. They find their auth token on the Auth Token page.",
    }
)


@get(PATH, opt=requires("api_key.manage"))
@in_thread
def show_api_keys(
    viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform, done: FromQuery[str] = ""
) -> Template:
    return keys_page(viewer, database, platform, done=DONE.get(done, ""))


@post(PATH, opt=requires("api_key.manage"))
@in_thread
def submit_create(
    data: URLEncodedBody[LegacyKeyForm], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template:
    """The key is in the answer to this POST and nowhere else."""
    try:
        with database.transaction() as session:
            created = legacy_keys.create_legacy_key(
                session, platform, viewer, data.member, name=data.name.strip()[:120]
            )
    except NotFound:
        raise
    except Refusal as error:
        return keys_page(viewer, database, platform, problem=error)
    return keys_page(viewer, database, platform, created=created)


@post(KEY + "/delete", opt=requires("api_key.manage"))
@in_thread
def submit_delete(
    key_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Redirect:
    with database.transaction() as session:
        legacy_keys.delete_legacy_key(session, platform, viewer, key_id)
    return go(PATH + "?done=deleted")


@post(KEY + "/migrate", opt=requires("api_key.manage"))
@in_thread
def submit_migrate(
    key_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    try:
        with database.transaction() as session:
            legacy_keys.migrate_legacy_key(session, platform, viewer, key_id)
    except NotFound:
        raise
    except Refusal as error:
        return keys_page(viewer, database, platform, problem=error)
    return go(PATH + "?done=migrated")


def keys_page(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    *,
    done: str = "",
    problem: Refusal | None = None,
    created: NewToken | None = None,
) -> Template:
    can_create = platform.settings.legacy_api_keys
    with database.snapshot() as session:
        keys = legacy_keys.legacy_key_views(session, viewer.workspace_id)
        seats = seats_of(session, viewer.workspace_id)
        owners = legacy_keys.owner_views(session, viewer.workspace_id) if can_create else ()
    return page(
        "api_keys.html",
        viewer,
        path=PATH,
        keys=keys,
        seats=seats,
        owners=owners,
        can_create=can_create,
        done=done,
        problem=problem,
        created=created,
        status=problem.status if problem else 200,
    )


ROUTES = (
    show_api_keys,
    submit_create,
    submit_delete,
    submit_migrate,
)
