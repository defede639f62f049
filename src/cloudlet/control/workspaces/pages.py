"""Making a workspace, its settings, deleting it, going from one to another."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from litestar import get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from cloudlet.control.accounts.limits import check_proof_tries, forgive_proof_tries
from cloudlet.control.accounts.service import confirm_password
from cloudlet.control.db import Database
from cloudlet.control.errors import Refusal
from cloudlet.control.given import CurrentAccount, CurrentViewer, TheDatabase, ThePlatform
from cloudlet.control.limits.service import Limit, check
from cloudlet.control.pages import go, page
from cloudlet.control.permissions import SIGNED_IN, SIGNED_IN_ANYWHERE, is_allowed, requires
from cloudlet.control.platform import Platform
from cloudlet.control.sso.views import doors_of
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.changes import delete_workspace, make_workspace, plan_hours, save_settings
from cloudlet.control.workspaces.countries import COUNTRIES
from cloudlet.control.workspaces.errors import SettingsChanged
from cloudlet.control.workspaces.forms import DeleteForm, read_facts, read_settings_form
from cloudlet.control.workspaces.policies import policies_of
from cloudlet.control.workspaces.service import switch_workspace
from cloudlet.control.workspaces.tables import Workspace

NEW = "/workspaces/new"
PATH = "/workspace"
MAKING = Limit("workspaces", rate_per_second=1 / 300, burst=20)
DONE: Mapping[str, str] = MappingProxyType({"saved": "Saved. It is in force from now on."})
NOTHING: Mapping[str, str] = MappingProxyType({})


@get(NEW, opt=requires(SIGNED_IN_ANYWHERE))
@in_thread
def show_new(account: CurrentAccount, database: TheDatabase) -> Template:
    """Also where people come who belong to no workspace, or may not enter theirs by this session."""
    with database.snapshot() as session:
        doors = doors_of(session, account)
    return page("workspace_new.html", account, path=NEW, tried=NOTHING, countries=COUNTRIES, doors=doors)


@post(NEW, opt=requires(SIGNED_IN_ANYWHERE))
@in_thread
def submit_new(
    data: URLEncodedBody[dict[str, str]], account: CurrentAccount, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    try:
        facts = read_facts(data)
        check(database, platform, MAKING, account.user_id)
        with database.transaction() as session:
            make_workspace(session, platform, account, facts)
    except Refusal as error:
        return page(
            "workspace_new.html",
            account,
            path=NEW,
            tried=data,
            countries=COUNTRIES,
            problem=error,
            status=error.status,
        )
    return go("/getting-started")


@get(PATH, opt=requires("workspace.update"))
@in_thread
def show_settings(
    viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform, done: FromQuery[str] = ""
) -> Template:
    return settings_page(viewer, database, platform, done=DONE.get(done, ""))


@post(PATH, opt=requires("workspace.update"))
@in_thread
def submit_settings(
    data: URLEncodedBody[dict[str, str]], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    try:
        with database.transaction() as session:
            form = read_settings_form(data, plan_hours(session, viewer.workspace_id))
            save_settings(session, platform, viewer, form)
    except SettingsChanged as error:  # what was typed was typed for other settings
        return settings_page(viewer, database, platform, problem=error)
    except Refusal as error:
        return settings_page(viewer, database, platform, problem=error, tried=data)
    return go(PATH + "?done=saved")


@post(PATH + "/delete", opt=requires("workspace.delete"))
@in_thread
def submit_delete(
    data: URLEncodedBody[DeleteForm], viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    try:
        if not viewer.has_sudo:
            check_proof_tries(database, platform, viewer.user_id)
            with database.transaction() as session:
                confirm_password(session, platform, viewer.session_id, data.password, data.code)
                forgive_proof_tries(session, viewer.user_id)
        with database.transaction() as session:
            delete_workspace(session, platform, viewer, data.confirm)
    except Refusal as error:
        if not is_allowed(viewer, "workspace.update"):
            raise
        return settings_page(viewer, database, platform, problem=error, ask="delete")
    return go("/")


@post("/workspace/switch/{workspace_id:str}", opt=requires(SIGNED_IN))
@in_thread
def submit_switch(workspace_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase) -> Redirect:
    """Token and license belong to the workspace, so the license is what to look at next."""
    with database.transaction() as session:
        switch_workspace(session, viewer.user_id, viewer.session_id, workspace_id)
    return go("/workspace/my-license")


def settings_page(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    *,
    done: str = "",
    problem: Refusal | None = None,
    tried: Mapping[str, str] | None = None,
    ask: str = "",
) -> Template:
    """`tried`: what was typed, when it is to be corrected."""
    with database.snapshot() as session:
        workspace = session.get_one(Workspace, viewer.workspace_id)
        most_hours = plan_hours(session, viewer.workspace_id)
    return page(
        "workspace.html",
        viewer,
        path=PATH,
        shown=tried if tried is not None else fields_of(workspace),
        version=workspace.version,
        full_name=workspace.name,
        countries=COUNTRIES,
        most_hours=most_hours,
        ci_default=platform.settings.ci_policy,
        done=done,
        problem=problem,
        ask=ask,
        status=problem.status if problem else 200,
    )


def fields_of(workspace: Workspace) -> dict[str, str]:
    """What the form shows."""
    policies = policies_of(workspace)
    return {
        "name": workspace.name,
        "is_company": "1" if workspace.is_company else "",
        "country": workspace.country or "",
        "tax_id": workspace.tax_id or "",
        "reveal_policy": policies.reveal_policy,
        "offline_window_h": str(policies.offline_window_h or ""),
        "ci_policy": policies.ci_policy or "",
        "ci_quota_policy": policies.ci_quota_policy,
        "token_max_age_d": str(policies.token_max_age_d or ""),
        "ip_allowlist": "\n".join(policies.ip_allowlist),
    }


ROUTES = (
    show_new,
    submit_new,
    show_settings,
    submit_settings,
    submit_delete,
    submit_switch,
)
