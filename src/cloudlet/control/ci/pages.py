"""The page "CI Keys", a key's page, and their forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from litestar import get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from sqlalchemy.orm import Session

from cloudlet.control.ci import service
from cloudlet.control.ci.forms import LIFETIMES, OVERLAPS, read_key_form, read_overlap
from cloudlet.control.ci.usage import chart_of, usage_view
from cloudlet.control.ci.views import ended_key_views, key_view, key_views, run_views
from cloudlet.control.credentials.service import NewToken
from cloudlet.control.db import Database
from cloudlet.control.errors import NotFound, Refusal
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform
from cloudlet.control.pages import attempt, page
from cloudlet.control.permissions import is_allowed, requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import Viewer

PATH = "/workspace/ci-keys"
KEY = PATH + "/{key_id:str}"
DONE: Mapping[str, str] = MappingProxyType(
    {
        "saved": "Saved.",
        "deleted": "The key is dead. A pipeline that still uses it is refused, and you will see it here.",
        "family": "The key and all of its relatives are dead.",
    }
)


@get(PATH, opt=requires("ci_key.read"))
@in_thread
def show_ci_keys(
    viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform, done: FromQuery[str] = ""
) -> Template:
    return keys_page(viewer, database, platform, done=DONE.get(done, ""))


@post(PATH, opt=requires("ci_key.manage"))
@in_thread
def submit_create(
    data: URLEncodedBody[dict[str, str]], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template:
    """The key is in the answer to this POST and nowhere else."""
    try:
        form = read_key_form(data)
        with database.transaction() as session:
            created = service.create_key(session, platform, viewer, form)
    except Refusal as error:
        return keys_page(viewer, database, platform, problem=error, entered=data)
    return keys_page(viewer, database, platform, created=created, created_name=form.name)


@get(KEY, opt=requires("ci_key.read"))
@in_thread
def show_ci_key(
    key_id: FromPath[str],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
    done: FromQuery[str] = "",
) -> Template:
    return key_page(viewer, database, platform, key_id, done=DONE.get(done, ""))


@post(KEY, opt=requires("ci_key.manage"))
@in_thread
def submit_rename(
    key_id: FromPath[str],
    data: URLEncodedBody[dict[str, str]],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    def rename(session: Session) -> None:
        service.rename_key(
            session, platform, viewer, key_id, name=data.get("name", ""), project=data.get("project", "")
        )

    return change(viewer, database, platform, key_id, rename, f"{PATH}/{key_id}?done=saved")


@post(KEY + "/rotate", opt=requires("ci_key.manage"))
@in_thread
def submit_rotate(
    key_id: FromPath[str],
    data: URLEncodedBody[dict[str, str]],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template:
    try:
        hours = read_overlap(data.get("overlap", ""))
        with database.transaction() as session:
            created = service.rotate_key(session, platform, viewer, key_id, overlap_hours=hours)
    except NotFound:
        raise
    except Refusal as error:
        return key_page(viewer, database, platform, key_id, problem=error)
    return key_page(viewer, database, platform, created.credential_id, created=created)


@post(KEY + "/delete", opt=requires("ci_key.manage"))
@in_thread
def submit_delete(
    key_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    def delete(session: Session) -> None:
        service.delete_key(session, platform, viewer, key_id)

    return change(viewer, database, platform, key_id, delete, PATH + "?done=deleted")


@post(KEY + "/revoke-family", opt=requires("ci_key.manage"))
@in_thread
def submit_revoke_family(
    key_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    def revoke(session: Session) -> None:
        service.revoke_key_family(session, platform, viewer, key_id)

    return change(viewer, database, platform, key_id, revoke, f"{PATH}/{key_id}?done=family")


def change(
    viewer: Viewer, database: Database, platform: Platform, key_id: str, run: Callable[[Session], None], target: str
) -> Template | Redirect:
    """Do it and look at `target`; or show the key's page with what is in the way. Raises NotFound."""

    def again(error: Refusal) -> Template:
        return key_page(viewer, database, platform, key_id, problem=error)

    return attempt(database, run, target, again, passed=(NotFound,))


def keys_page(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    *,
    done: str = "",
    problem: Refusal | None = None,
    entered: Mapping[str, str] = MappingProxyType({}),
    created: NewToken | None = None,
    created_name: str = "",
) -> Template:
    with database.snapshot() as session:
        keys = key_views(session, platform, viewer.workspace_id)
        ended = ended_key_views(session, platform, viewer.workspace_id)
        usage = usage_view(session, platform, viewer.workspace_id) if is_allowed(viewer, "usage.read") else None
    return page(
        "ci_keys.html",
        viewer,
        path=PATH,
        keys=keys,
        ended=ended,
        reused=tuple(key for key in ended if key.reuse_count),
        usage=usage,
        chart=chart_of(usage, platform.now().date()) if usage else None,
        lifetimes=LIFETIMES,
        endpoint=platform.settings.base_url + "/v1",
        done=done,
        problem=problem,
        entered=entered,
        created=created,
        created_name=created_name,
        status=problem.status if problem else 200,
    )


def key_page(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    key_id: str,
    *,
    done: str = "",
    problem: Refusal | None = None,
    created: NewToken | None = None,
) -> Template:
    """Raises NotFound."""
    with database.snapshot() as session:
        key = key_view(session, platform, viewer.workspace_id, key_id)
        runs = run_views(session, key_id)
    return page(
        "ci_key.html",
        viewer,
        path=PATH,
        key=key,
        runs=runs,
        overlaps=OVERLAPS,
        done=done,
        problem=problem,
        created=created,
        status=problem.status if problem else 200,
    )


ROUTES = (
    show_ci_keys,
    submit_create,
    show_ci_key,
    submit_rename,
    submit_rotate,
    submit_delete,
    submit_revoke_family,
)
