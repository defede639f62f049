"""The page "API tokens": what programs administer a workspace with."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from litestar import get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from cloudlet.control.api.errors import SudoNeeded
from cloudlet.control.api.tokens import LIFETIMES_DAYS, create_api_token, living_tokens, revoke_api_token
from cloudlet.control.credentials.pages import has_proved_identity
from cloudlet.control.db import Database
from cloudlet.control.errors import Refusal
from cloudlet.control.fields import whole_number
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform
from cloudlet.control.members.views import LABELS
from cloudlet.control.pages import go, page
from cloudlet.control.permissions import SIGNED_IN, effective, requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import Viewer

PATH = "/workspace/api-tokens"
SCOPE = "scope."
DONE: Mapping[str, str] = MappingProxyType({"revoked": "The token is dead."})


@get(PATH, opt=requires(SIGNED_IN))
@in_thread
def show_api_tokens(
    viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform, done: FromQuery[str] = ""
) -> Template:
    return tokens_page(viewer, database, platform, done=DONE.get(done, ""))


@post(PATH, opt=requires(SIGNED_IN))
@in_thread
def submit_create(
    data: URLEncodedBody[dict[str, str]], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template:
    """The token is in the answer to this POST and nowhere else."""
    scopes = frozenset(name.removeprefix(SCOPE) for name in data if name.startswith(SCOPE))
    try:
        if not has_proved_identity(database, platform, viewer, data.get("password", ""), data.get("code", "")):
            raise SudoNeeded(hint="It has been a while since you signed in.")
        with database.transaction() as session:
            made = create_api_token(
                session,
                platform,
                viewer,
                name=data.get("name", ""),
                scopes=scopes,
                days=whole_number(data.get("days", ""), max(LIFETIMES_DAYS)) or 0,
            )
    except Refusal as error:
        return tokens_page(viewer, database, platform, problem=error, entered=data)
    return tokens_page(viewer, database, platform, clear=made.token, clear_name=data.get("name", "").strip())


@post(PATH + "/{token_id:str}/revoke", opt=requires(SIGNED_IN))
@in_thread
def submit_revoke(
    token_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Redirect:
    with database.transaction() as session:
        revoke_api_token(session, platform, viewer, token_id)
    return go(PATH + "?done=revoked")


def tokens_page(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    *,
    clear: str = "",
    clear_name: str = "",
    problem: Refusal | None = None,
    entered: Mapping[str, str] = MappingProxyType({}),
    done: str = "",
) -> Template:
    with database.snapshot() as session:
        tokens = living_tokens(session, platform, viewer)
    allowed = effective(viewer)
    groups = [(title, [line for line in lines if line[0] in allowed]) for title, lines in LABELS]
    return page(
        "api_tokens.html",
        viewer,
        path=PATH,
        tokens=tokens,
        groups=[(title, lines) for title, lines in groups if lines],
        labels={key: label for _, lines in LABELS for key, label in lines},
        scope=SCOPE,
        lifetimes=LIFETIMES_DAYS,
        clear=clear,
        clear_name=clear_name,
        problem=problem,
        entered=entered,
        done=done,
        status=problem.status if problem else 200,
    )


ROUTES = (
    show_api_tokens,
    submit_create,
    submit_revoke,
)
