"""The page "Users & Licenses", a member's page, and their forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from litestar import get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from sqlalchemy.orm import Session

from cloudlet.control.db import Database
from cloudlet.control.errors import Refusal
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform
from cloudlet.control.licenses.subscription_views import ending_notice
from cloudlet.control.limits.service import Limit, check
from cloudlet.control.members import invitations, service
from cloudlet.control.members.forms import SWITCH, read_invite_form, read_member_form
from cloudlet.control.members.views import (
    LABELS,
    ROLE_NAMES,
    SeatsView,
    list_members,
    machines_that_stop,
    member_view,
    seats_views,
)
from cloudlet.control.pages import attempt, go, page
from cloudlet.control.permissions import SIGNED_IN, is_allowed, requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import Viewer

PATH = "/workspace/members"
INVITATIONS = Limit("invitations", rate_per_second=1 / 30, burst=100)  # of a workspace: we send mail to anybody for it
MEMBER = PATH + "/{member_id:str}"
DONE: Mapping[str, str] = MappingProxyType(
    {
        "saved": "Saved. It is in force from now on.",
        "assigned": "The license is assigned. Their next start is activated with it.",
        "unassigned": "The license is free again. Their emulators are refused at their next contact.",
        "removed": "The member was removed, their license is free, their token is dead.",
        "invited": "The invitation is on its way.",
        "resent": "The invitation was sent again. The older link is dead.",
        "canceled": "The invitation was canceled. Its link is dead.",
    }
)


@get(PATH, opt=requires(SIGNED_IN))
@in_thread
def show_members(
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
    q: FromQuery[str] = "",
    removed: FromQuery[str] = "",
    number: FromQuery[int] = 1,
    done: FromQuery[str] = "",
) -> Template:
    """Every member may see who else there is; what they may change is another question."""
    return members_page(
        viewer, database, platform, q=q, with_removed=bool(removed), number=number, done=DONE.get(done, "")
    )


@get(MEMBER, opt=requires(SIGNED_IN))
@in_thread
def show_member(
    member_id: FromPath[str],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
    done: FromQuery[str] = "",
) -> Template:
    return member_page(viewer, database, platform, member_id, done=DONE.get(done, ""))


@post(MEMBER, opt=requires("member.role"))
@in_thread
def submit_member(
    member_id: FromPath[str],
    data: URLEncodedBody[dict[str, str]],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    def save(session: Session) -> None:
        service.save_member(session, platform, viewer, member_id, read_member_form(data))

    return change(viewer, database, platform, member_id, save, f"{PATH}/{member_id}?done=saved")


@post(PATH, opt=requires("member.invite"))
@in_thread
def submit_invite(
    data: URLEncodedBody[dict[str, str]], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    try:
        check(database, platform, INVITATIONS, viewer.workspace_id)
        with database.transaction() as session:
            invitations.invite(session, platform, viewer, read_invite_form(data))
    except Refusal as error:
        return members_page(viewer, database, platform, problem=error, tried=data)
    return go(PATH + "?done=invited")


@post(MEMBER + "/resend", opt=requires("member.invite"))
@in_thread
def submit_resend(
    member_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    def resend(session: Session) -> None:
        invitations.resend(session, platform, viewer, member_id)

    check(database, platform, INVITATIONS, viewer.workspace_id)
    return change(viewer, database, platform, member_id, resend, f"{PATH}/{member_id}?done=resent")


@post(MEMBER + "/cancel", opt=requires("member.invite"))
@in_thread
def submit_cancel(
    member_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    def cancel(session: Session) -> None:
        invitations.cancel_invitation(session, platform, viewer, member_id)

    return change(viewer, database, platform, member_id, cancel, PATH + "?done=canceled")


@post(MEMBER + "/assign", opt=requires("license.assign"))
@in_thread
def submit_assign(
    member_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    def assign(session: Session) -> None:
        service.assign_license(session, platform, viewer, member_id)

    return change(viewer, database, platform, member_id, assign, f"{PATH}/{member_id}?done=assigned")


@post(MEMBER + "/unassign", opt=requires("license.assign"))
@in_thread
def submit_unassign(
    member_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    def unassign(session: Session) -> None:
        service.unassign_license(session, platform, viewer, member_id)

    return change(viewer, database, platform, member_id, unassign, f"{PATH}/{member_id}?done=unassigned")


@post(MEMBER + "/remove", opt=requires("member.remove"))
@in_thread
def submit_remove(
    member_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    def remove(session: Session) -> None:
        service.remove_member(session, platform, viewer, member_id)

    return change(viewer, database, platform, member_id, remove, PATH + "?done=removed")


@post("/workspace/leave", opt=requires(SIGNED_IN))
@in_thread
def submit_leave(viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform) -> Template | Redirect:
    def leave(session: Session) -> None:
        service.leave(session, platform, viewer)

    return change(viewer, database, platform, viewer.membership_id, leave, "/")


@post("/workspace/my-license/assign", opt=requires("license.self_assign"))
@in_thread
def submit_self_assign(viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform) -> Redirect:
    with database.transaction() as session:
        service.assign_to_self(session, platform, viewer)
    return go("/workspace/my-license")


def members_page(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    *,
    q: str = "",
    with_removed: bool = False,
    number: int = 1,
    done: str = "",
    problem: Refusal | None = None,
    tried: Mapping[str, str] = MappingProxyType({}),
) -> Template:
    search = q.strip()[:100]
    with database.snapshot() as session:
        found = list_members(session, viewer.workspace_id, search=search, with_removed=with_removed, number=number)
        seats = seats_views(session, platform, viewer.workspace_id)
        ending = ending_notice(session, platform, viewer.workspace_id)
    return page(
        "members.html",
        viewer,
        path=PATH,
        found=found,
        seats=seats,
        ending=ending,
        free=free_seats(seats),
        search=search,
        with_removed=with_removed,
        role_names=ROLE_NAMES,
        now=platform.now(),
        done=done,
        problem=problem,
        tried=tried,
        status=problem.status if problem else 200,
    )


def free_seats(seats: tuple[SeatsView, ...]) -> int:
    return sum(max(0, line.total - line.used) for line in seats if not line.is_over)


def change(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    member_id: str,
    run: Callable[[Session], None],
    target: str,
) -> Template | Redirect:
    """Do it and look at `target`; or show the member's page with what is in the way."""

    def again(error: Refusal) -> Template:
        return member_page(viewer, database, platform, member_id, problem=error)

    return attempt(database, run, target, again)


def member_page(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    member_id: str,
    *,
    done: str = "",
    problem: Refusal | None = None,
) -> Template:
    """Raises NotFound."""
    with database.snapshot() as session:
        member = member_view(session, viewer.workspace_id, member_id)
        seats = seats_views(session, platform, viewer.workspace_id)
        is_own = member.id == viewer.membership_id
        sees_machines = is_own or is_allowed(viewer, "member.remove") or is_allowed(viewer, "license.assign")
        machines = machines_that_stop(session, member_id) if sees_machines else ()
    return page(
        "member.html",
        viewer,
        path=PATH,
        member=member,
        is_own=is_own,
        free=free_seats(seats),
        total=sum(line.total for line in seats if not line.is_over),
        machines=machines,
        labels=LABELS,
        switch=SWITCH,
        role_names=ROLE_NAMES,
        now=platform.now(),
        done=done,
        problem=problem,
        status=problem.status if problem else 200,
    )


ROUTES = (
    show_members,
    show_member,
    submit_member,
    submit_invite,
    submit_resend,
    submit_cancel,
    submit_assign,
    submit_unassign,
    submit_remove,
    submit_leave,
    submit_self_assign,
)
