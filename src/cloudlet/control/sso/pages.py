"""The page "Single sign-on", an identity provider's page, and their forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from litestar import get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from sqlalchemy.orm import Session

from cloudlet.control.db import Database
from cloudlet.control.errors import InvalidForm, Refusal
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform
from cloudlet.control.limits.service import check
from cloudlet.control.members.forms import SWITCH
from cloudlet.control.members.views import LABELS, ROLE_NAMES
from cloudlet.control.pages import go, page
from cloudlet.control.permissions import requires
from cloudlet.control.platform import Platform
from cloudlet.control.sso import service
from cloudlet.control.sso.attempts import callback_url, depart
from cloudlet.control.sso.discovery import CHECKS, discover
from cloudlet.control.sso.forms import read_provider_form
from cloudlet.control.sso.views import (
    Fields,
    fields_of,
    first_fields,
    list_providers,
    people_of,
    provider_view,
    typed_fields,
)
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import Viewer

PATH = "/workspace/sso"
ONE = PATH + "/{provider_id:str}"
MANAGE = requires("sso.manage")
Change = Callable[[Session, Platform, Viewer, str], None]  # of the service
DONE: Mapping[str, str] = MappingProxyType(
    {
        "added": "The provider is set up. Test it, then give the Sign-up Portal URL to your people.",
        "saved": "Saved. It is in force for the next sign-in.",
        "enabled": "Single sign-on with this provider is on.",
        "disabled": "It is off: nobody comes in by it, and who did is signed out.",
        "deleted": "The provider is gone. Members stay, and can set a password by “Forgot your password?”.",
        "unlinked": "Unlinked, and signed out. The next sign-in links them anew, by their address.",
    }
)


@get(PATH, opt=MANAGE)
@in_thread
def show_providers(
    viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform, done: FromQuery[str] = ""
) -> Template:
    return providers_page(viewer, database, platform, done=DONE.get(done, ""))


@post(PATH, opt=MANAGE)
@in_thread
def submit_provider(
    data: URLEncodedBody[dict[str, str]], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    """The provider is asked who it is before anything is kept."""
    try:
        form = read_provider_form(data, platform.settings)
        check(database, platform, CHECKS, viewer.workspace_id)
        discover(platform, form.issuer)
        with database.transaction() as session:
            made = service.create_provider(session, platform, viewer, form).id
    except Refusal as error:
        return providers_page(viewer, database, platform, problem=error, fields=typed_fields(data, SWITCH))
    return go(f"{PATH}/{made}?done=added")


@get(ONE, opt=MANAGE)
@in_thread
def show_provider(
    provider_id: FromPath[str],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
    done: FromQuery[str] = "",
) -> Template:
    return provider_page(viewer, database, platform, provider_id, done=DONE.get(done, ""))


@post(ONE, opt=MANAGE)
@in_thread
def submit_change(
    provider_id: FromPath[str],
    data: URLEncodedBody[dict[str, str]],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    with database.snapshot() as session:
        service.find_provider(session, viewer.workspace_id, provider_id)
    try:
        form = read_provider_form(data, platform.settings)
        check(database, platform, CHECKS, viewer.workspace_id)
        discover(platform, form.issuer)
        with database.transaction() as session:
            service.change_provider(session, platform, viewer, provider_id, form)
    except Refusal as error:
        fields = typed_fields(data, SWITCH)
        return provider_page(viewer, database, platform, provider_id, problem=error, fields=fields)
    return go(f"{PATH}/{provider_id}?done=saved")


@get(ONE + "/test", opt=MANAGE)
@in_thread
def start_test(
    provider_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Redirect:
    """A link, not a form: the pages' policy lets forms lead to this site alone. Raises NotFound, ProviderUnusable."""
    with database.snapshot() as session:
        provider = service.find_provider(session, viewer.workspace_id, provider_id)
    check(database, platform, CHECKS, viewer.workspace_id)
    found = discover(platform, provider.issuer)
    with database.transaction() as session:
        departure = depart(session, platform, provider, found, tester=viewer.user_id)
    answer = go(departure.url)
    answer.set_cookie(departure.cookie)
    return answer


@post(ONE + "/enable", opt=MANAGE)
@in_thread
def submit_enable(
    provider_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Redirect:
    return change(viewer, database, platform, provider_id, service.enable_provider, "enabled")


@post(ONE + "/disable", opt=MANAGE)
@in_thread
def submit_disable(
    provider_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Redirect:
    return change(viewer, database, platform, provider_id, service.disable_provider, "disabled")


@post(ONE + "/people/{identity_id:str}/unlink", opt=MANAGE)
@in_thread
def submit_unlink(
    provider_id: FromPath[str],
    identity_id: FromPath[str],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Redirect:
    unlink = partial(service.unlink, identity_id=identity_id)
    return change(viewer, database, platform, provider_id, unlink, "unlinked")


@post(ONE + "/delete", opt=MANAGE)
@in_thread
def submit_delete(
    provider_id: FromPath[str],
    data: URLEncodedBody[dict[str, str]],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    with database.snapshot() as session:
        name = service.find_provider(session, viewer.workspace_id, provider_id).name
    if " ".join(data.get("confirm", "").split()) != name:
        problem = InvalidForm(f"Type “{name}” to delete it.")
        return provider_page(viewer, database, platform, provider_id, problem=problem, ask="delete")
    with database.transaction() as session:
        service.delete_provider(session, platform, viewer, provider_id)
    return go(f"{PATH}?done=deleted")


def change(viewer: Viewer, database: Database, platform: Platform, provider_id: str, do: Change, done: str) -> Redirect:
    with database.transaction() as session:
        do(session, platform, viewer, provider_id)
    return go(f"{PATH}/{provider_id}?done={done}")


def providers_page(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    *,
    done: str = "",
    problem: Refusal | None = None,
    fields: Fields | None = None,
) -> Template:
    with database.snapshot() as session:
        found = list_providers(session, platform, viewer.workspace_id)
        callback = callback_url(platform, service.next_slug(session, viewer.workspace_id))
    return page(
        "sso.html",
        viewer,
        path=PATH,
        providers=found,
        callback=callback,
        most=service.MOST_PROVIDERS,
        fields=fields or first_fields(viewer),
        roles=ROLE_NAMES,
        labels=LABELS,
        switch=SWITCH,
        done=done,
        problem=problem,
        status=problem.status if problem else 200,
    )


def provider_page(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    provider_id: str,
    *,
    done: str = "",
    problem: Refusal | None = None,
    fields: Fields | None = None,
    ask: str = "",
) -> Template:
    """Raises NotFound."""
    with database.snapshot() as session:
        row = service.find_provider(session, viewer.workspace_id, provider_id)
        provider = provider_view(session, platform, row)
        people = people_of(session, provider.id)
    return page(
        "sso_provider.html",
        viewer,
        path=PATH,
        provider=provider,
        people=people,
        fields=fields or fields_of(provider),
        roles=ROLE_NAMES,
        labels=LABELS,
        switch=SWITCH,
        done=done,
        problem=problem,
        ask=ask,
        may_enable=viewer.role == "admin",
        status=problem.status if problem else 200,
    )


ROUTES = (
    show_providers,
    submit_provider,
    show_provider,
    submit_change,
    start_test,
    submit_enable,
    submit_disable,
    submit_unlink,
    submit_delete,
)
