"""The workspaces that one belongs to, and their settings."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudlet.control.accounts.errors import WrongCode, WrongPassword
from cloudlet.control.api.auth_tokens import PASSWORDS
from cloudlet.control.api.errors import SudoNeeded
from cloudlet.control.api.operation import Body, Call, Page, operation
from cloudlet.control.errors import InvalidForm
from cloudlet.control.permissions import SIGNED_IN, SIGNED_IN_ANYWHERE, is_allowed
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.changes import delete_workspace, make_workspace, plan_hours, save_settings
from cloudlet.control.workspaces.errors import NameNotTyped, TooManyWorkspaces
from cloudlet.control.workspaces.forms import read_facts, read_settings_form
from cloudlet.control.workspaces.pages import fields_of
from cloudlet.control.workspaces.policies import Policies, policies_of
from cloudlet.control.workspaces.service import memberships_of, opened_memberships
from cloudlet.control.workspaces.tables import Membership
from cloudlet.control.workspaces.tables import Workspace as WorkspaceRow

WORKSPACES = "/workspaces"
WORKSPACE = WORKSPACES + "/{workspace_id}"
UNSET = msgspec.UNSET
Unset = msgspec.UnsetType


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """`role` and `member_id` are the caller's own; `policies` are for who may change them, null for others."""

    id: str
    name: str
    slug: str
    role: str
    member_id: str
    is_company: bool
    country: str | None
    tax_id: str | None
    created_at: datetime
    policies: Policies | None


class WorkspaceWish(Body, frozen=True, kw_only=True):
    """`country` is an ISO 3166-1 code."""

    name: str
    is_company: bool = False
    country: str | None = None
    tax_id: str | None = None


class PolicyChange(Body, frozen=True, kw_only=True):
    """What is left out stays; null is the default. `ip_allowlist`: networks from which licenses are given."""

    reveal_policy: str | Unset = UNSET
    offline_window_h: int | Unset | None = UNSET
    ci_policy: str | Unset | None = UNSET
    ci_quota_policy: str | Unset = UNSET
    token_max_age_d: int | Unset | None = UNSET
    ip_allowlist: tuple[str, ...] | Unset = UNSET


class WorkspaceChange(Body, frozen=True, kw_only=True):
    """What is left out stays."""

    name: str | Unset = UNSET
    is_company: bool | Unset = UNSET
    country: str | Unset | None = UNSET
    tax_id: str | Unset | None = UNSET
    policies: PolicyChange = PolicyChange()


class Deletion(Body, frozen=True, kw_only=True):
    """`confirm` is the workspace's name; the password (and code), where signing in was more than 15 minutes ago."""

    confirm: str
    password: str = ""
    code: str = ""


@operation("GET", WORKSPACES, SIGNED_IN_ANYWHERE)
def list_workspaces(call: Call) -> Page[Workspace]:
    """One's workspaces; with an API token the one that it is for."""
    person = call.person
    if isinstance(person, Viewer) and person.credential_id:
        found = [pair for pair in memberships_of(call.session, person.user_id) if pair[1].id == person.workspace_id]
    else:
        found = opened_memberships(call.session, person.user_id, person.only_workspace_id)
    return Page(tuple(shape(membership, workspace) for membership, workspace in found))


@operation(
    "POST",
    WORKSPACES,
    SIGNED_IN_ANYWHERE,
    status=201,
    once=True,
    people_only=True,
    refuses=(InvalidForm, TooManyWorkspaces),
)
def create_workspace(call: Call, body: WorkspaceWish) -> Workspace:
    """Create a workspace, whose admin one is."""
    facts = read_facts(
        {
            "name": body.name,
            "is_company": "1" if body.is_company else "",
            "country": body.country or "",
            "tax_id": body.tax_id or "",
        }
    )
    made = make_workspace(call.session, call.platform, call.person, facts)
    found = {workspace.id: membership for membership, workspace in memberships_of(call.session, call.person.user_id)}
    return shape(found[made.id], made)


@operation("GET", WORKSPACE, SIGNED_IN)
def get_workspace(call: Call) -> Workspace:
    """One workspace; the ETag is what PATCH wants as If-Match."""
    return own_shape(call)


@operation("PATCH", WORKSPACE, "workspace.update", match="needed", refuses=(InvalidForm,))
def change_workspace(call: Call, body: WorkspaceChange) -> Workspace:
    """Change a workspace's name, owner and policies. In force from now on."""
    workspace = call.session.get_one(WorkspaceRow, call.viewer.workspace_id, with_for_update=True)
    call.match(etag(workspace), is_needed=True)
    fields = {**fields_of(workspace), **typed(body), "version": str(workspace.version)}
    form = read_settings_form(fields, plan_hours(call.session, workspace.id))
    save_settings(call.session, call.platform, call.viewer, form)
    return own_shape(call)


@operation(
    "POST",
    WORKSPACE + "/delete",
    "workspace.delete",
    people_only=True,
    limit=PASSWORDS,
    refuses=(NameNotTyped, SudoNeeded, WrongPassword, WrongCode),
)
def remove_workspace(call: Call, body: Deletion) -> None:
    """Delete a workspace: all of its tokens and licenses are dead at once."""
    call.prove(body.password, body.code)
    delete_workspace(call.session, call.platform, call.viewer, body.confirm)


def typed(body: WorkspaceChange) -> dict[str, str]:
    """What is sent, as the form has it."""
    values = {**msgspec.structs.asdict(body), **msgspec.structs.asdict(body.policies)}
    values.pop("policies")
    return {name: as_text(value) for name, value in values.items() if value is not UNSET}


def as_text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, tuple):
        return "\n".join(value)
    return "" if value is None else str(value)


def own_shape(call: Call) -> Workspace:
    workspace = call.session.get_one(WorkspaceRow, call.viewer.workspace_id)
    call.tell_version(etag(workspace))
    found = shape(call.session.get_one(Membership, call.viewer.membership_id), workspace)
    may_see = is_allowed(call.viewer, "workspace.update")
    return msgspec.structs.replace(found, policies=policies_of(workspace) if may_see else None)


def etag(workspace: WorkspaceRow) -> str:
    return f'"{workspace.version}"'


def shape(membership: Membership, workspace: WorkspaceRow) -> Workspace:
    return Workspace(
        id=workspace.id,
        name=workspace.name,
        slug=workspace.slug,
        role=membership.role,
        member_id=membership.id,
        is_company=workspace.is_company,
        country=workspace.country,
        tax_id=workspace.tax_id,
        created_at=workspace.created_at,
        policies=None,
    )


OPERATIONS = (
    list_workspaces,
    create_workspace,
    get_workspace,
    change_workspace,
    remove_workspace,
)
