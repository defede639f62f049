"""The page Subscriptions: plans compared; start the trial, change plan and seats, cancel, go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from litestar import get, post
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from sqlalchemy.orm import Session

from cloudlet.control.db import Database
from cloudlet.control.errors import Refusal
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform
from cloudlet.control.licenses import subscriptions
from cloudlet.control.licenses.forms import ChangeForm, read_seats
from cloudlet.control.licenses.subscription_views import ending_notice, offer_view
from cloudlet.control.pages import attempt, page
from cloudlet.control.permissions import is_allowed, requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import Viewer

PATH = "/workspace/subscriptions"
DONE: Mapping[str, str] = MappingProxyType(
    {
        "changed": "Saved. Licenses follow the new plan at the next activation.",
        "canceled": "The subscription ends with this period. Until then everything stays as it is.",
        "resumed": "The subscription goes on.",
    }
)


@get(PATH, opt=requires("subscription.read"))
@in_thread
def show_subscriptions(
    viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform, done: FromQuery[str] = ""
) -> Template:
    return subscriptions_page(viewer, database, platform, done=DONE.get(done, ""))


@post(PATH + "/trial", opt=requires("subscription.manage"))
@in_thread
def submit_trial(viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform) -> Template | Redirect:
    """The next thing to do then is the next step of Getting Started."""

    def begin(session: Session) -> None:
        subscriptions.begin_trial(session, platform, viewer)

    return change(viewer, database, platform, begin, "/getting-started")


@post(PATH + "/change", opt=requires("subscription.manage"))
@in_thread
def submit_change(
    data: URLEncodedBody[ChangeForm], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    def save(session: Session) -> None:
        seats = read_seats(data.seats)
        subscriptions.change_subscription(session, platform, viewer, plan_code=data.plan, seats=seats)

    return change(viewer, database, platform, save, PATH + "?done=changed", tried=data)


@post(PATH + "/cancel", opt=requires("subscription.manage"))
@in_thread
def submit_cancel(viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform) -> Template | Redirect:
    def cancel(session: Session) -> None:
        subscriptions.cancel(session, platform, viewer)

    return change(viewer, database, platform, cancel, PATH + "?done=canceled")


@post(PATH + "/resume", opt=requires("subscription.manage"))
@in_thread
def submit_resume(viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform) -> Template | Redirect:
    def resume(session: Session) -> None:
        subscriptions.resume(session, platform, viewer)

    return change(viewer, database, platform, resume, PATH + "?done=resumed")


def change(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    run: Callable[[Session], None],
    target: str,
    tried: ChangeForm | None = None,
) -> Template | Redirect:
    """Do it and look at `target`; or show the page with what is in the way."""

    def again(error: Refusal) -> Template:
        if not is_allowed(viewer, "subscription.read"):
            raise error
        return subscriptions_page(viewer, database, platform, problem=error, tried=tried)

    return attempt(database, run, target, again)


def subscriptions_page(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    *,
    done: str = "",
    problem: Refusal | None = None,
    tried: ChangeForm | None = None,
) -> Template:
    with database.snapshot() as session:
        offer = offer_view(session, platform, viewer.workspace_id)
        ending = ending_notice(session, platform, viewer.workspace_id)
    return page(
        "subscriptions.html",
        viewer,
        path=PATH,
        offer=offer,
        ending=ending,
        done=done,
        problem=problem,
        tried=tried,
        status=problem.status if problem else 200,
    )


ROUTES = (
    show_subscriptions,
    submit_trial,
    submit_change,
    submit_cancel,
    submit_resume,
)
