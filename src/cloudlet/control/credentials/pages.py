"""The Auth Token page: masked token, reveal, reset."""

from __future__ import annotations

from litestar import get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect, Template
from sqlalchemy.orm import Session

from cloudlet.control.accounts.errors import WrongPassword
from cloudlet.control.accounts.limits import check_proof_tries, forgive_proof_tries
from cloudlet.control.accounts.service import confirm_password
from cloudlet.control.credentials.forms import ResetForm, RevealForm
from cloudlet.control.credentials.service import (
    NewToken,
    ensure_auth_token,
    living_auth_token,
    reset_auth_token,
    reveal,
)
from cloudlet.control.credentials.views import token_view
from cloudlet.control.db import Database
from cloudlet.control.devices.views import device_views
from cloudlet.control.errors import NotFound
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.pages import go, page
from cloudlet.control.permissions import SIGNED_IN, requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.policies import reveal_policy
from cloudlet.control.workspaces.tables import Membership, Workspace

PATH = "/workspace/auth-tokens"
RESET_WORD = "reset"
COPY_NOW = "Copy it now: this workspace shows a token once."


@get("/workspace/auth-token", opt=requires(SIGNED_IN), sync_to_thread=False)
def show_auth_token_alias(viewer: CurrentViewer) -> Redirect:
    return go(PATH)


@get(PATH, opt=requires(SIGNED_IN))
@in_thread
def show_auth_token(viewer: CurrentViewer, database: TheDatabase) -> Template:
    return tokens_page(viewer, database)


@post(PATH + "/create", opt=requires(SIGNED_IN))
@in_thread
def submit_create(viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform) -> Template | Redirect:
    with database.transaction() as session:
        if living_auth_token(session, viewer.membership_id) is not None:
            return go(PATH)
        membership = session.get_one(Membership, viewer.membership_id)
        made = ensure_auth_token(session, platform, membership, actor=viewer.actor)
        once = shown_once(session, membership, made)
    return tokens_page(viewer, database, clear=once, done=COPY_NOW) if once else go(PATH)


@post(PATH + "/reveal", opt=requires(SIGNED_IN))
@in_thread
def submit_reveal(
    request: WebRequest,
    data: URLEncodedBody[RevealForm],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template:
    """Shown in the answer to this POST and nowhere else: not in a URL, not in a cookie, not cached."""
    try:
        if not has_proved_identity(database, platform, viewer, data.password, data.code):
            return tokens_page(viewer, database, ask="reveal")
    except WrongPassword as error:
        return tokens_page(viewer, database, ask="reveal", problem=error.detail, status=error.status)
    with database.transaction() as session:
        credential = living_auth_token(session, viewer.membership_id)
        if credential is None:
            raise NotFound("You have no auth token yet.")
        clear = reveal(session, platform, credential, actor=viewer.actor, ip=client_ip(request))
    return tokens_page(viewer, database, clear=clear)


@post(PATH + "/reset", opt=requires(SIGNED_IN))
@in_thread
def submit_reset(
    request: WebRequest,
    data: URLEncodedBody[ResetForm],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template:
    if data.confirm.strip().lower() != RESET_WORD:
        return tokens_page(viewer, database, ask="reset", problem=f"Type “{RESET_WORD}” to confirm.", status=422)
    try:
        if not has_proved_identity(database, platform, viewer, data.password, data.code):
            return tokens_page(viewer, database, ask="reset")
    except WrongPassword as error:
        return tokens_page(viewer, database, ask="reset", problem=error.detail, status=error.status)
    with database.transaction() as session:
        membership = session.get_one(Membership, viewer.membership_id)
        made = reset_auth_token(session, platform, membership, actor=viewer.actor, ip=client_ip(request))
        once = shown_once(session, membership, made)
    done = "Your old token is dead. This is the new one."
    return tokens_page(viewer, database, clear=once, done=f"{done} {COPY_NOW}" if once else done)


def shown_once(session: Session, membership: Membership, made: NewToken) -> str | None:
    """The new token, where the workspace's policy is that this answer alone shows it."""
    workspace = session.get_one(Workspace, membership.workspace_id)
    return made.token if reveal_policy(workspace) == "once" else None


def has_proved_identity(database: Database, platform: Platform, viewer: Viewer, password: str, code: str = "") -> bool:
    """A moment ago (sign-in counts), or now by the password, and the `code` of the second factor where there is one.

    Raises WrongPassword, WrongCode, RateLimited.
    """
    if viewer.has_sudo:
        return True
    if not password:
        return False
    check_proof_tries(database, platform, viewer.user_id)
    with database.transaction() as session:
        confirm_password(session, platform, viewer.session_id, password, code)
        forgive_proof_tries(session, viewer.user_id)
    return True


def tokens_page(
    viewer: Viewer,
    database: Database,
    *,
    clear: str | None = None,
    ask: str = "",
    problem: str = "",
    done: str = "",
    status: int = 200,
) -> Template:
    with database.snapshot() as session:
        token = token_view(session, viewer, clear)
        devices = device_views(session, viewer.membership_id)
    return page(
        "auth_tokens.html",
        viewer,
        path=PATH,
        token=token,
        devices=devices,
        ask=ask,
        problem=problem,
        done=done,
        reset_word=RESET_WORD,
        status=status,
    )


ROUTES = (
    show_auth_token,
    show_auth_token_alias,
    submit_create,
    submit_reveal,
    submit_reset,
)
