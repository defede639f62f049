"""`/auth/request/ID`: a person looks at what asks to sign in as them, compares the code, and approves or denies."""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from cloudlet.control.accounts.errors import WrongPassword
from cloudlet.control.credentials.pages import PATH as TOKENS_PATH
from cloudlet.control.credentials.pages import has_proved_identity
from cloudlet.control.db import Database
from cloudlet.control.devices import service
from cloudlet.control.devices.forms import DecisionForm
from cloudlet.control.devices.tokens import ADMIN_TOKEN_DAYS, revoke_device
from cloudlet.control.devices.views import request_view
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.pages import go, page
from cloudlet.control.permissions import SIGNED_IN, requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import Viewer

PATH = "/auth/request/{request_id:str}"


@get(PATH, opt=requires(SIGNED_IN))
@in_thread
def show_request(
    request_id: FromPath[str],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
    code: FromQuery[str] = "",
) -> Template:
    """Who is not signed in does that first and comes back. `code` is what the program shows, where it opened the page."""
    return request_page(viewer, database, platform, request_id, code=code)


@post(PATH, opt=requires(SIGNED_IN))
@in_thread
def submit_decision(
    request: WebRequest,
    request_id: FromPath[str],
    data: URLEncodedBody[DecisionForm],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template:
    """A token that may administer needs the password again, unless it was given a moment ago."""
    if data.decision != "approve":
        with database.transaction() as session:
            service.deny(session, platform, viewer.user_id, request_id, viewer.workspace_id, ip=client_ip(request))
        return page("device_answered.html", is_approved=False)
    with database.snapshot() as session:
        asks_for_more = bool(service.waiting_request(session, platform, request_id).scopes)
    if asks_for_more:
        try:
            if not has_proved_identity(database, platform, viewer, data.password, data.code):
                return request_page(viewer, database, platform, request_id, chosen=data.membership_id, ask=True)
        except WrongPassword as error:
            return request_page(
                viewer, database, platform, request_id, chosen=data.membership_id, ask=True, problem=error
            )
    with database.transaction() as session:
        workspace = service.approve(session, platform, viewer, request_id, data.membership_id, ip=client_ip(request))
    return page("device_answered.html", is_approved=True, workspace=workspace.name)


@post(TOKENS_PATH + "/devices/{credential_id:str}/revoke", opt=requires(SIGNED_IN))
@in_thread
def submit_revoke(
    request: WebRequest,
    credential_id: FromPath[str],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Redirect:
    with database.transaction() as session:
        revoke_device(session, platform, viewer.membership_id, credential_id, actor=viewer.actor, ip=client_ip(request))
    return go(TOKENS_PATH + "#devices")


def request_page(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    request_id: str,
    *,
    code: str = "",
    chosen: str = "",
    ask: bool = False,
    problem: WrongPassword | None = None,
) -> Template:
    with database.snapshot() as session:
        row = service.waiting_request(session, platform, request_id)
        asked = request_view(session, row, viewer)
    return page(
        "device_request.html",
        asked=asked,
        who=viewer,
        admin_days=ADMIN_TOKEN_DAYS,
        is_other_code=bool(code) and code.strip().upper() != asked.code,
        chosen=chosen or next((place.membership_id for place in asked.places if place.is_chosen), ""),
        ask=ask,
        problem=problem,
        status=problem.status if problem else 200,
    )


ROUTES = (
    show_request,
    submit_decision,
    submit_revoke,
)
