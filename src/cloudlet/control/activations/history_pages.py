"""The page "Activations", and a request's own page."""

from __future__ import annotations

from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from cloudlet.control.activations.history import Filters, activation_detail, list_activations, sees_all
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform
from cloudlet.control.pages import page
from cloudlet.control.permissions import SIGNED_IN, requires
from cloudlet.control.threads import in_thread

PATH = "/workspace/activations"


@get(PATH, opt=requires(SIGNED_IN))
@in_thread
def show_activations(
    viewer: CurrentViewer,
    database: TheDatabase,
    q: FromQuery[str] = "",
    machine: FromQuery[str] = "",
    result: FromQuery[str] = "",
    ci: FromQuery[str] = "",
    before: FromQuery[str] = "",
) -> Template:
    """Members without `usage.read` see what their own tokens did."""
    filters = Filters(
        who=q.strip()[:100],
        machine=machine.strip()[:100],
        result=one_of(result, "ok", "refused"),
        ci=one_of(ci, "yes", "no"),
        before=before[:40],
    )
    with database.snapshot() as session:
        found = list_activations(session, viewer, filters)
    return page(
        "activations.html",
        viewer,
        path=PATH,
        found=found,
        filters=filters,
        is_filtered=filters != Filters(before=filters.before),
        sees_all=sees_all(viewer),
    )


@get(PATH + "/{activation_id:str}", opt=requires(SIGNED_IN))
@in_thread
def show_activation(
    activation_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template:
    with database.snapshot() as session:
        detail = activation_detail(session, platform, viewer, activation_id)
    return page("activation.html", viewer, path=PATH, found=detail.row, advice=detail.advice)


def one_of(value: str, *known: str) -> str:
    """What nobody knows filters nothing."""
    return value if value in known else ""


ROUTES = (
    show_activations,
    show_activation,
)
