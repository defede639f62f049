"""The page "Machines", and a machine's own page, where an admin blocks it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from cloudlet.control.activations.history import sees_all
from cloudlet.control.activations.machine_views import list_machines, machine_detail, machine_limit
from cloudlet.control.activations.machines import COUNTED_DAYS, block_machine, unblock_machine
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform
from cloudlet.control.pages import go, page
from cloudlet.control.permissions import SIGNED_IN, requires
from cloudlet.control.threads import in_thread

PATH = "/workspace/machines"
MACHINE = PATH + "/{machine_row:str}"
DONE: Mapping[str, str] = MappingProxyType(
    {
        "blocked": "The machine is blocked: its next start is refused.",
        "unblocked": "The machine may start again.",
    }
)


@get(PATH, opt=requires(SIGNED_IN))
@in_thread
def show_machines(
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
    q: FromQuery[str] = "",
    blocked: FromQuery[str] = "",
    before: FromQuery[str] = "",
) -> Template:
    """Members without `usage.read` see those that their own tokens were used on."""
    search = q.strip()[:100]
    with database.snapshot() as session:
        found = list_machines(session, viewer, search=search, only_blocked=bool(blocked), before=before[:40])
        limit = machine_limit(session, platform, viewer.workspace_id)
    return page(
        "machines.html",
        viewer,
        path=PATH,
        found=found,
        search=search,
        only_blocked=bool(blocked),
        is_first=not before,
        limit=limit,
        counted_days=COUNTED_DAYS,
        sees_all=sees_all(viewer),
    )


@get(MACHINE, opt=requires(SIGNED_IN))
@in_thread
def show_machine(
    machine_row: FromPath[str], viewer: CurrentViewer, database: TheDatabase, done: FromQuery[str] = ""
) -> Template:
    with database.snapshot() as session:
        detail = machine_detail(session, viewer, machine_row)
    return page("machine.html", viewer, path=PATH, machine=detail.row, uses=detail.uses, done=DONE.get(done, ""))


@post(MACHINE + "/block", opt=requires("machine.manage"))
@in_thread
def submit_block(
    machine_row: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Redirect:
    with database.transaction() as session:
        block_machine(session, platform, viewer, machine_row)
    return go(f"{PATH}/{machine_row}?done=blocked")


@post(MACHINE + "/unblock", opt=requires("machine.manage"))
@in_thread
def submit_unblock(
    machine_row: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Redirect:
    with database.transaction() as session:
        unblock_machine(session, platform, viewer, machine_row)
    return go(f"{PATH}/{machine_row}?done=unblocked")


ROUTES = (
    show_machines,
    show_machine,
    submit_block,
    submit_unblock,
)
