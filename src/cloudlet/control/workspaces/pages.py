"""Going from one workspace to another."""

from __future__ import annotations

from litestar import post
from litestar.params import FromPath
from litestar.response import Redirect

from cloudlet.control.given import CurrentViewer, TheDatabase
from cloudlet.control.pages import go
from cloudlet.control.permissions import SIGNED_IN, requires
from cloudlet.control.threads import in_thread
from cloudlet.control.workspaces.service import switch_workspace


@post("/workspace/switch/{workspace_id:str}", opt=requires(SIGNED_IN))
@in_thread
def submit_switch(workspace_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase) -> Redirect:
    """Token and license belong to the workspace, so the license is what to look at next."""
    with database.transaction() as session:
        switch_workspace(session, viewer.user_id, viewer.session_id, workspace_id)
    return go("/workspace/my-license")


ROUTES = (submit_switch,)
