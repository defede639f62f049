"""The page "Webhooks", a webhook's page with its deliveries, and their forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from litestar import get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from sqlalchemy.orm import Session

from cloudlet.control.db import Database
from cloudlet.control.errors import Refusal
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform, WebRequest
from cloudlet.control.pages import attempt, go, page
from cloudlet.control.permissions import requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import Viewer
from cloudlet.control.webhooks import service
from cloudlet.control.webhooks.errors import WebhookDisabled
from cloudlet.control.webhooks.events import GROUPS
from cloudlet.control.webhooks.forms import FIELD, OVERLAPS, read_overlap, read_webhook_form
from cloudlet.control.webhooks.signature import HEADER, RECEIVER_EXAMPLE
from cloudlet.control.webhooks.views import delivery_view, list_deliveries, list_webhooks, webhook_view

PATH = "/workspace/webhooks"
ONE = PATH + "/{webhook_id:str}"
DELIVERY = ONE + "/deliveries/{delivery_id:str}"
MANAGE = requires("webhook.manage")
DONE: Mapping[str, str] = MappingProxyType(
    {
        "saved": "Saved. It is in force for the next event.",
        "tested": "The test event is on its way; reload to see what came of it.",
        "enabled": "The webhook is on. What was missed can be sent again from its deliveries.",
        "disabled": "The webhook is off. What was waiting has been given up.",
        "deleted": "The webhook is gone, with its deliveries.",
        "redelivered": "The event is sent once more; reload to see what came of it.",
    }
)


@get(PATH, opt=MANAGE)
@in_thread
def show_webhooks(
    viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform, done: FromQuery[str] = ""
) -> Template:
    return webhooks_page(viewer, database, platform, done=DONE.get(done, ""))


@post(PATH, opt=MANAGE, status_code=200)
@in_thread
def submit_webhook(
    data: URLEncodedBody[dict[str, str]], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template:
    """The secret is in this answer and nowhere else."""
    try:
        form = read_webhook_form(data, platform.settings)
        with database.transaction() as session:
            created = service.create_webhook(session, platform, viewer, form)
    except Refusal as error:
        return webhooks_page(viewer, database, platform, problem=error, fields=data)
    return webhook_page(viewer, database, platform, created.webhook_id, secret=created.secret)


@get(ONE, opt=MANAGE)
@in_thread
def show_webhook(
    webhook_id: FromPath[str],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
    before: FromQuery[str] = "",
    done: FromQuery[str] = "",
) -> Template:
    return webhook_page(viewer, database, platform, webhook_id, before=before, done=DONE.get(done, ""))


@post(ONE, opt=MANAGE)
@in_thread
def submit_change(
    webhook_id: FromPath[str],
    data: URLEncodedBody[dict[str, str]],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    def save(session: Session) -> None:
        form = read_webhook_form(data, platform.settings)
        service.change_webhook(session, platform, viewer, webhook_id, form)

    return change(viewer, database, platform, webhook_id, save, "saved", fields=data)


@post(ONE + "/roll", opt=MANAGE, status_code=200)
@in_thread
def submit_roll(
    webhook_id: FromPath[str],
    data: URLEncodedBody[dict[str, str]],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template:
    """The new secret is in this answer and nowhere else. Raises InvalidForm, NotFound."""
    hours = read_overlap(data)
    with database.transaction() as session:
        rolled = service.roll_secret(session, platform, viewer, webhook_id, hours=hours)
    return webhook_page(viewer, database, platform, webhook_id, secret=rolled.secret)


@post(ONE + "/test", opt=MANAGE)
@in_thread
def submit_test(
    request: WebRequest,
    webhook_id: FromPath[str],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    def test(session: Session) -> None:
        service.send_test(session, platform, viewer, webhook_id)

    answer = change(viewer, database, platform, webhook_id, test, "tested")
    request.app.state.worker.wake("webhooks")
    return answer


@post(ONE + "/enable", opt=MANAGE)
@in_thread
def submit_enable(
    webhook_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    def enable(session: Session) -> None:
        service.enable_webhook(session, platform, viewer, webhook_id)

    return change(viewer, database, platform, webhook_id, enable, "enabled")


@post(ONE + "/disable", opt=MANAGE)
@in_thread
def submit_disable(
    webhook_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    def disable(session: Session) -> None:
        service.disable_webhook(session, platform, viewer, webhook_id)

    return change(viewer, database, platform, webhook_id, disable, "disabled")


@post(ONE + "/delete", opt=MANAGE)
@in_thread
def submit_delete(
    webhook_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Redirect:
    with database.transaction() as session:
        service.delete_webhook(session, platform, viewer, webhook_id)
    return go(f"{PATH}?done=deleted")


@get(DELIVERY, opt=MANAGE)
@in_thread
def show_delivery(
    webhook_id: FromPath[str],
    delivery_id: FromPath[str],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
    done: FromQuery[str] = "",
) -> Template:
    return delivery_page(viewer, database, platform, webhook_id, delivery_id, done=DONE.get(done, ""))


@post(DELIVERY + "/redeliver", opt=MANAGE)
@in_thread
def submit_redeliver(
    request: WebRequest,
    webhook_id: FromPath[str],
    delivery_id: FromPath[str],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    try:
        with database.transaction() as session:
            again = service.redeliver(session, platform, viewer, webhook_id, delivery_id)
    except WebhookDisabled as error:
        return delivery_page(viewer, database, platform, webhook_id, delivery_id, problem=error)
    request.app.state.worker.wake("webhooks")
    return go(f"{PATH}/{webhook_id}/deliveries/{again}?done=redelivered")


def change(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    webhook_id: str,
    run: Callable[[Session], None],
    done: str,
    fields: Mapping[str, str] | None = None,
) -> Template | Redirect:
    """Do it and look at the webhook; or show its page with what is in the way."""

    def again(error: Refusal) -> Template:
        return webhook_page(viewer, database, platform, webhook_id, problem=error, fields=fields)

    return attempt(database, run, f"{PATH}/{webhook_id}?done={done}", again)


def webhooks_page(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    *,
    done: str = "",
    problem: Refusal | None = None,
    fields: Mapping[str, str] | None = None,
) -> Template:
    with database.snapshot() as session:
        found = list_webhooks(session, platform, viewer.workspace_id)
    return page(
        "webhooks.html",
        viewer,
        path=PATH,
        webhooks=found,
        groups=GROUPS,
        field=FIELD,
        fields=fields or {},
        done=done,
        problem=problem,
        status=problem.status if problem else 200,
    )


def webhook_page(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    webhook_id: str,
    *,
    before: str = "",
    secret: str = "",
    done: str = "",
    problem: Refusal | None = None,
    fields: Mapping[str, str] | None = None,
) -> Template:
    """Raises NotFound."""
    with database.snapshot() as session:
        hook = webhook_view(session, platform, service.find_webhook(session, viewer.workspace_id, webhook_id))
        found = list_deliveries(session, hook.id, before=before)
    return page(
        "webhook.html",
        viewer,
        path=PATH,
        hook=hook,
        found=found,
        is_first=not before,
        groups=GROUPS,
        field=FIELD,
        fields=fields,
        overlaps=OVERLAPS,
        header=HEADER,
        example=RECEIVER_EXAMPLE,
        secret=secret,
        done=done,
        problem=problem,
        status=problem.status if problem else 200,
    )


def delivery_page(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    webhook_id: str,
    delivery_id: str,
    *,
    done: str = "",
    problem: Refusal | None = None,
) -> Template:
    """Raises NotFound."""
    with database.snapshot() as session:
        delivery = delivery_view(service.find_delivery(session, viewer.workspace_id, webhook_id, delivery_id))
        hook = webhook_view(session, platform, service.find_webhook(session, viewer.workspace_id, webhook_id))
    return page(
        "webhook_delivery.html",
        viewer,
        path=PATH,
        hook=hook,
        delivery=delivery,
        done=done,
        problem=problem,
        status=problem.status if problem else 200,
    )


ROUTES = (
    show_webhooks,
    submit_webhook,
    show_webhook,
    submit_change,
    submit_roll,
    submit_test,
    submit_enable,
    submit_disable,
    submit_delete,
    show_delivery,
    submit_redeliver,
)
